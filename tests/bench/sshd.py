"""Hosts that are an sshd alone: what the controller and the connections cost. All of them are in one container, each on a port of
its own, and answer as a converged host did."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from operations.facts.base import NONCE
from tests.fleet.fleet import PYINFRA
from tests.lab import Host, Lab
from tests.lab.machine import say

from .measure import Command, counted, of_a_host, run
from .recording import Recording, record
from .results import Measured

FIRST = 30000  # the first host's port
WAYS = ("ours", "exec", "floor")

START = r"""
mkdir -p /srv/bench && cd /srv/bench && cat >answer
cat >answering <<'END'
#!/bin/sh
case $SSH_ORIGINAL_COMMAND in *bash*)
    theirs=$(sed -n "s/.*'\([0-9a-f]*\) bundle-end'.*/\1/p")
    exec sed "s/@NONCE@/$theirs/" /srv/bench/answer ;;
esac
exec sh -c "$SSH_ORIGINAL_COMMAND"
END
chmod 755 answering
for port in $(seq @FIRST@ @LAST@); do
    [ -e "$port.pid" ] || /usr/sbin/sshd -p "$port" -E /var/log/sshd.log -o PidFile="/srv/bench/$port.pid" \
        -o ForceCommand=/srv/bench/answering || exit 1
done
cat /etc/ssh/ssh_host_ed25519_key.pub
"""


def measure(hosts: int, times: int, ways: Sequence[str]) -> Iterator[Measured]:
    """A converged run; pyinfra that runs `true` on each host; and bare ssh with the same question. In turns."""
    docker, carrier = Lab.here().up(1, bare=1)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        recording = record(docker, folder / "recorded")
        commands = _commands(folder, carrier, recording, hosts)
        for turn in range(times):
            for way in (way for way in WAYS if way in ways):
                before = counted([carrier])
                cost = run(commands[way], folder / "log")
                execs, traffic = (count / hosts for count in of_a_host(before, counted([carrier])))
                say(f"{hosts} sshd, turn {turn + 1} of {times}: {way}: {cost.wall:.2f} s, {cost.cpu:.2f} s of CPU")
                yield Measured("converged", way, replace(cost, execs=execs, traffic=traffic))


def _commands(folder: Path, carrier: Host, recording: Recording, hosts: int) -> dict[str, Command]:
    start = START.replace("@NONCE@", NONCE).replace("@FIRST@", str(FIRST)).replace("@LAST@", str(FIRST + hosts - 1))
    key = " ".join(carrier.run(start, stdin=recording.answer).split()[:2])
    known = folder / "known_hosts"
    known.write_text("".join(f"[{carrier.address}]:{port} {key}\n" for port in range(FIRST, FIRST + hosts)))
    common: dict[str, Any] = {
        "ssh_hostname": carrier.address,
        "ssh_user": "root",
        "ssh_known_hosts_file": str(known),
    }
    names = {f"sshd-{n + 1}": {**common, "ssh_port": FIRST + n} for n in range(hosts)}
    ours = recording.command(folder / "ours", names, "-y")
    reached = replace(ours, words=[str(PYINFRA), "-y", "inventory", "exec", "--", "true"])
    return {"ours": ours, "exec": reached, "floor": _floor(folder, carrier, recording, known, hosts)}


def _floor(folder: Path, carrier: Host, recording: Recording, known: Path, hosts: int) -> Command:
    question = folder / "question"
    question.write_text(recording.question)
    words = ["ssh", "-F", "none", "-o", f"UserKnownHostsFile={known}", "-o", "IdentitiesOnly=yes"]
    words += ["-i", str(carrier.checkout.lab / "ssh/key"), f"root@{carrier.address}"]
    # forty at a time, as pyinfra does on two cores
    answer = f'{folder}/answer-"$0"'
    each = f'{shlex.join(words)} -p "$0" "bash -s" <{question} >{answer} && grep -q bundle-end {answer}'
    ports = f"seq {FIRST} {FIRST + hosts - 1}"
    return Command(["sh", "-c", f"{ports} | xargs -P 40 -n 1 sh -c {shlex.quote(each)}"])
