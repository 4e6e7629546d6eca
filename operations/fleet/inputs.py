"""What a run on this machine depends on, as digests, so that workers can be compared: `python -m ...fleet.inputs`.

A process of its own, for the inventory and the sources of secrets are pyinfra's side. The digests are keyed with a key that is
made for one run: a secret can neither be worked back from them nor be followed from run to run.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..controller.inventory import PATHS, find
from ..controller.secrets import Sources
from ..stack.errors import FleetError, InventoryError, SecretError
from ..stack.settings import Settings
from . import inventory

_PACKAGE = Path(__file__).parents[1]
_CODE = (".py", ".sh", ".awk", ".yml", ".j2")


def digests(key: bytes, words: Sequence[str]) -> dict[str, str]:
    """What a run depends on, in words → its digest.

    + words: of pyinfra's command line

    Raises FleetError with every problem at once, such as a secret that is missing here.
    """
    return {
        name: hmac.new(key, json.dumps([name, value], sort_keys=True).encode(), hashlib.sha256).hexdigest()
        for name, value in _parts(sorted(inventory.read(words), key=lambda one: str(one["name"])))
    }


def _parts(hosts: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    yield "pyinfra's version", version("pyinfra")
    yield "the code of pyinfra-compose", _contents(_PACKAGE, (path for path in _PACKAGE.rglob("*") if path.suffix in _CODE))
    here = Path()
    for name in ("inventory", ".env"):
        if Path(name).is_file():
            yield name, _contents(here, [Path(name)])
    for path in (*here.glob("*.py"), *here.glob("group_data/**/*.py")):
        yield str(path), _contents(here, [path])
    with suppress(InventoryError, OSError):  # an inventory of one's own may have no such file
        yield "the file of the hosts", hashlib.sha256(find(here).read_bytes()).hexdigest()
    yield "the hosts and their groups", [[one["name"], sorted(one["groups"])] for one in hosts]
    data = [one["data"] for one in hosts]
    for name in sorted({name for one in data for name in one}.difference(PATHS)):
        yield f"the setting {name}", [one.get(name) for one in data]
    for lock in sorted({str(one.get("images_lock", Settings.images_lock)) for one in data}):
        if Path(lock).is_file():
            yield lock, hashlib.sha256(Path(lock).read_bytes()).hexdigest()
    for folder in sorted({folder for one in data for folder in _texts(one.get("catalog_dirs"))}):
        yield f"the catalogue in {folder}", _contents(Path(folder), Path(folder).glob("*.yml"))
    for folder in sorted({one["tls_dir"] for one in data if isinstance(one.get("tls_dir"), str)}):
        yield f"the authorities in {folder}", _contents(Path(folder), Path(folder).glob("trusted.crt"))
    yield from _secrets(data)


def _contents(folder: Path, paths: Iterable[Path]) -> list[list[str]]:
    return sorted([str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()] for path in paths)


def _texts(value: Any) -> Iterator[str]:
    """What is not of the right type is told by the shards' own runs."""
    yield from (one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _secrets(data: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Every secret's values: one from each pair of `secrets_file` and `secrets_command` that hosts have."""
    sources: dict[str, list[tuple[Any, Any]]] = {}
    for host in data:
        source = (host.get("secrets_file"), host.get("secrets_command"))
        for name in inventory.secrets_of(host):
            if source not in (known := sources.setdefault(name, [])):
                known.append(source)
    problems: dict[str, None] = {}
    for name, known in sorted(sources.items()):
        values = []
        for source in known:
            try:
                values.append(Sources.of(*source).resolve(name).unmask())
            except SecretError as error:
                problems.update(dict.fromkeys(error.problems))
        yield f"the secret {name}", values
    if problems:
        raise SecretError(list(problems))


def main() -> None:
    """The key comes over standard input, the digests or the problems go to standard output."""
    try:
        answer: Mapping[str, Any] = {"digests": digests(bytes.fromhex(sys.stdin.read()), sys.argv[1:])}
    except FleetError as error:
        answer = {"problems": error.problems}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
