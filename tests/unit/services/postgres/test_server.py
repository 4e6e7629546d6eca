"""A login of PostgreSQL from its first role to its last, on a real server: what the fact sees, what commands do, who gets in."""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.services.postgres.credential import PostgresRole
from operations.services.postgres.facts import Postgres
from operations.services.postgres.seen import SeenPostgres
from operations.stack.build import build
from operations.stack.snapshot import UNKNOWN, Snapshot, Unknown
from operations.stack.stack import Stack
from tests.unit.postgres_server import HBA, PostgresServer, a_server
from tests.unit.stubs import StubHost

PASSWORD = "Marker_Password-0123456789"
FORMER = "Former_Password-9876543210"
_owners = (f"app{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with a_server() as running:
        yield running


class TheStack:
    """A stack with a PostgreSQL, on a host: what it does there with one password or another."""

    def __init__(self, host: StubHost, server: PostgresServer) -> None:
        self.host, self.server, self.owner = host, server, next(_owners)
        server.serves(host)

    def login(self, password: str = PASSWORD) -> tuple[Stack, PostgresRole]:
        data = {
            "services": ["postgres"], "postgres_user": self.owner, "postgres_db": self.owner, "stack_dir": str(self.host.root),
            "postgres_vectors": False,
        }  # fmt: skip
        stack = build(data, {"postgres_password": password})
        found = stack.credential("postgres")
        assert isinstance(found, PostgresRole)
        return stack, found

    def put(self, password: str = PASSWORD) -> None:
        """The password's file is written, as the operation for files does it."""
        for file in self.login(password)[1].files():
            self.host.write(file.path, file.content)

    def asked(self, password: str = PASSWORD) -> SeenPostgres | Unknown:
        stack, login = self.login(password)
        (_, arguments), fact = login.asked(stack)["postgres"], Postgres()
        return fact.process(self.host.command(fact.command(**arguments)).stdout.splitlines())

    def look(self, password: str = PASSWORD) -> SeenPostgres:
        found = self.asked(password)
        assert found is not UNKNOWN
        return found

    def seen(self, password: str = PASSWORD) -> Snapshot:
        return Snapshot(files={}, env={}, containers=(), answers={"postgres": self.asked(password)})

    def accept(self, password: str = PASSWORD) -> None:
        stack, login = self.login(password)
        seen = self.seen(password)
        for command in login.accept(stack, seen, login.plan(stack, seen, [])):
            self.well(self.host.command(command))

    def retire(self, password: str = PASSWORD) -> None:
        stack, login = self.login(password)
        for command in login.retire(stack, self.seen(password)):
            self.well(self.host.command(command))

    def after_start(self, password: str = PASSWORD) -> None:
        stack, login = self.login(password)
        self.well(self.host.command(login.after_starting(stack, Snapshot(containers=()))))

    def gets_in(self, password: str = PASSWORD) -> str:
        return self.server.login(self.login(password)[1].role, password, self.owner)

    @staticmethod
    def well(done: subprocess.CompletedProcess[str]) -> None:
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.fixture
def stack(tmp_path: Path, server: PostgresServer) -> TheStack:
    return TheStack(StubHost(tmp_path), server)


@pytest.fixture
def former(stack: TheStack) -> TheStack:
    """A stack on which the former password was rolled out."""
    stack.put(FORMER)
    stack.accept(FORMER)
    return stack


# What PostgreSQL is told, and says


def test_the_first_login_makes_owner_database_and_role(stack: TheStack, server: PostgresServer) -> None:
    stack.accept()
    assert stack.gets_in() == stack.owner
    role = stack.login()[1].role
    assert server.rows(f"SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '{stack.owner}'") == [stack.owner]
    roles = server.rows(f"SELECT rolname, rolcanlogin, rolsuper FROM pg_roles WHERE rolname ~ '^{stack.owner}(_|$)' ORDER BY 1")
    assert roles == [f"{stack.owner}|f|f", f"{role}|t|f"]


def test_what_is_taken_is_what_the_controller_made(stack: TheStack) -> None:
    before = stack.look()
    assert (before.owner, before.database, before.roles, before.login) == (False, False, (), "")
    stack.accept()
    stack.put()
    found, login = stack.look(), stack.login()[1]
    assert (found.asks, found.login, found.owner, found.database) == ("scram", stack.owner, True, True)
    assert login.takes(stack.seen())
    assert login.accepted(stack.seen()) == login.logins


def test_accepting_again_changes_nothing(stack: TheStack, server: PostgresServer) -> None:
    stack.accept()
    before = server.rows("SELECT oid, rolname, rolpassword FROM pg_authid ORDER BY 1")
    stack.accept()
    assert server.rows("SELECT oid, rolname, rolpassword FROM pg_authid ORDER BY 1") == before


def test_another_password_is_refused_and_so_is_none(stack: TheStack, server: PostgresServer) -> None:
    stack.accept()
    role = stack.login()[1].role
    assert "password authentication failed" in server.login(role, FORMER, stack.owner)
    assert "no password supplied" in server.login(role, "", stack.owner)


def test_a_login_that_is_not_in_the_file_is_not_tried(former: TheStack, server: PostgresServer) -> None:
    logged = server.log.stat().st_size
    assert former.look().login == ""
    with server.log.open() as log:
        log.seek(logged)
        assert "FATAL" not in log.read()


def test_what_was_changed_by_hand_is_seen_and_put_right(stack: TheStack, server: PostgresServer) -> None:
    stack.accept()
    stack.put()
    login = stack.login()[1]
    for statement in (
        f"ALTER ROLE {login.role} PASSWORD 'another'",
        f"ALTER ROLE {login.role} NOLOGIN",
        f"ALTER ROLE {login.role} RESET role",
        f"REVOKE {stack.owner} FROM {login.role}",
        f"DROP ROLE {login.role}",
    ):
        server.psql(statement)
        assert not login.takes(stack.seen()), statement
        stack.accept()
        assert login.takes(stack.seen()), statement
        assert stack.look().login == stack.owner


def test_a_server_that_lets_everybody_in_is_seen(tmp_path: Path) -> None:
    with a_server(HBA.replace("scram-sha-256", "trust")) as open_to_all:
        assert TheStack(StubHost(tmp_path), open_to_all).look().asks == "nothing"


def test_a_server_that_asks_for_the_password_itself_is_not_told(tmp_path: Path) -> None:
    with a_server(HBA.replace("scram-sha-256", "password")) as server:
        stack = TheStack(StubHost(tmp_path), server)
        stack.accept()
        stack.put()
        assert stack.gets_in() == stack.owner
        assert (stack.look().asks, stack.look().login) == ("password", "")


def test_a_superuser_that_is_not_let_in_says_why(tmp_path: Path) -> None:
    with a_server() as server:
        stack = TheStack(StubHost(tmp_path), server)
        (server.data / "pg_hba.conf").write_text(HBA.replace("local all all trust", "local all all reject"))
        subprocess.run(["kill", "-HUP", (server.data / "postmaster.pid").read_text().split()[0]], check=True)
        until = time.monotonic() + 10
        while not stack.look().denied:
            assert time.monotonic() < until
        assert "pg_hba.conf rejects connection" in stack.look().denied
        (server.data / "pg_hba.conf").write_text(HBA)


def test_another_hosts_server_is_asked_what_it_wants_and_no_more(stack: TheStack, server: PostgresServer) -> None:
    fact = Postgres()
    command = fact.command(str(stack.host.root), "erni-ki", "postgres", "app_1234", "app", "app", at=f"{server.address}:5432")
    assert fact.process(stack.host.command(command).stdout.splitlines()) == SeenPostgres("scram")
    nobody = fact.command(str(stack.host.root), "erni-ki", "postgres", "app_1234", "app", "app", at=f"{server.address}:5433")
    assert fact.process(stack.host.command(nobody).stdout.splitlines()) == SeenPostgres("")
    assert stack.host.calls("docker") == []


# A rollout


def test_both_are_accepted_until_the_previous_one_is_retired(former: TheStack, server: PostgresServer) -> None:
    former.accept()
    assert (former.gets_in(), former.gets_in(FORMER)) == (former.owner, former.owner)
    former.put()
    former.retire()
    assert former.gets_in() == former.owner
    assert "is not permitted to log in" in former.gets_in(FORMER)
    assert former.login()[1].others(former.seen()) == ()
    # the next one is made, and the first one is gone
    former.accept("Another_Password-0123456789")
    assert former.login(FORMER)[1].role not in server.rows("SELECT rolname FROM pg_roles")
    assert former.gets_in() == former.owner


def test_what_was_retired_is_accepted_again_where_a_client_turns_out_to_need_it(former: TheStack) -> None:
    former.accept()
    stack, login = former.login()
    before = former.seen()
    former.retire()
    for command in login.again(stack, before, login.plan(stack, before, [])):
        former.well(former.host.command(command))
    assert (former.gets_in(), former.gets_in(FORMER)) == (former.owner, former.owner)


def test_what_one_login_made_is_the_owners_and_stays(former: TheStack, server: PostgresServer) -> None:
    for statement in ("CREATE TABLE acts (n int)", "RESET role; SET role none; CREATE SCHEMA mine; CREATE TABLE mine.t (n int)"):
        server.psql(f"GRANT CREATE ON DATABASE {former.owner} TO {former.login(FORMER)[1].role}")
        assert server.login(former.login(FORMER)[1].role, FORMER, former.owner, statement) == ""
    former.accept()
    former.retire()
    former.accept()
    owners = server.rows("SELECT relname, pg_get_userbyid(relowner) FROM pg_class WHERE relname IN ('acts', 't')", former.owner)
    assert sorted(owners) == [f"acts|{former.owner}", f"t|{former.owner}"]
    assert (
        server.login(former.login()[1].role, PASSWORD, former.owner, "INSERT INTO mine.t VALUES (1); SELECT n FROM mine.t") == "1"
    )


def test_a_role_that_something_elsewhere_belongs_to_stays_and_is_refused(former: TheStack, server: PostgresServer) -> None:
    role = former.login(FORMER)[1].role
    server.psql(f"CREATE TABLE of_{former.owner} (n int)")
    server.psql(f"ALTER TABLE of_{former.owner} OWNER TO {role}")
    former.accept()
    former.retire()
    former.accept()
    assert server.rows(f"SELECT rolcanlogin FROM pg_authid WHERE rolname = '{role}'") == ["f"]
    assert former.login()[1].others(former.seen()) == ()
    # and may come back
    former.accept(FORMER)
    assert former.gets_in(FORMER) == former.owner


def test_sessions_of_the_previous_password_end_with_it_and_no_others(former: TheStack, server: PostgresServer) -> None:
    former.accept()
    old, new = former.login(FORMER)[1].role, former.login()[1].role
    with server.session(old, FORMER, former.owner) as one, server.session(new, PASSWORD, former.owner) as other:
        users = {session.user for session in former.look().sessions}
        assert {old, new} <= users
        former.retire()
        assert {session.user for session in former.look().sessions} == {new}
        assert one.stdin
        one.stdin.write("SELECT 1;\n")
        assert "terminating connection" in one.communicate()[1]
        assert other.poll() is None


def test_no_login_fails_during_rollouts_under_load(stack: TheStack, server: PostgresServer) -> None:
    passwords = [f"{PASSWORD}-{number}" for number in range(4)]
    stack.accept(passwords[0])
    current, failed, done, counted = [passwords[0]], list[str](), threading.Event(), [0]

    def client() -> None:
        while not done.is_set():
            password = current[0]
            if (said := stack.gets_in(password)) != stack.owner:
                failed.append(said)
            counted[0] += 1

    clients = [threading.Thread(target=client) for _ in range(3)]
    for one in clients:
        one.start()
    started = server.rows("SELECT pg_postmaster_start_time()")
    try:
        for password in passwords[1:]:
            stack.accept(password)
            before = counted[0]
            current[0] = password
            while counted[0] < before + 2 * len(clients):  # each has begun anew
                time.sleep(0.01)
            stack.retire(password)
    finally:
        done.set()
        for one in clients:
            one.join()
    assert failed == []
    assert counted[0] > 20
    assert server.rows("SELECT pg_postmaster_start_time()") == started


def test_after_a_roll_back_the_new_login_goes_and_the_previous_one_stays(former: TheStack) -> None:
    before = former.seen()
    former.accept()
    stack, login = former.login()
    for command in login.back(stack, before, former.seen()):
        former.well(former.host.command(command))
    assert former.gets_in(FORMER) == former.owner
    assert "is not permitted to log in" in former.gets_in()


def test_a_server_that_was_just_started_is_told_before_its_clients_start(stack: TheStack) -> None:
    stack.after_start()
    assert stack.gets_in() == stack.owner


def test_one_that_was_started_from_kept_data_takes_the_desired_password_alone(former: TheStack) -> None:
    former.after_start()
    assert former.gets_in() == former.owner
    assert "password authentication failed" in former.gets_in(FORMER)


# One that was there before


def test_the_owner_of_a_running_database_stays_its_owner_and_loses_its_own_password(
    stack: TheStack, server: PostgresServer
) -> None:
    server.psql(f"CREATE ROLE {stack.owner} LOGIN PASSWORD '{FORMER}'")
    server.psql(f"CREATE DATABASE {stack.owner} OWNER {stack.owner}")
    assert server.login(stack.owner, FORMER, stack.owner, "CREATE TABLE old (n int)") == ""
    with server.session(stack.owner, FORMER, stack.owner):
        stack.accept()
        stack.put()
        assert stack.gets_in() == stack.owner
        assert server.login(stack.owner, FORMER, stack.owner) == stack.owner
        assert [role.name for role in stack.login()[1].others(stack.seen())] == [stack.owner]
        stack.retire()
    assert "password authentication failed" in server.login(stack.owner, FORMER, stack.owner)
    assert server.login(stack.owner, FORMER, stack.owner) != stack.owner
    # over the socket, for a person or a backup
    assert server.rows(f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{stack.owner}'") == ["t"]
    stack.accept("Another_Password-0123456789")
    assert server.rows(f"SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = '{stack.owner}'") == ["t"]
    role = stack.login()[1].role
    assert (
        server.login(role, PASSWORD, stack.owner, "ALTER TABLE old ADD m int; INSERT INTO old VALUES (1, 2); SELECT m FROM old")
        == "2"
    )


def test_the_exporters_login_reads_statistics_and_owns_nothing(stack: TheStack, server: PostgresServer) -> None:
    data = {"services": ["postgres", "postgres-exporter"], "stack_dir": str(stack.host.root), "postgres_user": stack.owner}
    built = build(data, {"postgres_password": PASSWORD, "postgres_exporter_password": FORMER})
    monitor = built.credential("postgres_monitor")
    stack.accept()
    stack.well(stack.host.command(monitor.after_starting(built, Snapshot(containers=()))))
    in_ = ("SELECT pg_has_role('pg_monitor', 'usage')", "SELECT query <> '<insufficient privilege>' FROM pg_stat_activity LIMIT 1")
    assert [server.login(monitor.role, FORMER, "postgres", statement) for statement in in_] == ["t", "t"]
    assert "permission denied" in server.login(monitor.role, FORMER, stack.owner, "CREATE TABLE mine (n int)")


# What nobody may see


def test_no_password_and_no_verifier_is_logged_or_in_a_process_list(former: TheStack, server: PostgresServer) -> None:
    before = len(server.log.read_text())
    former.accept()
    former.put()
    former.look()
    former.retire()
    logged, shown = server.log.read_text()[before:], former.host.shown_to_processes()
    assert "duration: " in logged
    for secret in (PASSWORD, FORMER, former.login()[1].verifier, "SCRAM-SHA-256$4096"):
        assert secret not in logged
        assert secret not in shown


def test_a_look_leaves_nothing_in_the_servers_log_that_was_wrong(stack: TheStack, server: PostgresServer) -> None:
    stack.accept()
    stack.put()
    before = len(server.log.read_text())
    assert (stack.look().asks, stack.look().login) == ("scram", stack.owner)
    assert not any(word in server.log.read_text()[before:] for word in ("FATAL", "ERROR", "could not"))


def test_what_fails_is_said_without_the_verifier(former: TheStack, server: PostgresServer) -> None:
    server.psql("ALTER SYSTEM SET default_transaction_read_only = on")
    server.psql("SELECT pg_reload_conf()")
    try:
        while server.rows("SHOW default_transaction_read_only") != ["on"]:
            time.sleep(0.05)
        stack, login = former.login()
        (command,) = login.accept(stack, former.seen(), login.plan(stack, former.seen(), []))
        done = former.host.command(command)
        assert done.returncode == 1
        assert "postgres did not change who may log in" in done.stderr
        assert "read-only transaction" in done.stderr
        assert "4096:" not in done.stderr
    finally:
        server.psql("SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only", check=False)
        server.psql("SELECT pg_reload_conf()")
