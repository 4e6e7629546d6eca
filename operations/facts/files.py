"""Files of the stack: what lies there, and the fingerprints of managed keys. No content ever comes back."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence

from pyinfra.api import StringCommand

from ..stack.files import EnvFile
from ..stack.snapshot import SeenFile
from .base import ScriptFact


class Files(ScriptFact[dict[str, SeenFile]]):
    """What lies at each path: kind, mode, owner and SHA-256.

    + root: the stack's folder, absolute
    + paths: paths relative to it
    """

    script = "files/seen"

    def command(self, root: str, paths: Sequence[str]) -> StringCommand:
        self.paths = tuple(paths)
        return self.ask(root=root, paths=self.paths)

    def parse(self, lines: list[str]) -> dict[str, SeenFile]:
        kinds = dict(zip(self.paths, lines, strict=False))
        there = [path for path, kind in kinds.items() if kind in ("file", "dir")]
        rest = lines[len(self.paths) :]
        stats = dict(zip(there, rest, strict=False))
        sums = dict(zip((path for path in there if kinds[path] == "file"), rest[len(there) :], strict=True))
        if len(stats) < len(there) or len(kinds) < len(set(self.paths)) or not _KINDS.issuperset(kinds.values()):
            raise ValueError("not all that was asked for")
        return {path: _seen(kind, stats.get(path, ""), sums.get(path, "")) for path, kind in kinds.items()}


def _seen(kind: str, stat: str, sha256: str) -> SeenFile:
    if not stat:
        return SeenFile(kind)
    if kind == "file" and not _SHA256.fullmatch(sha256):
        raise ValueError("no SHA-256")
    mode, owner, changed = stat.split(" ")
    return SeenFile(kind, mode.zfill(4), owner, sha256, int(changed))


_KINDS = {"file", "dir", "symlink", "other", "missing", "denied"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECRET = secrets.token_hex(16)


def _keyed(text: str) -> str:
    return hashlib.sha256(f"{_SECRET}{text}".encode()).hexdigest()


class SeenKeys(dict[str, dict[str, str] | None]):
    """Path → managed key → SHA-256 of its line; None for a file that cannot be parsed.

    + urls: path → key → its URL without the login
    """

    def __init__(self, keys: Mapping[str, dict[str, str] | None]) -> None:
        super().__init__(keys)
        self.urls: dict[str, dict[str, str]] = {}


class EnvKeys(ScriptFact[SeenKeys]):
    """The fingerprints of managed keys in env files: path → key → SHA-256 of its line, None for a file that cannot be parsed.

    A host tells digests that begin with a secret of this process, so that they cannot be worked back. So only a line that is
    known here has its own SHA-256; any other has one that fits no line, nor itself in the next process.

    + root: the stack's folder, absolute
    + files: path relative to it → the keys to look for
    + wanted: the same files as they are wanted; a host on which all are so answers in one word and not for each key
    + known: more lines to recognise
    """

    script = "env/seen"

    def command(
        self, root: str, files: Mapping[str, Sequence[str]], wanted: Sequence[EnvFile] = (), known: Sequence[str] = ()
    ) -> StringCommand:
        self.files = {path: tuple(keys) for path, keys in files.items()}
        self.wanted = {file.path: file for file in wanted}
        self.known = {_keyed(line): hashlib.sha256(line.encode()).hexdigest() for line in (*known, *_lines(wanted))}
        asked = [f"{number}/{key}" for number, keys in enumerate(self.files.values(), 1) for key in keys]
        of_url = {path: self.wanted[path].urls if path in self.wanted else frozenset() for path in self.files}
        urls = [f"{number}/{key}" for number, path in enumerate(self.files, 1) for key in sorted(of_url[path])]
        names = {"names": " ".join(asked), "urls": f" {' '.join(urls)} "}
        return self.ask(root=root, paths=tuple(files), secret=_SECRET, wanted=self._as_wanted(), **names)

    def _as_wanted(self) -> str:
        lines = [
            f"{number} {key} 1 {self.wanted[path].lines[key]}\n"
            for number, (path, keys) in enumerate(self.files.items(), 1)
            for key in keys
            if path in self.wanted and key in self.wanted[path].lines
        ]
        return _keyed("".join(lines))

    def parse(self, lines: list[str]) -> SeenKeys:
        found = SeenKeys({path: {} for path in self.files})
        if lines == ["="]:
            found.update({path: dict(file.hashes) for path, file in self.wanted.items()})
            found.urls.update({path: file.bare_urls() for path, file in self.wanted.items() if file.urls})
            return found
        for line in lines:
            number, key, *rest = line.split(" ")
            path = tuple(self.files)[int(number) - 1]
            if key == "!":
                found[path] = None
            elif (keys := found[path]) is not None and key in self.files[path]:
                count, digest, *url = rest
                # a key that stands there more than once is as good as wrong: the reader's order decides which one counts
                keys[key] = self.known.get(digest, digest) if count == "1" else ""
                if url:
                    found.urls.setdefault(path, {})[key] = url[0]
                    mine = self.wanted[path].around({key: url[0]})
                    if digest == _keyed(mine.lines[key]):
                        keys[key] = mine.hashes[key]
            else:
                raise ValueError("a key that nobody asked for")
        return found


def _lines(files: Sequence[EnvFile]) -> Iterator[str]:
    for file in files:
        yield from file.lines.values()
