"""`python -m tests.shellcheck`: the scripts that run on hosts, each with what it includes, as a host gets it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from operations import scripts
from operations.scripts import FOLDER, Script, program

SERVICES = FOLDER.parent / "services"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
# parameters are set from outside, a variable of one file is read in another, nobody needs all that a file of lib has, a function
# in a subshell has variables of its own, an awk program stands in single quotes, and nothing follows an `exit` in a subshell
OFF = "SC2034,SC2154,SC2329,SC2030,SC2031,SC2016,SC2317"


def main() -> int:
    """Fragments that are only included name no shell on their first line, and are looked at where they are included."""
    scripts._COMMENT = scripts._INDENTATION = re.compile("(?!)")  # with the comments that are for shellcheck
    status = 0
    scripts_of_services = {path: f"services/{path.parents[1].name}/{path.stem}" for path in SERVICES.glob("*/scripts/*.sh")}
    found = {path: str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.rglob("*.sh")} | scripts_of_services
    texts = {path: program([Script(name)], Script(name).text()) for path, name in found.items()}
    texts |= {path: path.read_text() for path in FOLDER.rglob("*.bash")}
    for path, text in sorted(texts.items()):
        head = path.read_text().partition("\n")[0]
        if head.startswith("# shellcheck shell="):
            whole = f"{head}\n{text}"
            done = subprocess.run([SHELLCHECK, "--exclude", OFF, "-"], input=whole, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{path}, with what it includes:\n{done.stdout}{done.stderr}", file=sys.stderr)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
