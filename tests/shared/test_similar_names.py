"""Suggestions for mistyped names."""

from shared.similar_names import close_matches


def test_a_mistyped_name_finds_the_names_that_look_like_it() -> None:
    known = ["order_confirmation", "order_cancellation", "welcome_message", "order_confirmation"]

    assert close_matches("order_confimation", known) == ["order_confirmation", "order_cancellation"]


def test_a_name_like_no_other_finds_none() -> None:
    assert close_matches("x" * 512, ["order_confirmation"]) == []


def test_the_likely_name_is_found_among_thousands() -> None:
    known = [f"campaign_{number}_spring" for number in range(5000)] + ["welcome", "welcome_message"]

    assert close_matches("welcom", known) == ["welcome"]
    assert close_matches("welcome", known) == ["welcome", "welcome_message"]
