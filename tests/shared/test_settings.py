"""Settings: from the environment or from files, refused with the variable's name and never its value."""

from pathlib import Path

import pytest

from shared.settings import CommaList, ConfigurationError, Settings, parse_bind


class Example(Settings):
    """What a service might ask for."""

    required_secret: str
    limit: int = 5
    hosts: CommaList = ("localhost",)


def test_defaults_hold_where_nothing_is_given() -> None:
    settings = Example.from_env({"REQUIRED_SECRET": "s"})

    assert (settings.limit, settings.hosts, settings.environment) == (5, ("localhost",), "local")
    assert settings.is_local


def test_the_environment_wins_and_strangers_are_ignored() -> None:
    settings = Example.from_env(
        {
            "REQUIRED_SECRET": "s",
            "LIMIT": "7",
            "HOSTS": " a.example, b.example ,",
            "ENVIRONMENT": "production",
            "X": "y",
        }
    )

    assert (settings.limit, settings.hosts, settings.is_local) == (7, ("a.example", "b.example"), False)


def test_an_empty_variable_counts_as_not_given() -> None:
    assert Example.from_env({"REQUIRED_SECRET": "s", "LIMIT": ""}).limit == 5


def test_a_variable_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n", encoding="utf-8")

    settings = Example.from_env({"REQUIRED_SECRET_FILE": str(tmp_path / "secret")})

    assert settings.required_secret == "from the file"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="REQUIRED_SECRET_FILE"):
        Example.from_env({"REQUIRED_SECRET_FILE": str(tmp_path / "nowhere")})


def test_everything_that_is_wrong_is_named_at_once_without_values() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Example.from_env({"LIMIT": "swordfish", "ENVIRONMENT": "moon"})

    text = str(caught.value)
    assert all(name in text for name in ("REQUIRED_SECRET", "LIMIT", "ENVIRONMENT"))
    assert "swordfish" not in text
    assert "moon" not in text


def test_addresses_with_passwords_are_not_shown() -> None:
    settings = Settings.from_env({"AMQP_URL": "amqp://user:swordfish@broker/"})

    assert "swordfish" not in repr(settings)
    assert settings.amqp_url.get_secret_value() == "amqp://user:swordfish@broker/"


@pytest.mark.parametrize(
    ("bind", "parsed"), [("127.0.0.1:4000", ("127.0.0.1", 4000)), ("[::1]:80", ("::1", 80)), (":4001", ("", 4001))]
)
def test_a_bind_is_a_host_and_a_port(bind: str, parsed: tuple[str, int]) -> None:
    assert parse_bind(bind) == parsed


@pytest.mark.parametrize("bind", ["", "4000", "localhost", "localhost:", "localhost:http", "localhost:-1"])
def test_anything_else_is_no_bind(bind: str) -> None:
    with pytest.raises(ConfigurationError, match="host:port"):
        parse_bind(bind)
