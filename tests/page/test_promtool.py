"""What Prometheus makes of report.prom, the alert rules and the dashboard."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml

from operations.report import RunReport
from operations.report.prometheus import metrics

from .fleets import HOSTILE, NOW, fleet, host
from .tools import Tool, ran

MONITORING = Path(__file__).parents[2] / "monitoring"
OURS = re.compile(r"pyinfra_compose_\w+")


def test_promtool_accepts_the_metrics(promtool: Tool) -> None:
    odd = RunReport("20261124T150102Z-3f9a", NOW, NOW, {}, (host(HOSTILE, "unreachable", error=HOSTILE),))
    for report in (fleet(20, 3), odd):
        done = ran(promtool, "check", "metrics", stdin=metrics(report))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_alerts_fire_when_they_should(promtool: Tool) -> None:
    for words in (("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")):
        done = ran(promtool, *words, cwd=MONITORING)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_test() -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yml").read_text())
    tests = yaml.safe_load((MONITORING / "alerts.test.yml").read_text())
    fired = {rule["alertname"] for test in tests["tests"] for rule in test["alert_rule_test"] if rule.get("exp_alerts")}
    assert fired == {rule["alert"] for group in rules["groups"] for rule in group["rules"]}


def test_the_dashboard_asks_what_prometheus_understands(promtool: Tool, tmp_path: Path) -> None:
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries = [query.replace("$__rate_interval", "5m") for query in asked]
    rules = [{"record": f"query:{n}", "expr": query} for n, query in enumerate(queries)]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = ran(promtool, "check", "rules", "rules.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"redis_connected_clients", "redis_memory_used_bytes", "redis_up", "redis_acl_access_denied_auth_total"} <= set(
        re.findall(r"\bredis_\w+", " ".join(asked))
    )
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_rules_and_dashboard_use_metrics_that_there_are() -> None:
    known = set(OURS.findall(metrics(fleet(8, 3))))
    used = OURS.findall((MONITORING / "alerts.yml").read_text() + (MONITORING / "dashboard.json").read_text())
    assert set(used) <= known
