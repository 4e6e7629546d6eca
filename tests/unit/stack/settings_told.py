"""The defaults of the settings, and the problems that are told of some."""

from __future__ import annotations

from typing import Any

import pytest

from operations.stack.catalogue import catalogue
from operations.stack.errors import SettingsError
from operations.stack.settings import Settings, declared


def defaults() -> dict[str, Any]:
    return Settings().all()


def shown() -> dict[str, Any]:
    """Those that an operator sees: the general ones, and the ones of the services that a stack has by default."""
    others = {name: one for name, one in catalogue().items() if name not in Settings().services}
    return {name: value for name, value in defaults().items() if name not in declared(others)}


def problems(**data: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.parse(data)
    return caught.value.problems


def only_problem(**data: Any) -> str:
    (problem,) = problems(**data)
    return problem
