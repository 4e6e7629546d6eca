"""The defaults of the settings, and the problems that are told of some."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from operations.stack.errors import SettingsError
from operations.stack.settings import Settings


def defaults() -> dict[str, Any]:
    settings = Settings()
    return {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings)}


def problems(**data: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.parse(data)
    return caught.value.problems


def only_problem(**data: Any) -> str:
    (problem,) = problems(**data)
    return problem
