"""Writing files on a host: one list, one exec, all of it or nothing. See scripts/lib/put.sh for what holds on the way."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from pyinfra.api import StringCommand

from .. import scripts
from ..scripts import Script
from ..stack.files import EnvFile, Folder, ManagedFile


def put(root: str, files: Iterable[ManagedFile | Folder], remove: Iterable[str] = (), then: Script | None = None) -> StringCommand:
    """The command that writes files below `root` atomically; their contents go over standard input.

    + root: the stack's folder, absolute; made if it is missing
    + files: folders, whole files, and env files in which keys are set
    + remove: paths of files to remove
    + then: a script that is run after it went well
    """
    return scripts.command(Script("files/put", {"root": root, "files": put_list(files, remove)}), *([then] if then else []))


def put_list(files: Iterable[ManagedFile | Folder], remove: Iterable[str] = ()) -> list[str]:
    """The list that scripts/lib/put.sh reads: five lines a file."""
    lines: list[str] = []
    for file in files:
        if isinstance(file, Folder):
            lines += ["dir", file.mode, file.owner, file.path, ""]
        elif isinstance(file, EnvFile):
            body = "".join(f"{line}\n" for line in file.lines.values())
            lines += ["env", file.mode, "-", file.path, _encoded(body)]
        else:
            lines += ["file", file.mode, file.owner, file.path, _encoded(file.content)]
    for path in remove:
        lines += ["remove", "-", "-", path, ""]
    return lines


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
