"""Rules that a look at the source settles."""

import ast

from shared.crashpoints import NAMES
from tests.architecture.sources import ROOT, calls_of, names_in, source_files

LINES_AT_MOST = 400  # past 300 a file has a second noun that wants a file of its own
READS_THE_ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.putenv"}


def test_no_file_is_longer_than_a_reader_takes_in() -> None:
    lengths = {
        str(path): len((ROOT / path).read_text(encoding="utf-8").splitlines())
        for path in source_files("services", "shared", "deploy", "tests")
    }

    assert {path: length for path, length in lengths.items() if length > LINES_AT_MOST} == {}


def test_only_one_place_builds_the_mongodb_client_with_its_write_promises() -> None:
    builders = [
        str(path)
        for path in source_files("services", "shared")
        if any(calls_of(path, {"AsyncMongoClient", "MongoClient"}))
    ]

    assert builders == ["shared/mongo.py"]


def test_only_settings_and_the_command_line_read_the_environment() -> None:
    readers = [
        str(path)
        for path in source_files("services", "shared")
        if path.name != "settings.py" and names_in(path) & READS_THE_ENVIRONMENT
    ]

    assert sorted(readers) == ["services/__main__.py", "services/messaging/rebuild.py"]


def test_every_crash_point_that_can_be_named_exists_and_no_other() -> None:
    passed = [
        call.args[0].value if isinstance(call.args[0], ast.Constant) else ast.unparse(call.args[0])
        for path in source_files("services", "shared")
        for call in calls_of(path, {"crash_point"})
    ]

    assert set(passed) == NAMES
