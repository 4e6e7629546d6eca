"""What a service brings along besides its Compose file, where that does not do. Each method does nothing by default. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, ClassVar

from .check import Check
from .credential import Asked
from .settings import Settings
from .snapshot import Snapshot
from .stack import Stack


class Extra:
    """A service's folder has one as `EXTRA` in its `__init__.py`.

    + about_desired: the ids of checks that compare the host with the desired state
    + meanings: what each of its checks says when it is ok, by its id
    """

    about_desired: Collection[str] = ()
    meanings: ClassVar[Mapping[str, str]] = {}

    def problems(self, settings: Settings) -> Iterator[str]:
        """What is wrong with its settings, as sentences."""
        return iter(())

    def values(self, settings: Settings) -> Mapping[str, Any]:
        """Further names for templates."""
        return {}

    def asked(self, stack: Stack, patience: int) -> Asked:
        """The facts that a snapshot asks for it; `patience`: seconds that what was just started is given to answer."""
        return {}

    def checks(self, stack: Stack, seen: Snapshot) -> Iterator[Check]:
        """What a person would ask about it."""
        return iter(())

    def said(self, service: str, stack: Stack, seen: Snapshot) -> Iterator[str]:
        """What else is known of a service, for the table of causes."""
        return iter(())
