"""Redis' exporter: it answers whether or not it can log in, so what counts are its own metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from ...facts.machine import Metrics
from ...stack.check import Check, Verdict
from ...stack.credential import Asked
from ...stack.extra import Extra
from ...stack.snapshot import UNKNOWN, Snapshot
from ...stack.stack import Stack

_NAME = "redis-exporter"
METRICS = (
    "redis_up",
    "redis_exporter_last_scrape_error",
    "redis_connected_clients",
    "redis_memory_used_bytes",
    "redis_acl_access_denied_auth_total",
    "redis_errors_total",
)


class Exporter(Extra):
    meanings: ClassVar[Mapping[str, str]] = {"exporter.scrape": "The exporter reads redis; clients, memory, denied logins."}

    def asked(self, stack: Stack, patience: int) -> Asked:
        if not stack.has(_NAME):
            return {}
        place = {"project": stack.settings.stack_name, "service": _NAME, "port": 9121}
        return {_page(stack): (Metrics, {"url": _page(stack), "names": METRICS, "patience": patience, **place})}

    def checks(self, stack: Stack, seen: Snapshot) -> Iterator[Check]:
        if stack.has(_NAME):
            yield _scrape(stack, seen)

    def said(self, service: str, stack: Stack, seen: Snapshot) -> Iterator[str]:
        metrics = seen.answer(_page(stack)) if service == _NAME else UNKNOWN
        if metrics is not UNKNOWN:
            yield from (name for name, value in metrics.items() if value and "error" in name)


def _page(stack: Stack) -> str:
    return f"http://{stack.settings.probe_address}:{stack.settings.redis_exporter_port}/metrics"


def _scrape(stack: Stack, seen: Snapshot) -> Check:
    name, values = "exporter.scrape", seen.answer(_page(stack))
    if values is UNKNOWN or "redis_up" not in values:
        return Check(
            name, Verdict.FAILED, "no metrics", "The exporter does not answer on its published port.",
            "Read `docker compose logs redis-exporter`; look whether redis_exporter_port is taken by another program.",
        )  # fmt: skip
    denied = values.get("redis_acl_access_denied_auth_total", values.get('redis_errors_total{err="WRONGPASS"}', 0.0))
    failing = [metric for metric, value in values.items() if metric.startswith("redis_exporter_last_scrape_error") and value]
    detail = (
        f"redis_up {values['redis_up']:.0f}, {values.get('redis_connected_clients', 0):.0f} clients, "
        f"{values.get('redis_memory_used_bytes', 0) / 2**20:.1f} MiB, {denied:.0f} denied logins"
    )
    if failing or values["redis_up"] != 1:
        detail = "; ".join([detail, *failing])
        cause = "The exporter cannot read redis."
        return Check(name, Verdict.FAILED, detail, cause, "Read `docker compose logs redis-exporter`, then run the deploy again.")
    return Check(name, Verdict.OK, detail)


EXTRA = Exporter()
