from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.scripts.up_sh import with_a_stack, with_compose
from tests.unit.stubs import StubHost


@pytest.fixture
def stack_host(tmp_path: Path) -> StubHost:
    """A host with a stack, whose Docker starts whatever it is told to."""
    return with_a_stack(with_compose(tmp_path))
