"""What can go wrong, one class per meaning. A message says where, what was found, what was expected, and what now."""

from __future__ import annotations

from collections.abc import Sequence


class FleetError(Exception):
    """Anything that this project itself finds wrong; holds one problem or several."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)


class SettingsError(FleetError):
    """A setting has a value that it cannot have."""


class SecretError(FleetError):
    """A secret is in none of its sources, a source cannot be used, or it breaks its rule. Never shows the value."""


class InventoryError(FleetError):
    """The hosts cannot be read, or there are none."""


class CatalogueError(FleetError):
    """A file of the catalogue does not say what it should."""


class CertificateError(FleetError):
    """A certificate is not there and cannot be issued, or is not what it should be. Never shows a private key."""
