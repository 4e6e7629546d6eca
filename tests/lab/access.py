"""What SSH and pyinfra need to reach the hosts: a key, the hosts' own keys, the inventory, and the stack's secrets."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .hosts import Host
from .images import SERVICES, in_hosts
from .machine import Checkout, LabError, run
from .packages import fetch_tools, with_tools

# What differs from the project's defaults. Tests wait for health, so it is looked at often, above all at the start;
# more often than this, the checks alone take a third of two cores on three hosts.
SETTINGS: dict[str, Any] = {
    **{setting: in_hosts(image) for setting, image in SERVICES.items()},
    "pull": "never",
    **{
        f"{service}_health_{name}": value
        for service in ("watchtower", "redis", "openwebui")
        for name, value in {"interval": "5s", "timeout": "3s", "retries": 2, "start_period": "5s"}.items()
    },
    "health_start_interval": "300ms",
    "start_timeout": 60,
}

REACHED = {
    "ssh_hostname": "127.0.0.1",
    "ssh_key": "ssh/key",  # relative to the inventory
    "ssh_known_hosts_file": "ssh/known_hosts",
    "ssh_strict_host_key_checking": "yes",
    "ssh_allow_agent": False,
    "ssh_look_for_keys": False,
}


def inventory(checkout: Checkout) -> Path:
    return checkout.lab / "hosts.yml"


def read_inventory(checkout: Checkout) -> dict[str, dict[str, Any]]:
    """The hosts that the last `up` left: name → data."""
    if not inventory(checkout).exists():
        raise LabError("The lab is not up. Start it with: python -m tests.lab up")
    hosts: dict[str, dict[str, Any]] = yaml.safe_load(inventory(checkout).read_text())["lab"]["hosts"]
    return hosts


def write_inventory(checkout: Checkout, hosts: Iterable[Host]) -> None:
    group = {
        "hosts": {host.name: _data(host) for host in hosts},
        "data": {**REACHED, **SETTINGS, "secrets_file": str(_secrets(checkout))},
    }
    text = yaml.safe_dump({"lab": group}, sort_keys=False)
    _write(inventory(checkout), f"# The lab's hosts. Written by `python -m tests.lab up`, every time anew.\n{text}")


def know(checkout: Checkout, keys: Mapping[Host, str], keep: bool = False) -> None:
    """Write the hosts' own keys for SSH to know; with `keep` beside those of other hosts."""
    path = checkout.lab / "ssh/known_hosts"
    known = dict(line.split(" ", 1) for line in path.read_text().splitlines()) if keep else {}
    known |= {f"[127.0.0.1]:{host.port}": " ".join(key.split()[:2]) for host, key in keys.items()}
    _write(path, "".join(f"{name} {key}\n" for name, key in known.items()))


def make_key(checkout: Checkout) -> None:
    """The key that all hosts are reached with."""
    key = checkout.lab / "ssh/key"
    if key.with_suffix(".pub").exists():
        return
    shutil.rmtree(key.parent, ignore_errors=True)
    key.parent.mkdir(mode=0o700)
    words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", checkout.slug, "-f", key)
    if shutil.which("ssh-keygen"):
        run(*words)
    else:
        fetch_tools(checkout)
        run(*with_tools(checkout, *words))


def public_key(checkout: Checkout) -> str:
    return (checkout.lab / "ssh/key.pub").read_text().strip()


def make_secrets(checkout: Checkout) -> None:
    """A password for the stack; one that is there stays."""
    if not _secrets(checkout).exists():
        from operations.controller.secrets import new  # takes longer than an `up` that finds all well

        _write(_secrets(checkout), f"REDIS_PASSWORD={new()}\n")


def _secrets(checkout: Checkout) -> Path:
    return checkout.lab / "secrets.env"


def _data(host: Host) -> dict[str, Any]:
    data: dict[str, Any] = {"ssh_port": host.port, "ssh_user": host.user, "lab_address": host.address}
    return data if host.user == "root" else {**data, "_sudo": True}


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    if path.exists() and path.read_text() == text:
        return
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.rename(path)
