"""Long answers that are kept, and how much of them."""

from services.gateway.domain.renderings import Rendering, Renderings

FIRST, SECOND = Rendering("1", b"[1]"), Rendering("2", b"[1,2]")


def test_what_was_never_written_is_not_there() -> None:
    assert Renderings().find(("pn_1", "APPROVED")) is None


def test_a_later_rendering_takes_the_place_of_an_earlier_one() -> None:
    renderings = Renderings()
    renderings.keep(("pn_1", None), FIRST)

    renderings.keep(("pn_1", None), SECOND)

    assert renderings.find(("pn_1", None)) == SECOND


def test_what_nobody_wanted_for_longest_makes_room() -> None:
    renderings = Renderings(most=1_200)
    renderings.keep(("pn_1",), FIRST)
    renderings.keep(("pn_2",), FIRST)
    renderings.find(("pn_1",))

    renderings.keep(("pn_3",), FIRST)

    assert [renderings.find((name,)) for name in ("pn_1", "pn_2", "pn_3")] == [FIRST, None, FIRST]


def test_what_is_larger_than_everything_together_may_be_is_not_kept() -> None:
    renderings = Renderings(most=1_200)

    renderings.keep(("pn_1",), Rendering("1", b"x" * 2_000))
    renderings.keep(("pn_2",), FIRST)

    assert renderings.find(("pn_1",)) is None
    assert renderings.find(("pn_2",)) == FIRST
