"""A folder for an operator's own catalogue. Hypothesis sets no deadline: how long an example takes tells more about the machine
than about the code. In CI its examples are the same each time; whoever works on the code looks for new ones."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from tests.unit.generators import Stage, staged
from tests.unit.stack.catalogues import Put

# Under nohup, or in a shell's background, these are ignored, and would be in every script that a test ends with them.
# A signal with a handler, even one that does nothing, is not ignored in what is started from here.
for _ignored in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(_ignored) is signal.SIG_IGN:
        signal.signal(_ignored, lambda *_: None)

settings.register_profile("unit", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("unit")


def pytest_collection_finish() -> None:
    hint = "it makes threads greenlets, and a test that waits for one hangs: what needs it runs in a process of its own"
    assert "pyinfra_cli" not in sys.modules, f"A test imports pyinfra_cli: {hint}."


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Writes a file of an operator's own catalogue: `put("web", text)`."""
    folder = tmp_path / "services.d"
    folder.mkdir()

    def write(name: str, text: str | bytes) -> Path:
        path = folder / f"{name}.yml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def folder(put: Put) -> str:
    """The operator's folder, as it is named in catalog_dirs."""
    return str(put("unused", "services: {unused: {image: scratch}}").parent)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    """Where the generators of operations are run."""
    return staged(monkeypatch, tmp_path)
