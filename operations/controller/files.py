"""Writing files on a host: one list, one exec, all of it or nothing. See scripts/put.sh for what holds on the way."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from pyinfra.api import QuoteString, StringCommand

from ..scripts import script
from ..stack.files import EnvFile, ManagedFile


def put(root: str, files: Iterable[ManagedFile], remove: Iterable[str] = (), then: str = "", *words: str) -> StringCommand:
    """The command that writes files below `root` atomically; their contents go over standard input.

    + root: the stack's folder, absolute; made if it is missing
    + files: whole files, and env files in which keys are set
    + remove: paths of files to remove
    + then, words: a script of this package that is run after it with `root` and these words
    """
    command = StringCommand("sh", "-c", QuoteString(script("put.sh")), "put", QuoteString(root))
    if then:
        command = StringCommand(
            command, "&&", "bash", "-c", QuoteString(script(then)), then, QuoteString(root), *map(QuoteString, words)
        )
    return StringCommand(command, _stdin=put_list(files, remove))


def put_list(files: Iterable[ManagedFile], remove: Iterable[str] = ()) -> str:
    """The list that scripts/put.sh reads: five lines a file, and `end`."""
    lines: list[str] = []
    for file in files:
        if isinstance(file, EnvFile):
            body = "".join(f"{line}\n" for line in file.lines.values())
            lines += ["env", file.mode, "-", file.path, _encoded(body)]
        else:
            lines += ["file", file.mode, file.owner, file.path, _encoded(file.content)]
    for path in remove:
        lines += ["remove", "-", "-", path, ""]
    return "\n".join([*lines, "end", ""])


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
