"""What a lab host's own metrics mean for the alert rules: a broken login fires although the exporter itself is up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.fleet.fleet import ROOT, STACK, Fleet
from tests.fleet.wait import until
from tests.lab import Host
from tests.page.tools import ran, tool

MONITORING = ROOT / "monitoring"
ALERT = "RedisExporterCannotLogIn"


def redis_up(host: Host) -> str:
    """What Prometheus reads on the host's page of metrics; fails where it would note `up 0`."""
    page = host.run("curl --silent --fail http://127.0.0.1:9121/metrics")
    return next(line.partition(" ")[2] for line in page.splitlines() if line.startswith("redis_up "))


def wanted() -> list[Any]:
    """How the alert must fire, as the rules' own tests have it."""
    tests = yaml.safe_load((MONITORING / "alerts.test.yml").read_text())["tests"]
    return next(
        one["exp_alerts"] for test in tests for one in test["alert_rule_test"] if one["alertname"] == ALERT and len(one) == 3
    )


def test_a_broken_login_of_a_host_fires(converged: Fleet, tmp_path: Path) -> None:
    host = converged.hosts[0]
    well = redis_up(host)
    host.run(
        f"cd {STACK} && sed -i -E 's#:[^:@]*@#:Another_Password-0123456789@#' env/redis-exporter.env"
        " && docker compose up --detach --no-deps redis-exporter"
    )
    until(lambda: host.succeeds("curl --silent --fail http://127.0.0.1:9121/metrics"))
    broken = redis_up(host)
    at = 'job="redis", instance="erni-1:9121"'
    test = {
        "interval": "1m",
        "input_series": [
            {"series": f"up{{{at}}}", "values": "1x20"},
            {"series": f"redis_up{{{at}}}", "values": f"{well}x4 {broken}x15"},
        ],
        "alert_rule_test": [
            {"eval_time": "4m", "alertname": ALERT},
            {"eval_time": "8m", "alertname": ALERT, "exp_alerts": wanted()},
        ],
    }
    rules = tmp_path / "alerts.yml"
    rules.write_text((MONITORING / "alerts.yml").read_text())
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": [rules.name], "evaluation_interval": "1m", "tests": [test]}))
    done = ran(tool(("promtool",), "prometheus"), "test", "rules", "test.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
