"""A folder a service: its Compose file, and what it needs besides. Nothing outside knows one of them by its name."""

from __future__ import annotations

from pathlib import Path

DEFAULT = ("watchtower", "redis", "redis-exporter", "openwebui")  # the stack of the guide


def folders() -> list[str]:
    """Those that have code."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py") if path.stat().st_size)
