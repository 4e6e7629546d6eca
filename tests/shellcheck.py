"""`python -m tests.shellcheck`: the scripts that run on hosts, each with what it includes, as a host gets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from operations.scripts import script

FOLDER = Path(__file__).parents[1] / "operations" / "scripts"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


def main() -> int:
    """Fragments that are only included name no shell on their first line, and are looked at where they are included."""
    status = 0
    for path in sorted(FOLDER.glob("*.sh")):
        text = script(path.name)
        if text.startswith("# shellcheck shell="):
            done = subprocess.run([SHELLCHECK, "-"], input=text, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{path}, with what it includes:\n{done.stdout}{done.stderr}", file=sys.stderr)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
