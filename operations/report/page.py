"""The report as one HTML file: it needs no network, nothing that a host said can run in it, and it holds what the JSON form holds.

A text, check or diff that many hosts have in common is written once, in a pool that hosts point into: so 1,000 hosts stay small.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..stack.text import count
from .model import HostReport, RunReport, Step
from .terminal import summary

_TEMPLATES = Path(__file__).parent / "templates"
# in the order in which they build on one another
_SCRIPTS = ("elements", "hosts", "failures", "matrix", "services", "timeline", "changes", "details", "filter")


def page(report: RunReport) -> str:
    """The page as text."""
    files = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    files.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    style, *scripts = (_text(name) for name in ("page.css", *(f"script/{name}.js" for name in _SCRIPTS)))
    script = '"use strict";\n{\n' + "\n".join(scripts) + "}\n"
    return files.get_template("page.html").render(
        report=report,
        title=_title(report),
        summary=summary(report),
        data=data(report),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def data(report: RunReport) -> dict[str, Any]:
    """What the page's script draws from; numbers in it are places in `pool`, and times seconds since the start of the run."""
    pool = _Pool()
    ids = dict.fromkeys(check.id for host in report.hosts for check in host.checks)
    hosts = [_host(host, report.started, pool) for host in report.hosts]
    return {"checks": list(ids), "hosts": hosts, "pool": pool.values, "started": report.started.timestamp()}


def _host(host: HostReport, began: datetime, pool: Callable[[Any], int]) -> dict[str, Any]:
    told = host.to_dict()
    return {
        "name": host.name,
        "status": host.status,
        "error": pool(host.error),
        "checks": [pool(check) for check in told["checks"]],
        "services": pool(told["services"]),
        "files": pool(told["files"]),
        "changes": pool(told["changes"]),
        "steps": [[pool([step.name, step.result]), *_times(step, began)] for step in host.steps],
        "password": host.password_changed,
    }


def _times(step: Step, began: datetime) -> tuple[float, ...]:
    """When it began, and how long it took."""
    if not step.started or not step.finished:
        return ()
    return tuple(round(span.total_seconds(), 3) for span in (step.started - began, step.finished - step.started))


class _Pool:
    """Values, each once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[str, int] = {}

    def __call__(self, value: Any) -> int:
        place = self._places.setdefault(json.dumps(value), len(self.values))
        if place == len(self.values):
            self.values.append(value)
        return place


def _title(report: RunReport) -> str:
    hosts = len(report.hosts)
    bad = sum(not host.ok for host in report.hosts)
    every = "The host is" if hosts == 1 else f"All {hosts} hosts are"
    if bad or not hosts:
        return f"{bad} of {hosts} hosts {'is' if bad == 1 else 'are'} not well" if hosts else "There was no host"
    warnings = sum(len(host.warnings) for host in report.hosts)
    warned = f", with {count(warnings, 'warning')}" if warnings else ""
    return f"{every} {'ready for this plan' if report.dry else 'well'}{warned}"


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """How a Content-Security-Policy names the one style or script that it lets in."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
