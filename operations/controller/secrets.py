"""Secrets on the controller: where they come from, how they are held, and what a password must look like.

A secret is shown, compared and read back only as a fingerprint.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import hmac
import io
import os
import re
import secrets
import signal
import stat
import string
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NoReturn, TextIO

from dotenv import dotenv_values
from pyinfra.api import HiddenValue

from .. import COMMAND
from ..report.key import key
from ..stack.errors import FleetError, SecretError
from ..stack.fingerprint import fingerprint, keyed_with
from ..stack.password import ALPHABET, MIN_LENGTH
from ..stack.text import count

DEFAULT_FILE = Path(".env")
COMMAND_TIMEOUT = 60
NEW = f"{COMMAND} secrets new"

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")

keyed_with(key)


@dataclass(frozen=True, repr=False)
class Secret:
    """A reference to a secret by its name, for group data: `smtp_password = Secret("SMTP_PASSWORD")`."""

    name: str

    @property
    def is_name(self) -> bool:
        """False for what is no name and therefore may be the secret itself, put here by mistake."""
        return _NAME.fullmatch(str(self.name)) is not None

    def __repr__(self) -> str:
        return f"Secret({self.name!r})" if self.is_name else "Secret(not a name)"

    def to_json(self) -> str:
        """What pyinfra's debug-inventory shows."""
        return repr(self)


class SecretValue(HiddenValue):
    """The value of a secret. `unmask()` is the only way to it; two of them are compared by their SHA-256."""

    def __init__(self, value: str) -> None:
        super().__init__(value)  # type: ignore[no-untyped-call]  # pyinfra leaves it untyped

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.unmask().encode("utf-8", "surrogateescape")).hexdigest()

    @property
    def fingerprint(self) -> str:
        """What may be shown of it."""
        return fingerprint(self.sha256)

    def to_json(self) -> str:
        return str(self)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretValue):
            return NotImplemented
        return hmac.compare_digest(self.sha256, other.sha256)

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __copy__(self) -> SecretValue:
        return self

    def __deepcopy__(self, memo: object) -> SecretValue:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled: it would be readable in what comes out")


@dataclass(frozen=True)
class Sources:
    """The places that secrets are looked for in, in this order; an empty value counts as missing.

    + environ: the environment
    + secrets_file: a dotenv file that only its owner may read; None for `.env`, which may be missing
    + secrets_command: a shell command that prints NAME=value lines; run without a terminal, and once in a run
    """

    environ: Mapping[str, str] = field(repr=False)
    secrets_file: Path | None = None
    secrets_command: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, secrets_file: str | None, secrets_command: str | None) -> Sources:
        """The sources that the settings of these names describe."""
        for name, value in {"secrets_file": secrets_file, "secrets_command": secrets_command}.items():
            if not isinstance(value, str | None):
                raise SecretError(f"{name}: is a {type(value).__name__}, expected text or None.")
        path = Path(secrets_file).expanduser() if secrets_file else None
        return cls(os.environ, path, secrets_command or None)

    def resolve(self, name: str) -> SecretValue:
        """The secret of this name.

        Raises SecretError when no source has it, or when one that must be asked cannot be used.
        """
        return self.find(name)[0]

    def find(self, name: str) -> tuple[SecretValue, str]:
        """The secret of this name, and the source that has it."""
        if not Secret(name).is_name:
            raise SecretError(
                "Secret(...) holds something that is no name; it is not shown because it may be the secret itself. "
                'Write its name in capitals, Secret("SMTP_PASSWORD"), and its value into a source of secrets.'
            )
        looked = ["the environment"]
        if value := self.environ.get(name):
            return SecretValue(value), "the environment"
        file = self.secrets_file or DEFAULT_FILE
        values = _read(file, required=self.secrets_file is not None)
        looked.append(f"{file} (there is no such file)" if values is None else str(file))
        if values and (value := values.get(name)):
            return SecretValue(value), str(file)
        if self.secrets_command is None:
            looked.append("secrets_command (not set)")
        else:
            printed = _run(self.secrets_command)
            if isinstance(printed, SecretError):
                raise SecretError(printed.problems) from None
            if value := printed.get(name):
                return SecretValue(value), "secrets_command"
            looked.append(f"what secrets_command prints ({count(len(printed), 'NAME=value line')})")
        raise SecretError(
            f"{name}: there is no such secret, or it is empty. Looked in {', '.join(looked[:-1])} and {looked[-1]}. "
            f'Make one with: (umask 077; echo "{name}=$({NEW})" >> {file})'
        )


def new(length: int = 40) -> str:
    """A password that keeps the rule. It begins and ends with a letter or digit, so no tool takes it for an option."""
    ends = string.ascii_letters + string.digits
    middle = (secrets.choice(ALPHABET) for _ in range(length - 2))
    return f"{secrets.choice(ends)}{''.join(middle)}{secrets.choice(ends)}"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=f"{COMMAND} secrets", description="Secrets on the controller.")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("new", help="print a new password that keeps the rule")
    make.add_argument("--length", type=int, default=40, help=f"characters, at least {MIN_LENGTH} (default: 40)")
    check = commands.add_parser("check", help="say where a secret is found and its fingerprint, never its value")
    check.add_argument("name", metavar="NAME")
    check.add_argument("--secrets-file", help="as the setting of this name (default: .env if there is one)")
    check.add_argument("--secrets-command", help="as the setting of this name")
    given = parser.parse_args(argv)
    if given.command == "new":
        if given.length < MIN_LENGTH:
            make.error(f"--length is {given.length}, expected at least {MIN_LENGTH}")
        print(new(given.length))
        return 0
    try:
        value, source = Sources.of(given.secrets_file, given.secrets_command).find(given.name)
        print(f"{given.name}: found in {source}, fingerprint {value.fingerprint}")
    except FleetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _read(path: Path, required: bool) -> Mapping[str, str] | None:
    """The names and values of a dotenv file, or None when there is none."""
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o066:
                raise SecretError(
                    f"{path}: its mode is {mode:04o}, so others on this machine can read or change the secrets in it. "
                    f"Run: chmod 600 {path}"
                )
            return _parse(file)
    except FileNotFoundError:
        if not required:
            return None
        raise SecretError(f"secrets_file: {path} does not exist. Correct the path, or create the file with mode 0600.") from None
    except OSError as error:
        raise SecretError(f"{path}: cannot be read ({error.strerror}). Make it a file that you can read, mode 0600.") from None
    except UnicodeDecodeError:  # it holds the file's bytes
        raise SecretError(f"{path}: is not UTF-8 text. Save it as UTF-8, with one NAME=value per line.") from None


@cache
def _run(command: str) -> Mapping[str, str] | SecretError:
    """The names and values that a command prints. It runs once; a failure is kept like an answer, as every host asks.

    Neither what it prints nor its standard error is ever shown (tools like to echo what they could not decrypt), nor
    the command itself, which may hold a token. The number of lines tells a person whether it is worth running by hand.
    """
    by_hand = "Run the command by hand to see why."
    # A session of its own, so that a pipeline can be ended as a whole; so it has no terminal to ask a person on.
    process = subprocess.Popen(
        command, shell=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        output, errors = process.communicate(timeout=COMMAND_TIMEOUT)
    except BaseException as error:  # also Ctrl-C
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if not isinstance(error, subprocess.TimeoutExpired):
            raise
        return SecretError(f"secrets_command: did not end within {COMMAND_TIMEOUT} s; it cannot ask for input. {by_hand}")
    if process.returncode:
        lines = count(len(errors.splitlines()), "line")
        return SecretError(
            f"secrets_command: ended with exit status {process.returncode} and {lines} on standard error, "
            f"which may hold secrets and so is not shown. {by_hand}"
        )
    try:
        return _parse(io.StringIO(output.decode("utf-8")))
    except UnicodeDecodeError:
        return SecretError("secrets_command: printed something that is not UTF-8 text. Expected NAME=value lines.")


def _parse(text: TextIO) -> Mapping[str, str]:
    return {name: value for name, value in dotenv_values(stream=text, interpolate=False).items() if value}
