"""The key of the fingerprints that this controller shows: made on first use, in a file that only its user can read."""

from __future__ import annotations

import os
import re
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from ..stack.errors import SettingsError

VARIABLE = "FLEET_FINGERPRINT_KEY"  # in the environment: the key, where several controllers or shards are to share one
_KEY = re.compile(r"[0-9a-f]{64}")


def key() -> bytes:
    """The key: that of the environment, else the one in the file; one of this process alone where no file can be written.

    Raises SettingsError when the one in the environment is none.
    """
    given = os.environ.get(VARIABLE)
    if given and not _KEY.fullmatch(given):
        raise SettingsError(f"{VARIABLE}: is not 64 hex digits. Make a key with: openssl rand -hex 32")
    try:
        return bytes.fromhex(given or _kept(path()))
    except (OSError, RuntimeError):  # RuntimeError: this user has no home
        return secrets.token_bytes(32)


def path() -> Path:
    """The file: `$XDG_STATE_HOME/pyinfra-compose/fingerprint.key`."""
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state.startswith("/") else Path.home() / ".local/state") / "pyinfra-compose" / "fingerprint.key"


def _kept(file: Path) -> str:
    if found := _read(file):
        return found
    made = secrets.token_hex(32)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent)  # 0600
    mine = Path(name)
    try:
        with open(handle, "w") as temporary:  # noqa: PTH123 (a descriptor, not a path)
            temporary.write(f"{made}\n")
        file.unlink(missing_ok=True)  # others could read it, or it is none
        with suppress(FileExistsError):  # another process was faster
            file.hardlink_to(mine)
    finally:
        mine.unlink()
    return _read(file) or made


def _read(file: Path) -> str:
    """The key in the file; "" where there is none that others could not read."""
    try:
        with file.open(encoding="ascii", errors="replace") as opened:
            private = not stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077
            text = opened.read(66).strip()
    except FileNotFoundError:
        return ""
    return text if private and _KEY.fullmatch(text) else ""
