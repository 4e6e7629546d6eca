"""The same work with pyinfra's own operations: `pyinfra inventory deploy.py`, as its documentation shows them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pyinfra.operations import docker, files, server

STACK = "/opt/erni-ki"
FILES = {
    "compose.yml": "644",
    ".env": "644",
    "env/redis.env": "600",
    "env/redis-exporter.env": "600",
    "env/openwebui.env": "600",
    "secrets/redis/password": "600",
}
HEALTH = "for i in $(seq 240); do curl -fs -o /dev/null http://127.0.0.1:8080/health && exit; sleep 0.25; done; exit 1"
METRICS = "for i in $(seq 40); do curl -fs http://127.0.0.1:9121/metrics | grep -q '^redis_up 1' && exit; sleep 0.25; done; exit 1"

password = os.environ["BENCH_PASSWORD"]
digest = hashlib.sha256(password.encode()).hexdigest()
templates = Path(os.environ["BENCH_TEMPLATES"])

for folder in ("env", "secrets/redis"):
    files.directory(name=f"{folder} is there", path=f"{STACK}/{folder}", mode="700")

acl = files.template(
    name="Redis' ACL file is written",
    src=str(templates / "secrets/redis/users.acl"),
    dest=f"{STACK}/secrets/redis/users.acl",
    mode="600",
    redis_password_sha256=digest,
)
for path, mode in FILES.items():
    source = str(templates / path)
    files.template(name=f"{path} is written", src=source, dest=f"{STACK}/{path}", mode=mode, redis_password=password)

server.shell(
    name="Redis reads a changed ACL file",
    commands=["docker ps --quiet --filter label=com.docker.compose.service=redis | xargs --no-run-if-empty docker restart"],
    _if=acl.did_change,
)
docker.compose(name="Services run", project_directory=STACK, pull="never", remove_orphans=False)
checks = [path.read_text() for path in sorted((Path(__file__).parent / "checks").glob("*.sh"))]
server.shell(name="Every check is ok", commands=[HEALTH, METRICS, *checks], _shell_executable="bash")
