"""The shell scripts that run on hosts. They are sent over standard input with each command; nothing of them is installed there.

A script is a file of a folder here, named by noun. Its parameters are variables that it finds set, by name. What several
scripts share is in `lib`: functions, which a line `#include lib/<name>.sh` asks for, and programs for others: `#awk lib/<name>.awk`
sets the variable `<name>_awk` to one; `#jq` and `#bash` do the same.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pyinfra.api import Host, QuoteString, State, StringCommand
from pyinfra.api.arguments import ConnectorArguments

FOLDER = Path(__file__).parent
_INCLUDE = re.compile(r"^#(include|awk|bash|jq) (\S+)\n", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(#.*)?\n", re.MULTILINE)
_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
_BASH = "# shellcheck shell=bash\n"
_NAME = re.compile(r"[a-z][a-z0-9_]*")

# An argument may have 128 KiB (MAX_ARG_STRLEN in execve(2)), standard input as much as it likes.
_LOADER = 'eval "$(cat)"'

# What a program says goes to a terminal and through pyinfra, which ends in a UnicodeDecodeError on what is no UTF-8.
# In braces, for a program that is cut off must do nothing.
_FRAME = """\
fleet_main() {
@BODY@}
{
exec 3>&1
fleet_status=$({ { fleet_main >&3 3>&- 4>&-; echo $? >&4; } 2>&1 | LC_ALL=C tr -c '\\11\\12\\40-\\176' '?' >&2; } 4>&1)
exit "$fleet_status"
}
"""

Parameter = str | int | bool | Sequence[str]


@dataclass(frozen=True)
class Script:
    """A script with its parameters: texts, numbers, yes-or-nos (True is "yes", False is "") and lists (an item a line).

    + path: below this folder, without its ending, such as files/put; services/<name>/<script> is one of a service's own
    """

    path: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict, repr=False)

    @property
    def shell(self) -> str:
        """`bash` where the script or something that it includes needs it; a program for another shell does not count."""
        parts = (f"{self.path}.sh", *_included(self.path))
        return "bash" if any(name.endswith(".sh") and _read(name).startswith(_BASH) for name in parts) else "sh"

    def text(self) -> str:
        """The parameters and what is done with them; what the script includes must stand before it."""
        set_ = "".join(f"{name}={_quoted(name, value)}\n" for name, value in self.parameters.items())
        return set_ + _code(f"{self.path}.sh")


def run(path: str, /, **parameters: Parameter) -> StringCommand:
    """The command that runs one script on a host; its parameters go over standard input, so they may be secret.

    Raises ValueError for a parameter that no shell variable can hold.
    """
    return command(Script(path, parameters))


def command(*scripts: Script) -> StringCommand:
    """The command that runs scripts one after the other, each only where those before it went well."""
    return send(scripts, " && ".join(f"(\n{script.text()})" for script in scripts) + "\n")


def send(scripts: Sequence[Script], body: str) -> StringCommand:
    """The command that runs a program: see `program`."""
    shell = "bash" if any(script.shell == "bash" for script in scripts) else "sh"
    return _Sent(shell, "-c", QuoteString(_LOADER), _stdin=program(scripts, body))


class _Sent(StringCommand):
    """pyinfra shows what an operation's commands said only after its callbacks, and one of those notes why a host failed."""

    def execute(self, state: State, host: Host, connector_arguments: ConnectorArguments) -> Any:
        well, said = super().execute(state, host, connector_arguments)
        last_words[host.name] = [] if well else said.stderr_lines
        return well, said


# host → what the script said that ran there last, where it failed
last_words: dict[str, list[str]] = {}


def words(command: StringCommand) -> str:
    """The same command as a line of shell, which brings its standard input along."""
    return f"printf %s {shlex.quote(str(command.connector_arguments['_stdin']))} | {command.get_raw_value()}"


def program(scripts: Sequence[Script], body: str) -> str:
    """A whole program: what these scripts share, once, then `body`. It is one function, so one that was cut off does nothing."""
    shared = dict.fromkeys(("lib/environment.sh", *(name for script in scripts for name in _included(script.path))))
    return _FRAME.replace("@BODY@", "".join(map(_library, shared)) + body)


def _quoted(name: str, value: Parameter) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a parameter")
    if isinstance(value, bool):
        value = "yes" if value else ""
    elif not isinstance(value, str | int):
        if broken := [item for item in value if "\n" in item]:
            raise ValueError(f"{name}: an item of a list holds a line break: {broken[0]!r}")
        value = "\n".join(value)
    if "\0" in (text := str(value)):
        raise ValueError(f"{name}: holds a NUL character")
    return shlex.quote(text)


@cache
def _read(name: str) -> str:
    if name.startswith("services/"):  # a service's own, in its folder
        service, _, own = name.removeprefix("services/").partition("/")
        return (FOLDER.parent / "services" / service / "scripts" / own).read_text(encoding="utf-8")
    return (FOLDER / name).read_text(encoding="utf-8")


@cache
def _code(name: str) -> str:
    """A file without its comments, blank lines and indentation; no text in a script depends on them."""
    return _INDENTATION.sub("", _COMMENT.sub("", _read(name)))


@cache
def _included(path: str) -> tuple[str, ...]:
    """All that a script includes, directly or through others; each behind what it includes itself."""

    def walk(name: str) -> Iterator[str]:
        for _, other in _INCLUDE.findall(_read(name)) if name.endswith(".sh") else ():
            yield from walk(other)
            yield other

    return tuple(dict.fromkeys(walk(f"{path}.sh")))


@cache
def _library(name: str) -> str:
    kind = Path(name).suffix.removeprefix(".")
    return _code(name) if kind == "sh" else f"{Path(name).stem}_{kind}={shlex.quote(_code(name))}\n"
