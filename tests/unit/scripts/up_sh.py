"""A host on which services/up runs, with a stand-in for Docker, and what came of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from operations import scripts
from operations.scripts import Parameter
from tests.unit.stubs import StubHost

PASSWORD = "Marker_Password-0123456789"
OLD_PASSWORD = "Former_Password-9876543210"


DOCKER_UP = r"""
service_of() { for word; do case $word in label=com.docker.compose.service=*) echo "${word##*=}" ;; esac; done; }
case "$*" in
*.Names*) printf '%s\n' redis=erni-ki-redis-1 web=erni-ki-web-1 db=erni-ki-db-1 && exit ;;
*--dry-run*) sed 's/.*/ DRY-RUN MODE -  Container &  Recreate/' "$HOME/touched" && exit ;;
*"{{.State}} {{.Status}}"*) echo "id-of-running-watchtower watchtower running Up 2 minutes (healthy)" && exit ;;
*config-hash*) for one in web redis; do echo "$one id-of-$one label-of-$one"; done; exit ;;
esac
case "$1 $2" in
"ps --quiet") echo "id-of-running-$(service_of "$@")" ;;
"ps --all") [ ! -e "$HOME/gone-$(service_of "$@")" ] && echo "id-of-$(service_of "$@")" ;;
"compose up")
    for word; do last=$word; done
    printf ' Container erni-ki-%s-1  Creating\n Container erni-ki-%s-1  Created\n' "$last" "$last"
    echo ' Container x  Waiting'
    echo "pulled with @PASSWORD@ from redis://:another-secret@redis:6379"
    for word; do
        [ "$word" != "$(cat "$HOME/bad" 2>/dev/null)" ] || {
            echo "dependency failed to start: container is unhealthy, @PASSWORD@"
            exit 1
        }
    done ;;
"inspect --format")
    case $3 in
    "{{if .State.Health}}{{.State.Health.Status}}"*) echo healthy ;;
    *Health.Log*) printf 'AUTH @PASSWORD@ failed\nNOAUTH Authentication required.\n' ;;
    *) cat "$HOME/state" 2>/dev/null || echo running, healthy ;;
    esac ;;
"logs --tail")
    [ ! -e "$HOME/log" ] || exec cat "$HOME/log"
    echo "connecting to redis://:@OLD@@redis:6379/0 with @PASSWORD@@PASSWORD@" >&2
    echo "giving up" ;;
esac
exit 0
""".replace("@PASSWORD@", PASSWORD).replace("@OLD@", OLD_PASSWORD)

TOLD = '{"definitions": {"web": "d"}, "needs": {"web": []}, "starter": "docker"}'
INPUTS = ("compose.yml", ".env", "compose.d/redis.yml")


def with_compose(tmp_path: Path) -> StubHost:
    """A host whose Compose tells its version."""
    host = StubHost(tmp_path)
    host.with_compose("echo 2.99")
    return host


def with_a_stack(host: StubHost) -> StubHost:
    """The host, on which a stack lies, and a Docker that starts whatever it is told to."""
    host.stub("docker", DOCKER_UP)
    host.stub("sync")
    for path in INPUTS:
        host.write(path, f"this is {path}\n")
    host.write("env/web.env", f"URL=redis://:{PASSWORD}@redis\n")
    host.write("secrets/redis/password", f"{OLD_PASSWORD}\n")
    return host


def up(host: StubHost, *tiers: str, **given: Parameter) -> subprocess.CompletedProcess[str]:
    """Starts these tiers, each its services parted by blanks; `given`: further parameters of the script, or others."""
    names = [service for tier in tiers for service in tier.split()]
    services = {name: {"definition": f"definition-of-{name}", "file": f"env/{name}.env"} for name in names}
    parameters: dict[str, Parameter] = {
        "root": str(host.root), "project": "erni-ki", "seconds": 300, "pull": "missing", "removed": (), "removed_files": (),
        "tiers": tiers, "rolling": (), "recreate": (), "restart": (), "resting": ["watchtower"], "doubt": False,
        "starter": "compose", "before": "", "after": "", "inputs": INPUTS, "digest": "", "described": TOLD, "version": "2.26.1",
        "services": json.dumps(services), "masks": PASSWORD,
    }  # fmt: skip
    return host.command(scripts.run("containers/up", **parameters | given))


def fleet_files(host: StubHost) -> set[str]:
    """What lies in .fleet, but for the mutex and what is known of Compose."""
    return {path.name for path in (host.root / ".fleet").iterdir()} - {"mutex", "compose"}


def ups(host: StubHost) -> list[list[str]]:
    return [call[2:] for call in host.calls("docker") if call[:2] == ["compose", "up"]]


def applied(host: StubHost) -> Any:
    return json.loads((host.root / ".fleet" / "applied.json").read_text())
