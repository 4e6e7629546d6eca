"""Files of the stack: what lies there, and the fingerprints of managed keys. No content ever comes back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pyinfra.api import StringCommand

from ..stack.snapshot import SeenFile
from ..stack.stack import EnvFile
from .base import ScriptFact


class Files(ScriptFact[dict[str, SeenFile]]):
    """What lies at each path: kind, mode, owner and SHA-256.

    + root: the stack's folder, absolute
    + paths: paths relative to it
    """

    script = "seen.sh"

    def command(self, root: str, paths: Sequence[str]) -> StringCommand:
        return self.run(root, *paths)

    def parse(self, lines: list[str]) -> dict[str, SeenFile]:
        found = {}
        for line in lines:
            path, kind, mode, owner, _size, mtime, sha256 = line.split("\t")
            found[path] = SeenFile(kind, mode.zfill(4), owner, sha256, int(mtime)) if kind == "file" else SeenFile(kind)
        return found


class EnvKeys(ScriptFact[dict[str, dict[str, str] | None]]):
    """The fingerprints of managed keys in env files: path → key → SHA-256 of its line; None for a file that cannot be parsed.

    + root: the stack's folder, absolute
    + files: path relative to it → the keys to look for
    + wanted: the same files as they are wanted; a host on which all are so answers in one word and not for each key
    """

    script = "env_seen.sh"

    def command(self, root: str, files: Mapping[str, Sequence[str]], wanted: Sequence[EnvFile] = ()) -> StringCommand:
        self.paths = tuple(files)
        self.wanted = tuple(wanted)
        words: list[str] = []
        for path, keys in files.items():
            words += [*(["--"] if words else []), path, *keys]
        records = "".join(file.records for file in wanted)
        return self.run(root, hashlib.sha256(records.encode()).hexdigest(), *words)

    def parse(self, lines: list[str]) -> dict[str, dict[str, str] | None]:
        if lines == ["="]:
            return {file.path: dict(file.hashes) for file in self.wanted}
        found: dict[str, dict[str, str] | None] = {path: {} for path in self.paths}
        for line in lines:
            path, key, *rest = line.split("\t")
            keys = found[path]
            if key == "!":
                found[path] = None
            elif keys is not None:
                # a key that stands there more than once is as good as wrong: the reader's order decides which one counts
                keys[key] = rest[1] if rest[0] == "1" else ""
        return found
