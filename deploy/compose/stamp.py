"""`python -m deploy.compose.stamp PYPROJECT FOLDER [REVISION]`: tells the image which version it holds.

The image carries the packages as they lie in the checkout, not as an installed wheel, so the one thing that an
installation would add is written here: the metadata that `importlib.metadata.version("waapi")` reads.
"""

import sys
import tomllib
from pathlib import Path


def version_of(pyproject: Path, revision: str) -> str:
    """The project's version, with a revision as its local part: `0.1.0+3f2a91c` (PEP 440)."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    return f"{project['version']}+{revision}" if revision else str(project["version"])


def write_metadata(folder: Path, version: str) -> None:
    """Make the version known to every Python that has `folder` on its path."""
    metadata = folder / f"waapi-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: waapi\nVersion: {version}\n", encoding="utf-8")


if __name__ == "__main__":
    pyproject, folder, *revision = sys.argv[1:]
    write_metadata(Path(folder), version_of(Path(pyproject), "".join(revision)))
