"""What the other ways write: the files of our own stack, as Jinja templates and as archives for tar."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from operations.controller.observe import questions
from operations.facts.bundle import Bundle
from operations.stack.build import build
from operations.stack.files import EnvFile, File, ManagedFile
from operations.stack.stack import BASE, OVERLAY, Stack
from tests.unit.stack.hosts import ACL_PATH, redis_of, shared, shared_acl

PASSWORD = "{{ redis_password }}"
DIGEST = "{{ redis_password_sha256 }}"
_OURS = ("COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR")  # the others have one Compose file


class Alone(yaml.SafeLoader):
    """Reads a fragment that lies over no other file: `!reset` takes nothing out, and `!override` is the value itself."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        node.value = [(key, value) for key, value in node.value if value.tag != "!reset"]
        return super().construct_mapping(node, deep)


def _list(loader: Alone, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node, deep=True)


Alone.add_constructor("!override", _list)


def stack(data: dict[str, Any], password: str) -> Stack:
    """The stack that these settings describe, with this password."""
    given = {name: value for name, value in data.items() if not name.startswith("ssh_")}
    return build(given, {"redis_password": password})


def snapshot(wanted: Stack) -> str:
    """The one program that a converged run sends, shell text."""
    return str(Bundle().command(questions(wanted)).connector_arguments["_stdin"])


def templates(wanted: Stack, folder: Path) -> Path:
    """A folder of templates that make the same services: one Compose file, .env, env files, and redis' two secret files.

    + wanted: a stack whose password is `PASSWORD`
    """
    services: dict[str, Any] = {}
    for fragment in wanted.fragments(start_interval=True):
        services |= yaml.load(fragment.content, Alone)["services"]
    dotenv = "".join(f"{line}\n" for key, line in wanted.dotenv.lines.items() if key not in _OURS)
    texts = {BASE: yaml.safe_dump({"services": services}, sort_keys=False), ".env": dotenv}
    files: list[ManagedFile] = [*wanted.env_files, *wanted.secret_files()]
    texts |= {file.path: _text(file) for file in files}
    for path, text in {**texts, ACL_PATH: shared_acl(DIGEST)}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def whole(wanted: Stack) -> list[ManagedFile]:
    """Every file of the stack."""
    fragments = wanted.fragments(start_interval=True)
    own = File(OVERLAY, "0600", "services: {}\n")  # there is no file of the project's own that it would be made from
    return [*wanted.base(), wanted.dotenv, *fragments, own, wanted.manifest(), *wanted.env_files, *wanted.secret_files()]


def unpacked(files: Iterable[ManagedFile]) -> str:
    """Shell text that writes these files below the current folder."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for file in files:
            content = _text(file).encode()
            entry = tarfile.TarInfo(file.path)
            entry.size, entry.mode = len(content), int(file.mode.removeprefix("keep"), 8)
            archive.addfile(entry, io.BytesIO(content))
    return f"base64 -d <<'END' | tar -xf - || exit 1\n{base64.encodebytes(packed.getvalue()).decode()}END\n"


def _text(file: ManagedFile) -> str:
    return "".join(f"{line}\n" for line in file.lines.values()) if isinstance(file, EnvFile) else file.content


def digest(wanted: Stack) -> str:
    """SHA-256 of the password."""
    return redis_of(wanted).digest


def accepting(wanted: Stack, *hashes: str) -> list[File]:
    """redis' ACL file with these hashes."""
    redis = redis_of(wanted)
    return [redis.acl(shared(*hashes) or redis.logins, redis.rights)]


def for_clients(wanted: Stack) -> list[ManagedFile]:
    """The files that tell the password to those who log in."""
    return [*wanted.env_files, *(file for file in wanted.secret_files() if file.path != ACL_PATH)]
