"""A Compose to ask, where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

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
