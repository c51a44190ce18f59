"""What stops the start: each with one line that says what to change."""

import asyncio

import pytest

from services.messaging.main import run
from services.messaging.settings import Settings
from shared.settings import ConfigurationError
from tests.messaging.stage import MASTER_KEYS


def settings(**environ: str) -> Settings:
    return Settings.from_env({"MASTER_KEYS": MASTER_KEYS} | environ)


def test_the_defaults_start() -> None:
    defaults = settings()

    assert defaults.timing_for("utility").lease.total_seconds() == 120
    assert defaults.timing_for("authentication").http_timeout_seconds == 7


@pytest.mark.parametrize("name", ["SEND", "CODE"])
def test_a_lease_shorter_than_four_timeouts_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}_LEASE_SECONDS must be at least four times"):
        settings(**{f"{name}_TIMEOUT_SECONDS": "10", f"{name}_LEASE_SECONDS": "39.9"})


@pytest.mark.parametrize("name", ["SEND", "CODE"])
def test_a_lease_of_four_timeouts_is_taken(name: str) -> None:
    settings(**{f"{name}_TIMEOUT_SECONDS": "10", f"{name}_LEASE_SECONDS": "40"})


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({}, "MASTER_KEYS: Field required"),
        ({"MASTER_KEYS": "no key"}, "MASTER_KEYS entry 1 is not of the form kid:base64"),
        ({"MASTER_KEYS": "k1:AAAA"}, "MASTER_KEYS key k1 has 3 bytes, not 32"),
        (
            {"MASTER_KEYS": MASTER_KEYS, "CODE_LEASE_SECONDS": "1"},
            "CODE_LEASE_SECONDS must be at least four times CODE_TIMEOUT_SECONDS",
        ),
    ],
    ids=["missing keys", "malformed keys", "a short key", "a short lease"],
)
async def test_a_wrong_configuration_ends_the_start_with_one_line(environ: dict[str, str], line: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        await run(environ, asyncio.Event())

    assert str(refused.value) == line
