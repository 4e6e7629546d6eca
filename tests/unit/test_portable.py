"""Scripts keep to what busybox knows too, as Alpine has it; `make unit-busybox` runs them with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

OPERATIONS = Path(__file__).parents[2] / "operations"
SCRIPTS = sorted(path for kind in ("sh", "awk", "bash") for path in OPERATIONS.rglob(f"*.{kind}"))
# what only GNU's programs know → what to write instead
GNU = {
    r"--reference=": "the mode or owner, from `stat -c`",
    r"stat --printf": "stat -c",
    r"-printf ": "-exec, or a loop",
    r"-readable\b": "-exec test -r",
    r"flock -w": "timeout <seconds> flock",
    r"date .*%[0-9]?N": "clock, of lib/clock.sh",
    r"date .*-d [\"'][^@]": "date -d @<seconds>",
    r"df .*--output": "df -kP",
    r"[0-9a-z)] \^ [0-9a-z(]": "a table of powers: not every awk has ^",
    r"/var/run/docker\.sock": "$docker_socket, of lib/environment.sh",
}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(OPERATIONS)))
def test_a_script_keeps_to_what_busybox_knows(path: Path) -> None:
    if path.name == "environment.sh":
        return
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    found = {line.strip(): instead for line in lines for pattern, instead in GNU.items() if re.search(pattern, line)}
    assert found == {}
