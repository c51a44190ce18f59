"""Logs: one line for each event, and no secret in any of them."""

import json
import subprocess
import sys

import pytest

from shared.logging import mask, mask_secrets

SECRETS = [
    "EAAJZCabcdefghijklmnop",
    "wak_live_abcd1234_0123456789abcdefghij",
    "whsec_c2VjcmV0c2VjcmV0c2VjcmV0",
    "sk-abcdefgh12345678",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_masked_wherever_it_stands(secret: str) -> None:
    assert secret not in mask(f"Meta said no to {secret}, and so do we")
    assert mask(f"token={secret}.") != f"token={secret}."


def test_a_password_in_an_address_is_masked_and_the_host_stays() -> None:
    assert mask("amqp://user:swordfish@broker:5672/vhost") == "amqp://***@broker:5672/vhost"


def test_a_phone_number_keeps_its_ends() -> None:
    assert mask("to +14155550123 now") == "to +1415*****23 now"


@pytest.mark.parametrize("text", ["message_id=65f0c0ffee65f0c0ffee65f0", "at 2026-03-05T10:30:00+01:00", "1 + 2 = 3"])
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


def test_a_line_is_masked_in_depth_and_by_key() -> None:
    line = {
        "event": "message_sent",
        "count": 3,
        "authorization": "anything",
        "request": {"access_token": "anything", "phones": ["+14155550123", {"text": "hello"}]},
    }

    assert mask_secrets(None, "info", line) == {
        "event": "message_sent",
        "count": 3,
        "authorization": "***",
        "request": {"access_token": "***", "phones": ["+1415*****23", {"text": "***"}]},
    }


PROGRAM = """
import logging, structlog
from shared.logging import configure_logging
configure_logging(log_format="json", level="info")
log = structlog.get_logger()
structlog.contextvars.bind_contextvars(service="messaging")
log.debug("not_shown")
log.info("message_sent", to="+14155550123")
logging.getLogger("somebody").warning("token %s", "EAAJZCabcdefghijklmnop")
logging.getLogger("aiormq.connection").error("amqp://user:swordfish@broker/")
try:
    raise ValueError("EAAJZCabcdefghijklmnop")
except ValueError:
    log.exception("failed")
"""


def test_our_lines_and_the_libraries_come_out_as_masked_json() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["message_sent", "token ***", "failed"]
    assert lines[0]["to"] == "+1415*****23"
    assert lines[0]["service"] == "messaging"
    assert "ValueError" in lines[2]["exception"]
    assert "EAAJZC" not in done.stderr
    assert "swordfish" not in done.stderr
