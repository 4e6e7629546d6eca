"""A real PostgreSQL on a loopback address of its own, with pg_hba.conf as the image makes it, and a `docker` that leads to it."""

from __future__ import annotations

import os
import pwd
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.lab import packages
from tests.lab.machine import run
from tests.unit.dockers_api import a_container, docker_answers
from tests.unit.stubs import StubHost

FETCHED = Path(__file__).parents[2] / ".lab" / "postgresql"
# the socket in the container, where whoever is there needs no password
HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all all scram-sha-256\n"
SETTINGS = {
    "fsync": "off",
    "log_statement": "ddl",
    "log_min_duration_statement": "0",
    "max_connections": "60",
    "shared_buffers": "16MB",
}


@cache
def programs() -> Path:
    """The folder with PostgreSQL's programs: the machine's own, else fetched with apt and unpacked below .lab."""
    for where in (Path("/"), FETCHED):
        if found := sorted(where.glob("usr/lib/postgresql/*/bin/postgres")):
            return found[-1].parent
    archives = FETCHED / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    packages._apt(
        *("--yes", "--download-only", "--no-install-recommends", "-o", f"Dir::Cache::archives={archives}", "install", "postgresql")
    )
    for package in sorted(archives.glob("*.deb")):
        run("dpkg", "-x", package, FETCHED)
    return next(FETCHED.glob("usr/lib/postgresql/*/bin/postgres")).parent


class PostgresServer:
    """It runs for as long as its `running` lasts.

    + address: where it listens, on port 5432
    + socket: the folder of its socket
    """

    def __init__(self, folder: Path, hba: str = HBA) -> None:
        self.folder, self.data, self.socket, self.log = folder, folder / "data", folder / "run", folder / "log"
        self.address = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(2, 250)}"
        self.socket.mkdir()
        self.log.touch()
        # PostgreSQL does not run as root
        self.user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None
        if self.user is not None:
            folder.chmod(0o755)
            for path in (self.socket, self.log, folder):
                os.chown(path, self.user, -1)
        self._run("initdb", "--pgdata", self.data, "--username", "postgres", "--auth", "trust", "--no-sync", "--locale", "C.UTF-8")
        (self.data / "pg_hba.conf").write_text(hba)

    @contextmanager
    def running(self) -> Iterator[PostgresServer]:
        settings = {"listen_addresses": self.address, "unix_socket_directories": str(self.socket), **SETTINGS}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("a") as log:
            process = subprocess.Popen(
                [programs() / "postgres", "-D", self.data, *words], stdout=log, stderr=log, user=self.user, env=self._environment()
            )
        try:
            until = time.monotonic() + 30
            while self.psql("SELECT 1", check=False).returncode:
                assert time.monotonic() < until, self.log.read_text()
                time.sleep(0.05)
            yield self
        finally:
            process.terminate()
            process.wait(30)

    def psql(self, statement: str, db: str = "postgres", check: bool = True) -> subprocess.CompletedProcess[str]:
        """What the superuser gets for a statement, over the socket."""
        return self._run("psql", "-XAtq", "-h", self.socket, "-U", "postgres", "-d", db, "-c", statement, check=check)

    def rows(self, statement: str, db: str = "postgres") -> list[str]:
        return self.psql(statement, db).stdout.splitlines()

    def login(self, user: str, password: str, db: str, statement: str = "SELECT current_user") -> str:
        """What somebody who logs in over the network gets, or why nobody is let in."""
        words = ("psql", "-XAtqw", "-h", self.address, "-U", user, "-d", db, "-c", statement)
        done = self._run(*words, check=False, PGPASSWORD=password)
        return (done.stdout or done.stderr).strip()

    @contextmanager
    def session(self, user: str, password: str, db: str) -> Iterator[subprocess.Popen[str]]:
        """A client that stays logged in, and does nothing."""
        words = [str(programs() / "psql"), "-XAtqw", "-h", self.address, "-U", user, "-d", db]
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**self._environment(), "PGPASSWORD": password},
        )  # fmt: skip
        assert process.stdin
        assert process.stdout
        process.stdin.write("SELECT 'in';\n")
        process.stdin.flush()
        assert process.stdout.readline() == "in\n"
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def serves(self, host: StubHost) -> None:
        """On this host Docker says that it is the stack's, and leads into its container."""
        docker_answers(host, a_container("postgres", networks={"erni-ki_default": self.address}))
        library = (
            f"LD_LIBRARY_PATH='{self._environment().get('LD_LIBRARY_PATH', '')}' " if programs().is_relative_to(FETCHED) else ""
        )
        host.stub(
            "docker", f'[ "$1" = exec ] && shift 3 && PATH="{programs()}:$PATH" PGHOST=\'{self.socket}\' {library}exec "$@"\n'
        )

    def _run(self, name: str, *words: str | Path, check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [programs() / name, *words], capture_output=True, text=True, check=check, user=self.user, timeout=60, cwd="/",
            env={**self._environment(), **env},
        )  # fmt: skip

    @staticmethod
    def _environment() -> dict[str, str]:
        libraries = sorted({str(path.parent) for path in FETCHED.glob("usr/lib/*-linux-*/*.so*")})
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **({"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {})}


@contextmanager
def a_server(hba: str = HBA) -> Iterator[PostgresServer]:
    """One that is gone afterwards. A socket's path must be short."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        with PostgresServer(folder, hba).running() as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)
