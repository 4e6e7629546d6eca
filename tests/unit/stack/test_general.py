"""The general rooms know no service: what is particular to one is in its folder below services/."""

from __future__ import annotations

import re
from pathlib import Path

OPERATIONS = Path(__file__).parents[3] / "operations"
SERVICES = re.compile(r"redis|postgres|open ?-?_?webui|watchtower", re.IGNORECASE)


def general() -> list[Path]:
    """Every file that is of no service."""
    found = (path for path in OPERATIONS.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path for path in found if path.relative_to(OPERATIONS).parts[0] != "services")


def naming() -> dict[str, int]:
    """The general files that name a service, and on how many lines."""
    lines = {path: path.read_text(encoding="utf-8").splitlines() for path in general()}
    found = {path: sum(1 for line in text if SERVICES.search(line)) for path, text in lines.items()}
    return {str(path.relative_to(OPERATIONS)): count for path, count in found.items() if count}


def test_no_general_file_names_a_service() -> None:
    assert len(general()) > 50
    assert naming() == {}
