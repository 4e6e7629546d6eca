"""What goes over the wire between hosts: `with Wire(host, 6379, 6380) as wire: … ; wire.stop()`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.fleet.wait import until
from tests.lab import Host
from tests.lab.images import in_hosts

_NAME = "wire"
# Reads the needles, a line each, then every packet of eth0 from and to these TCP ports until SIGTERM. Prints for each port how many
# bytes there were, and which of the needles it saw in them.
LISTENER = """
import collections, json, signal, socket, sys
needles = [line.encode() for line in sys.argv[1].split(",")]
ports = [int(word) for word in sys.argv[2:]]
seen = {port: {"bytes": 0, "needles": []} for port in ports}
def end(*_):
    print(json.dumps(seen), flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
wire.bind(("eth0", 0))
tails = collections.defaultdict(bytes)
print("listens", flush=True)
while True:
    packet = wire.recv(65536)
    if packet[0] >> 4 != 4 or packet[9] != 6:
        continue
    segment = packet[(packet[0] & 15) * 4 : int.from_bytes(packet[2:4], "big")]
    pair = int.from_bytes(segment[:2], "big"), int.from_bytes(segment[2:4], "big")
    data = segment[(segment[12] >> 4) * 4 :]
    for port in set(pair).intersection(ports):
        seen[port]["bytes"] += len(data)
        stream = packet[12:20], pair
        text = tails[stream] + data  # what is parted between two packets
        seen[port]["needles"] += [n.decode() for n in needles if n in text and n.decode() not in seen[port]["needles"]]
        tails[stream] = text[-200:]
"""


class Wire:
    """Everything that a host sends and gets on some ports."""

    def __init__(self, host: Host, ports: Sequence[int], needles: Sequence[str]) -> None:
        self.host, self.ports, self.needles = host, ports, needles
        self.seen: Mapping[str, Mapping[str, Any]] = {}

    def __enter__(self) -> Wire:
        self.host.run(
            f"""
            docker rm --force {_NAME} >/dev/null 2>&1
            script=$(cat) && docker run --detach --name {_NAME} --network host --cap-add NET_RAW --pull never \
                {in_hosts("openwebui-standin")} python3 -c "$script" '{",".join(self.needles)}' {" ".join(map(str, self.ports))}
            """,
            stdin=LISTENER,
        )
        until(lambda: "listens" in self._logs(), 30)
        return self

    def __exit__(self, *_: object) -> None:
        self.host.run(f"docker rm --force {_NAME}", check=False)

    def stop(self) -> Mapping[str, Mapping[str, Any]]:
        """Port → how many bytes went over it, and which of the needles were in them."""
        self.host.run(f"docker stop --time 30 {_NAME}")
        self.seen = json.loads(self._logs().splitlines()[-1])
        return self.seen

    def _logs(self) -> str:
        return self.host.run(f"docker logs {_NAME} 2>&1", check=False)
