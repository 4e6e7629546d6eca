"""The report as files: JSON, HTML and JUnit XML of each run, the same as `latest.*`, and `report.prom` for Prometheus."""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..stack.errors import SettingsError
from .junit import junit
from .model import RunReport
from .page import page
from .prometheus import metrics

PROM = "report.prom"
_RUN_FILE = re.compile(r"(\d{8}T\d{6}Z-[0-9a-f]{4})\.\w+")


def write(report: RunReport, folder: Path, keep: int = 50, fleet: Collection[str] = ()) -> Path:
    """Write the report into the folder, and keep the files of the newest runs; returns the run's page.

    + folder: made when it is missing; files that are no reports stay untouched
    + keep: how many runs stay, this one among them
    + fleet: the hosts of the whole inventory, for `report.prom`

    Raises SettingsError when the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, text in _faces(report):
            replace(folder / f"{report.id}.{suffix}", text)
            replace(folder / f"latest.{suffix}", text)
        if not report.dry:  # one that runs nothing learns nothing
            with alone(folder):
                replace(folder / PROM, metrics(report, _former(folder / PROM), fleet))
        _prune(folder, keep, report.id)
    except OSError as error:
        raise SettingsError(
            f"report_dir: {folder} cannot be written to ({error.strerror}). Name a folder of your own, or make this one writable."
        ) from error
    return folder / f"{report.id}.html"


def _faces(report: RunReport) -> Iterator[tuple[str, str]]:
    yield "json", json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n"
    yield "xml", junit(report)
    yield "html", page(report)


def _former(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Shards that end at once write one after the other, so that none loses what another has learnt."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network's file system may know no locks of folders
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        with suppress(OSError):  # gevent closes it only when its loop runs next, which somebody who waits for it would hold up
            fcntl.flock(handle, fcntl.LOCK_UN)
        os.close(handle)


def replace(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part; nor what is not for it, on the way."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123 (a descriptor, not a path)
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _prune(folder: Path, keep: int, current: str) -> None:
    """Remove all files of the runs that are too old. This run stays, also when the clock went back."""
    files = {path: match[1] for path in folder.iterdir() if (match := _RUN_FILE.fullmatch(path.name))}
    others = sorted(set(files.values()) - {current}, reverse=True)
    kept = {current, *others[: max(keep - 1, 0)]}
    for path, run in files.items():
        if run not in kept:
            path.unlink(missing_ok=True)
