"""A process loads only the services that it was asked to run."""

import os
import re
import subprocess
import sys

import pytest

from services.__main__ import SERVICES
from tests.architecture.sources import ROOT

IMPORTED = re.compile(r"^import time:.*\|\s+(services\.\S+)$", re.MULTILINE)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_alone_loads_no_other_services_modules(service: str) -> None:
    """The real command line; a database address that is none ends the start right after everything was imported."""
    environ = {"PATH": os.environ["PATH"], "MONGODB_URL": "mongodb://"}
    command = [sys.executable, "-X", "importtime", "-m", "services", service]

    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60)

    modules = set(IMPORTED.findall(done.stderr))
    assert done.returncode != 0
    assert f"services.{service}.settings" in modules, done.stderr[-2000:]  # main itself is loaded by name, unreported
    assert {module.split(".")[1] for module in modules} == {service}
