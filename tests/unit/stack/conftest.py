"""A folder for an operator's own catalogue, and a Compose to ask, where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.stack.catalogues import Put

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def compose_bin() -> list[str]:
    """The words that start Compose v2: $COMPOSE_BIN, the lab's, or the docker client's plugin."""
    lab = sorted(ROOT.glob(".lab/tools/**/docker-compose"))
    candidates = [[os.environ["COMPOSE_BIN"]]] if os.environ.get("COMPOSE_BIN") else []
    candidates += [[str(path)] for path in lab if path.is_file()]
    candidates += [["docker", "compose"]] if shutil.which("docker") else []
    for words in candidates:
        asked = subprocess.run([*words, "version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return words
    pytest.skip("no Compose v2: not in $COMPOSE_BIN, not below .lab/tools, and `docker compose version` fails")


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a file of an operator's own catalogue: `put("web", text)`."""
    folder = tmp_path / "services.d"
    folder.mkdir()

    def write(name: str, text: str | bytes) -> Path:
        path = folder / f"{name}.yml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def folder(put: Put) -> str:
    """The operator's folder, as it is named in catalog_dirs."""
    return str(put("unused", "services: {unused: {image: scratch}}").parent)
