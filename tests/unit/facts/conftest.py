from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.stubs import StubHost


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    return StubHost(tmp_path)
