"""From nothing to validated, and again with nothing to do."""

from __future__ import annotations

from tests.fleet.fleet import SERVICES, Fleet, containers, files


def test_a_first_run_provisions_and_a_second_changes_nothing(shared: Fleet) -> None:
    first = shared.deploy()
    assert first.ok, first.output
    before = {host.name: (containers(host), files(host), host.sessions()) for host in shared.hosts}
    second = shared.deploy()
    assert second.ok, second.output
    for host in shared.hosts:
        assert set(containers(host)) == set(SERVICES)
        assert first.host(host.name)["status"] == "changed"
        assert second.host(host.name)["status"] == "ok"
        assert (second.changes(host.name), second.bad_checks(host.name)) == ([], [])
        assert (containers(host), files(host)) == before[host.name][:2]
        # a converged host costs one SSH exec, with all checks
        assert host.sessions() - before[host.name][2] == 1
    assert "] Success" not in second.output
