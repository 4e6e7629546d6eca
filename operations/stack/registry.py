"""What services bring along besides their Compose files. They are found by name: nothing here knows one of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

_PACKAGE = __name__.rpartition(".stack.")[0]


def services() -> Any:
    """The package of the services."""
    return import_module(f"{_PACKAGE}.services")


@cache
def _modules() -> tuple[ModuleType, ...]:
    return tuple(import_module(f"{_PACKAGE}.services.{name}") for name in services().folders())


@cache
def extras() -> tuple[Any, ...]:
    """What services bring along in code: see extra.py."""
    return tuple(module.EXTRA for module in _modules() if hasattr(module, "EXTRA"))


@cache
def kinds() -> Mapping[str, type[Any]]:
    """Kinds of credentials, by their names in catalogue files: see credential.py."""
    modules = (import_module(f"{_PACKAGE}.stack.shared_key"), *_modules())
    return {kind.kind: kind for module in modules for kind in getattr(module, "KINDS", ())}
