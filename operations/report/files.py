"""The report as files: one for each run, and `latest.json` for other programs."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

from ..stack.errors import SettingsError
from .model import RunReport

_RUN_FILE = re.compile(r"(\d{8}T\d{6}Z-[0-9a-f]{4})\.\w+")


def write(report: RunReport, folder: Path, keep: int = 50) -> Path:
    """Write the report into the folder, and keep the files of the newest runs; returns the run's own file.

    + folder: made when it is missing; files that are no reports stay untouched
    + keep: how many runs stay, this one among them

    Raises SettingsError when the folder cannot be written to.
    """
    text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False) + "\n"
    path = folder / f"{report.id}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(path, text)
        _replace(folder / "latest.json", text)
        _prune(folder, keep, report.id)
    except OSError as error:
        raise SettingsError(
            f"report_dir: {folder} cannot be written to ({error.strerror}). Name a folder of your own, or make this one writable."
        ) from error
    return path


def _replace(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123 (a descriptor, not a path)
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
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
