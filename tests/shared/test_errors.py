"""Errors: a status and a stable code for each, and every one of them can cross the bus."""

import pytest

from shared.errors import (
    BY_NAME,
    BusUnavailableError,
    ConflictError,
    InternalError,
    NotFoundError,
    ServiceUnavailableError,
    WaapiError,
)


def all_errors(error: type[WaapiError] = WaapiError) -> set[type[WaapiError]]:
    below = {each for each in error.__subclasses__() if each.__module__ == "shared.errors"}
    return below.union(*(all_errors(each) for each in below))


def test_every_error_is_known_by_its_name() -> None:
    assert {name: error for name, error in BY_NAME.items() if error.__name__ == name} == BY_NAME
    assert set(BY_NAME.values()) == all_errors()


@pytest.mark.parametrize("error", BY_NAME.values())
def test_every_error_has_an_error_status_and_a_snake_case_code(error: type[WaapiError]) -> None:
    assert 400 <= error.http_status <= 599
    assert error.default_code == error.default_code.lower()
    assert error.default_code.isidentifier()


def test_an_error_takes_a_code_of_its_own() -> None:
    assert ConflictError("x").code == "conflict"
    assert ConflictError("x", code="number_taken").code == "number_taken"


def test_what_is_away_says_when_to_come_back() -> None:
    assert ServiceUnavailableError("x").retry_after_seconds == 5
    assert BusUnavailableError("x", retry_after_seconds=2).retry_after_seconds == 2
    assert NotFoundError("x").retry_after_seconds is None


def test_statuses_are_those_of_the_two_apis() -> None:
    assert NotFoundError.http_status == 404
    assert BusUnavailableError.http_status == 503
    assert InternalError.http_status == 500
