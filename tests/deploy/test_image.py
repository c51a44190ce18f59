"""The image: what deploy/Dockerfile promises, what goes into it, and the small programs that it carries."""

import asyncio
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

from deploy.compose.probe import is_healthy
from deploy.compose.stamp import version_of, write_metadata
from shared.web.ops import Readiness, ops_app
from shared.web.server import serving
from tests.architecture.sources import ROOT

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
IGNORED = [
    line
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
STAGES = [stage for stage in re.split(r"^(?=FROM )", DOCKERFILE, flags=re.MULTILINE) if stage.startswith("FROM ")]
COPIED = [
    source
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    for source in line.split()[:-1]  # the last word is where it goes
]


def test_every_stage_begins_with_one_base_of_a_known_release() -> None:
    bases = {stage.split()[1] for stage in STAGES}

    assert bases - {"runtime"} == {"python:3.11-slim-bookworm"}


def test_packages_are_those_of_the_lock_file_by_hash_and_nothing_is_compiled() -> None:
    (install,) = re.findall(r"^RUN .*pip .*install (.*)$", DOCKERFILE, re.MULTILINE)

    assert install.split() == ["--require-hashes", "--only-binary=:all:", "-r", "requirements-runtime.lock"]


def test_the_stages_that_are_shipped_run_no_command_and_are_nobody_in_particular() -> None:
    build, runtime, *shipped = STAGES

    assert "RUN " in build
    assert not any("RUN " in stage for stage in (runtime, *shipped))
    assert re.search(r"^USER 10001:10001$", runtime, re.MULTILINE)
    assert all(stage.startswith("FROM runtime ") and "USER" not in stage for stage in shipped)


def test_without_a_target_the_image_holds_the_services() -> None:
    assert STAGES[-1].startswith("FROM runtime AS services\n")
    assert STAGES[-1].endswith('ENTRYPOINT ["python", "-m", "services"]\n')


def test_the_services_image_does_not_hold_the_sandbox() -> None:
    (stage,) = (stage for stage in STAGES if "deploy/sandbox" in stage)

    assert stage.startswith("FROM runtime AS sandbox\n")


def test_only_what_is_named_reaches_the_engine() -> None:
    allowed = {line[1:] for line in IGNORED if line.startswith("!")}

    assert IGNORED[0] == "*"
    assert {name.partition("/")[0] for name in COPIED} == {name.partition("/")[0] for name in allowed}
    assert [name for name in allowed if not (ROOT / name).exists()] == []


async def test_the_probe_believes_a_service_that_says_it_is_ready() -> None:
    bind = f"127.0.0.1:{unused_port()}"

    async with serving(ops_app("test", Readiness({})), bind):
        assert await asyncio.to_thread(is_healthy, f"http://{bind}/readyz")


async def test_the_probe_sees_a_service_that_says_no() -> None:
    bind, readiness = f"127.0.0.1:{unused_port()}", Readiness({})
    readiness.drain()

    async with serving(ops_app("test", readiness), bind):
        assert not await asyncio.to_thread(is_healthy, f"http://{bind}/readyz")


def test_the_probe_sees_that_nobody_listens() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.compose.probe", f"http://127.0.0.1:{unused_port()}/readyz"],
        cwd=ROOT,
        check=False,
    )

    assert done.returncode == 1


@pytest.mark.parametrize(("revision", "shown"), [("", "3.2.1"), ("3f2a91c", "3.2.1+3f2a91c")])
def test_the_stamp_is_the_version_that_python_finds(tmp_path: Path, revision: str, shown: str) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "3.2.1"\n', encoding="utf-8")

    write_metadata(tmp_path / "image", version_of(tmp_path / "pyproject.toml", revision))

    (found,) = distributions(name="waapi", path=[str(tmp_path / "image")])
    assert found.version == shown
