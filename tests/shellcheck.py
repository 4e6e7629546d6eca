"""`python -m tests.shellcheck`: the scripts that run on hosts, each with what it includes, as a host gets it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from operations import scripts
from operations.scripts import FOLDER, Script, program, script

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
# parameters are set from outside, a variable of one file is read in another, and nobody needs all that a file of lib has
OFF = "SC2034,SC2154,SC2329"


def main() -> int:
    """Fragments that are only included name no shell on their first line, and are looked at where they are included."""
    scripts._COMMENT = re.compile("(?!)")  # with the comments that are for shellcheck
    status = 0
    for path in sorted(FOLDER.rglob("*.sh")):
        head = path.read_text().partition("\n")[0]
        if head.startswith("# shellcheck shell="):
            name = path.relative_to(FOLDER).with_suffix("")
            whole = (
                script(path.name) if path.parent == FOLDER else f"{head}\n{program([Script(str(name))], Script(str(name)).text())}"
            )
            off = [] if path.parent == FOLDER else ["--exclude", OFF]
            done = subprocess.run([SHELLCHECK, *off, "-"], input=whole, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{path}, with what it includes:\n{done.stdout}{done.stderr}", file=sys.stderr)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
