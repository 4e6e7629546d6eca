"""What redis holds goes to another container by replication: clients wait once, shortly, and nothing is lost."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from operations.controller.secrets import new
from tests.fleet import erni_ki
from tests.fleet.erni_ki import ask, by_hand, keys, pictures, settled, write_keys
from tests.fleet.fleet import STACK, Fleet, Run, files, wipe
from tests.fleet.passwords import accepted, accepts, digest
from tests.fleet.test_adopt import N8N, WATCHTOWER, assert_well
from tests.fleet.witness import Witness
from tests.lab import Host
from tests.lab.images import in_hosts

LONGEST_WRITE, LONGEST_AWAY = 1000, 2000  # ms
IMAGE = "lab/redis-of-tomorrow:latest"  # the same redis under another name and id

# 100 of each: what expires, streams with a group that has not acknowledged everything, and all of it as one line
MIXED = """
if ARGV[1] == 'write' then
    for n = 1, 100 do
        redis.call('SET', 'ends:' .. n, n, 'EX', 100000 + n)
        redis.call('SET', 'soon:' .. n, n, 'PX', 5000 + 200 * n)
        local stream = 'stream:' .. n
        for entry = 1, 5 do redis.call('XADD', stream, entry .. '-1', 'field', n) end
        redis.call('XGROUP', 'CREATE', stream, 'group', '0')
        redis.call('XREADGROUP', 'GROUP', 'group', 'me', 'COUNT', '3', 'STREAMS', stream, '>')
        redis.call('XACK', stream, 'group', '1-1')
    end
end
local seen = {}
for n = 1, 100 do
    local stream = 'stream:' .. n
    seen[#seen + 1] = table.concat({
        redis.call('GET', 'ends:' .. n) or '-', redis.call('EXPIRETIME', 'ends:' .. n), redis.call('XLEN', stream),
        redis.call('XPENDING', stream, 'group')[1], cjson.encode(redis.call('XRANGE', stream, '-', '+')),
    }, ' ')
end
return redis.sha1hex(table.concat(seen, ';'))
"""
FILL = "for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do redis.call('SET', 'many:' .. n, string.rep('x', 60) .. n) end"


@pytest.fixture
def host(hosts: list[Host]) -> Host:
    return hosts[0]


@pytest.fixture
def operator(host: Host, tmp_path: Path) -> Fleet:
    """Redis, Open WebUI and n8n run by hand, with 10,000 keys in redis' container."""
    wipe(host)
    fleet = erni_ki.operator(
        tmp_path, host, services=["watchtower", "redis", "openwebui"], watchtower_image=WATCHTOWER, clients=N8N
    )
    former = erni_ki.password()
    (tmp_path / "former").write_text(former)
    erni_ki.lay(host, "small", former)
    erni_ki.start(host)
    write_keys(host, former)
    settled(host, {"openwebui", "n8n"}, former)
    return fleet


def former(fleet: Fleet) -> str:
    return (fleet.folder / "former").read_text()


def redis_of(host: Host) -> str:
    """The container that is redis, the only one."""
    (found,) = host.run("docker ps --all --quiet --filter label=com.docker.compose.service=redis").split()
    return found


def nothing_is_left(host: Host) -> None:
    """Of a move, on the host."""
    assert redis_of(host)
    assert host.run("docker network ls --quiet --filter name=-move") == ""
    assert host.run(f"ls -d {STACK}/.fleet/moving {STACK}/data/redis.* 2>/dev/null", check=False) == ""


def restart(host: Host) -> None:
    """Redis reads what is on the disk."""
    by_hand(host, "restart redis")
    by_hand(host, "up --detach --wait")


def figures(run: Run, host: Host) -> tuple[int, int]:
    """How long writes waited and how long redis was away, in ms, as the run says it."""
    told = "\n".join(run.changes(host.name))
    found = re.search(r"by replication: \d+ keys; writes waited (\d+) ms, redis was away (\d+) ms", told)
    assert found, run.output
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("many", [100_000, 2_000_000])
def test_clients_wait_once_and_nothing_is_lost(operator: Fleet, many: int, capsys: pytest.CaptureFixture[str]) -> None:
    host, old = operator.hosts[0], former(operator)
    for first in range(1, many, 100_000):
        ask(host, old, str(first), str(min(first + 99_999, many)), script=FILL)
    wanted, mixed = keys(host, old), ask(host, old, "write", script=MIXED)
    before = pictures(host)["redis"]

    with Witness(host) as witness:
        run = operator.deploy(timeout=900)
    waited, away = figures(run, host)
    noticed = sum(end - start for start, end, _ in witness.outages)
    with capsys.disabled():
        print(f"\n{many} keys: writes waited {waited} ms, redis was away {away} ms; clients were not served for {noticed:.2f} s")
    assert_well(run, host)
    assert pictures(host)["redis"]["container"] != before["container"]
    assert witness.lost == 0
    assert witness.refused == []
    assert waited < LONGEST_WRITE
    assert away < LONGEST_AWAY
    assert 1000 * noticed < LONGEST_AWAY
    assert (keys(host, operator.password), ask(host, operator.password, "read", script=MIXED)) == (wanted, mixed)
    assert int(ask(host, operator.password, "EXISTS", "many:1", f"many:{many}")) == 2
    nothing_is_left(host)
    # it is Compose's own container: nothing is left to do for anybody
    seen = pictures(host)
    assert operator.deploy().changes(host.name) == []
    by_hand(host, "up --detach")
    assert pictures(host) == seen
    # what it holds is on the disk
    restart(host)
    assert keys(host, operator.password) == wanted


def test_another_image_takes_over_in_the_same_folder(operator: Fleet) -> None:
    host = operator.hosts[0]
    wanted = keys(host, former(operator))
    assert_well(operator.deploy(), host)
    another_image(host)
    operator.settings.update(redis_image=IMAGE, redis_flavour="stack")
    with Witness(host) as witness:
        run = operator.deploy()
    assert run.host(host.name)["status"] == "changed", run.output
    assert witness.lost == 0
    assert figures(run, host)[1] < LONGEST_AWAY
    assert keys(host, operator.password) == wanted
    assert host.run(f"docker inspect --format '{{{{.Config.Image}}}}' {redis_of(host)}").strip() == IMAGE
    nothing_is_left(host)
    restart(host)
    assert keys(host, operator.password) == wanted
    assert operator.deploy().changes(host.name) == []


def another_image(host: Host, *changes: str) -> None:
    """The lab's redis as another image, with these changes to it."""
    given = " ".join(f"--change '{change}'" for change in ("LABEL of=tomorrow", *changes))
    host.run(
        f'made=$(docker create {in_hosts("redis-stack-standin")}) && docker commit {given} "$made" {IMAGE} && docker rm "$made"'
    )


def test_a_redis_that_is_published_keeps_its_port(operator: Fleet) -> None:
    host = operator.hosts[0]
    host.run(f'cd {STACK} && sed -i \'s#^    volumes: ."./data/redis.*#&\\n    ports: ["127.0.0.1:6379:6379"]#\' compose.yml')
    by_hand(host, "up --detach --wait")
    write_keys(host, former(operator))
    wanted = keys(host, former(operator))
    operator.settings["redis_publish"] = "127.0.0.1"
    assert_well(operator.deploy(), host)
    assert keys(host, operator.password) == wanted
    said = host.run("exec bash", stdin="exec 3<>/dev/tcp/127.0.0.1/6379; printf 'PING\\r\\nQUIT\\r\\n' >&3; cat <&3")
    assert "NOAUTH" in said


def test_an_image_that_cannot_follow_changes_nothing(operator: Fleet) -> None:
    host, old = operator.hosts[0], former(operator)
    wanted, before = keys(host, old), pictures(host)["redis"]
    another_image(host, "ENV PATH=/nowhere:/usr/bin:/bin", "ENV REDIS_DATA_DIR=/proc")
    operator.settings.update(redis_image=IMAGE, redis_flavour="stack")
    run = operator.deploy()
    assert not run.ok
    assert "it runs as before" in (run.output), run.output
    assert pictures(host)["redis"] == before
    assert keys(host, old) == wanted
    nothing_is_left(host)


def test_data_is_copied_where_that_is_wanted(operator: Fleet) -> None:
    host = operator.hosts[0]
    wanted = keys(host, former(operator))
    operator.settings["redis_move"] = "copy"
    assert_well(operator.deploy(), host)
    assert keys(host, operator.password) == wanted


# the script that moves is killed where Docker tells of this, with all that it has started: filters and actions of `docker events`
STEPS = {
    "the second redis was made": "type=container event=create",
    "there is a network for both": "type=network event=create",
    "the second one was started": "type=container event=start",
    "the old one has ended": "type=container event=die",
    "the new one has its network": "type=network event=connect 4",
    "the old one was removed": "type=container event=destroy",
    "the network for both is gone": "type=network event=destroy",
}
KILL = f"""
exec 3< <(exec docker events --since "$now" --filter "$kind" --filter "$event")
while read -r -t 200 -u 3 line; do
    [ "$kind" = type=network ] || case $line in *service=redis,*|*service=redis\\)*) ;; *) continue ;; esac
    left=$((left - 1))
    [ $left -gt 0 ] || break
done
for process in /proc/[0-9]*; do
    [ "$(readlink "$process/fd/9")" != {STACK}/.fleet/mutex ] || kill -9 "${{process#/proc/}}"
done
"""


@pytest.mark.parametrize("step", STEPS)
def test_a_move_that_is_killed_is_ended_by_the_next_run(operator: Fleet, step: str) -> None:
    host, old = operator.hosts[0], former(operator)
    wanted = keys(host, old)
    operator.settings["rollback_on_failure"] = False
    kind, event, *left = STEPS[step].split()
    now = host.run("date +%s").strip()
    run = operator.start()
    host.run(
        'exec timeout 200 bash -c "$(cat)"',
        stdin=f"now={now} kind={kind} event={event} left={''.join(left) or 1}\n{KILL}",
        timeout=240,
    )
    said, _ = run.communicate(timeout=300)
    assert run.returncode, said
    again = operator.deploy()
    assert_well(again, host)
    assert keys(host, operator.password) == wanted
    assert accepted(host, operator.password) == {digest(operator.password)}
    nothing_is_left(host)
    seen = (pictures(host), files(host))
    assert operator.deploy().changes(host.name) == []
    by_hand(host, "up --detach")
    assert (pictures(host), files(host)) == seen


def test_a_move_is_taken_back_by_a_move(operator: Fleet) -> None:
    host, old = operator.hosts[0], former(operator)
    wanted = keys(host, old)
    assert_well(operator.deploy(), host)
    first = host.run(f"ls {STACK}/backups").split()[0]
    # as long as redis lets the previous password in, it goes back by replication
    restored = operator.module("operations", "backup", "restore", first, "--limit", host.name)
    assert restored.ok, restored.output
    assert accepts(host, old)
    assert keys(host, old) == wanted
    nothing_is_left(host)
    operator.password = new()
    assert_well(operator.deploy(), host)
    assert keys(host, operator.password) == wanted
