"""What is to be done about a login of PostgreSQL, what is said of it, and what keeps it from being taken over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from operations.controller.observe import questions
from operations.services.postgres.credential import PostgresRole
from operations.services.postgres.scram import login_role, verifier
from operations.services.postgres.seen import SeenPostgres, SeenRole, SeenSession
from operations.stack.build import build
from operations.stack.credential import Login, sha256
from operations.stack.errors import SettingsError
from operations.stack.plan import plan
from operations.stack.snapshot import SeenDefinition, SeenOwn, Snapshot
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.catalogues import definition, env_of
from tests.unit.stack.hosts import (
    OLD_PASSWORD,
    PASSWORD,
    STARTED,
    a_stack,
    bare,
    converged,
    postgres_of,
    with_answer,
    with_container,
    without_container,
)

SERVICES = ["watchtower", "redis", "postgres", "openwebui"]
OWN: dict[str, Any] = {
    "services": ["watchtower", "redis", "openwebui"],
    "postgres_service": "db",
    "postgres_user": "chief",
    "postgres_db": "chat",
}
AT = "10.0.0.5:5432"


def stack(password: str = PASSWORD, at: str | None = None, **data: Any) -> Stack:
    secrets = {"redis_password": PASSWORD, "postgres_password": password}
    return build({"services": SERVICES, **data}, secrets, {"postgres": at} if at else None)


def login(of: Stack) -> PostgresRole:
    return next(one for one in postgres_of(of) if one.name == "postgres")


def answering(**changes: Any) -> Callable[[Snapshot], Snapshot]:
    """PostgreSQL answers otherwise in `changes`: asks, login, roles, sessions …"""

    def drift(seen: Snapshot) -> Snapshot:
        return with_answer("postgres", replace(seen.answer("postgres"), **changes))(seen)

    return drift


def with_db(seen: Snapshot) -> Snapshot:
    """The project's own server runs beside the stack's services, as the service db."""
    (app,) = seen.of("openwebui")
    assert isinstance(seen.containers, tuple)
    return replace(seen, containers=(*seen.containers, replace(app, id="db", service="db", addresses=("172.18.0.99",))))


def bad(of: Stack, seen: Snapshot) -> dict[str, str]:
    return {check.id: check.detail for check in checks(of, seen) if not check.verdict.good}


# What the stack has


def test_a_stack_without_it_has_nothing_of_it() -> None:
    without = a_stack()
    assert "postgres" not in "".join(file.content for file in without.fragments(True)).replace("|postgres", "")
    assert not any("POSTGRES" in key or "DATABASE" in key for file in (without.dotenv, *without.env_files) for key in file.lines)
    assert "postgres" not in [one.name for one in without.credentials]


def test_open_webui_gets_its_url_for_data_and_vectors() -> None:
    user = login_role("openwebui", PASSWORD)
    url = f"postgresql://{user}:{PASSWORD}@postgres:5432/openwebui"
    found = env_of(stack(), "openwebui")
    assert {key: found[key] for key in ("DATABASE_URL", "PGVECTOR_DB_URL", "VECTOR_DB")} == {
        "DATABASE_URL": url, "PGVECTOR_DB_URL": url, "VECTOR_DB": "pgvector",
    }  # fmt: skip
    assert definition(stack(), "openwebui")["depends_on"]["postgres"] == {"condition": "service_healthy", "required": False}
    assert stack().clients("postgres") == ("openwebui",)


def test_vectors_stay_where_they_are_in_a_projects_own_stack_or_where_that_is_set() -> None:
    assert "VECTOR_DB" not in env_of(stack(**OWN), "openwebui")
    assert "VECTOR_DB" not in env_of(stack(postgres_vectors=False), "openwebui")
    assert (
        env_of(stack(at=AT, services=["watchtower", "redis", "openwebui"], postgres_host="db-1"), "openwebui")["VECTOR_DB"]
        == "pgvector"
    )


def test_another_hosts_server_is_used_by_its_address_and_nothing_of_it_lies_here() -> None:
    there = stack(at=AT, services=["watchtower", "redis", "openwebui"], postgres_host="db-1")
    assert (env_of(there, "openwebui")["DATABASE_URL"] or "").endswith(f"@{AT}/openwebui")
    assert (*login(there).files(), *login(there).folders()) == ()
    assert login(there).host == "db-1"


def test_a_name_of_a_role_tells_passwords_apart_and_nothing_else() -> None:
    names = {login_role("openwebui", f"{PASSWORD}{number}") for number in range(20)}
    assert len(names) == 20
    assert all(len(name) == len("openwebui_0123") for name in names)
    assert verifier("a_0000", PASSWORD) != verifier("a_0001", PASSWORD)


def test_no_password_is_in_its_definition() -> None:
    assert PASSWORD not in str(definition(stack(), "postgres"))
    assert "env_file" not in definition(stack(), "postgres") or not definition(stack(), "postgres")["env_file"]


@pytest.mark.parametrize(("image", "owner"), [("pgvector/pgvector:pg17", "999:999"), ("postgres:17-alpine", "70:70")])
def test_its_data_belongs_to_the_images_own_user(image: str, owner: str) -> None:
    (folder,) = login(stack(postgres_image=image)).folders()
    assert (folder.path, folder.mode, folder.owner) == ("data/postgres", "0700", owner)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"postgres_user": "a b"}, "postgres_user: 'a b' is no name of a role."),
        ({"postgres_user": "x'; drop"}, "postgres_user: "),
        ({"postgres_user": "pg_mine"}, "postgres_user: 'pg_mine' is no name"),
        ({"postgres_user": "a" * 59}, "postgres_user: "),
        ({"postgres_admin": "Admin"}, "postgres_admin: 'Admin' is no name"),
        ({"postgres_db": 'a"b'}, "postgres_db: "),
        ({"postgres_publish": "0.0.0.0"}, "postgres_publish: '0.0.0.0' is no address of one interface."),
        ({"postgres_host": "db-1"}, "postgres_host: names 'db-1', but this host runs a PostgreSQL of its own."),
        ({"postgres_service": "db"}, "postgres_service: is for a PostgreSQL that the project defines itself."),
        ({"services": ["redis"], "postgres_service": "db", "postgres_host": "db-1"}, "postgres_service: this host uses the"),
    ],
)
def test_what_is_wrong_with_its_settings_is_told(data: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        stack(**data)
    (problem,) = caught.value.problems
    assert problem.startswith(told)


# A rollout


def test_a_new_password_is_accepted_switched_and_the_previous_one_retired() -> None:
    due = plan(stack(), converged(stack(OLD_PASSWORD)))
    (one,) = (one for one in due.credentials if one.name == "postgres")
    new, old = login(stack()).logins, login(stack(OLD_PASSWORD)).logins
    assert (one.accept, one.retire, one.refuse) == ((*new, *old), True, old)
    assert [change.path for change in due.secrets] == ["secrets/postgres/password"]
    assert [service for service, _ in due.start] == ["openwebui"]
    assert "postgres: accept, switch openwebui, retire" in list(due.sentences())
    assert not any(name == "postgres" for name, _ in due.start)


def test_after_accept_only_the_rest_is_due() -> None:
    both = (SeenRole("openwebui", False, "", False), *(
        SeenRole(login(one).role, True, login(one).digest, True) for one in (stack(), stack(OLD_PASSWORD))
    ))  # fmt: skip
    (one,) = (c for c in plan(stack(), answering(roles=both)(converged(stack(OLD_PASSWORD)))).credentials if c.name == "postgres")
    assert (one.accept, one.retire) == ((), True)


@pytest.mark.parametrize("changes", [{"login": False}, {"acts": False}, {"digest": sha256("another")}])
def test_a_role_that_was_changed_by_hand_is_accepted_again(changes: dict[str, Any]) -> None:
    found = converged(stack())
    owner, role = found.answer("postgres").roles
    seen = answering(roles=(owner, replace(role, **changes)))(found)
    assert [one.name for one in plan(stack(), seen).accept] == ["postgres"]
    assert "postgres.single_login" in bad(stack(), seen)


def test_a_server_that_is_not_up_is_told_when_it_is() -> None:
    started = without_container("postgres")(converged(stack()))
    assert dict(plan(stack(), started).start)["postgres"] == "it has no container"
    assert login(stack()).after_starting(stack(), converged(stack())) == ""
    line = login(stack()).after_starting(stack(), started)
    assert "CREATE ROLE" in line
    assert "PASSWORD NULL" in line
    exited = with_container("postgres", state="exited", health="")(started)
    assert PASSWORD not in login(stack()).after_starting(stack(), exited)


def test_on_a_bare_host_the_password_and_the_folder_are_all() -> None:
    changes = {change.path for change in plan(stack(), bare(stack())).secrets}
    assert {path for path in changes if "postgres" in path} == {"secrets/postgres/password", "data/postgres"}


# What a person must decide first


def problems(of: Stack, seen: Snapshot) -> tuple[str, ...]:
    return plan(of, seen).problems


def test_a_database_is_never_left_behind() -> None:
    seen = with_container("postgres", mounts={"/var/lib/postgresql/data": "/var/lib/docker/volumes/x/_data"})(converged(stack()))
    (problem,) = problems(stack(), seen)
    assert "its data is in /var/lib/docker/volumes/x/_data" in problem
    assert 'set postgres_service = "postgres"' in problem


def test_one_that_the_project_defines_is_not_defined_again() -> None:
    seen = replace(converged(stack()), own=SeenOwn({"postgres": SeenDefinition()}))
    (problem,) = (one for one in problems(stack(), seen) if one.startswith("postgres: its data"))
    assert "its data is in what the project's own files say" in problem


def test_one_that_does_not_run_cannot_be_told_of_a_new_password() -> None:
    exited = with_container("postgres", state="exited", health="")(converged(stack(OLD_PASSWORD)))
    seen = replace(exited, answers={name: one for name, one in exited.answers.items() if name != "postgres"})
    (problem,) = problems(stack(), seen)
    assert problem.startswith("postgres: its container is exited, so it cannot be told of the new login.")
    assert problems(stack(OLD_PASSWORD), seen) == ()


def test_two_passwords_of_one_name_are_told() -> None:
    seen = converged(stack(OLD_PASSWORD))
    owner, _ = seen.answer("postgres").roles
    taken = SeenRole(login(stack()).role, True, sha256("another"), True)
    (problem,) = problems(stack(), answering(roles=(owner, taken))(seen))
    assert "Make another one with" in problem


def test_a_superuser_that_is_not_let_in_is_told_with_its_words() -> None:
    (problem,) = problems(stack(), answering(denied="no entry", roles=())(converged(stack())))
    assert "its superuser postgres could not be asked over the socket in its container: no entry" in problem


# The project's own


def own(password: str = PASSWORD, **data: Any) -> Stack:
    return stack(password, **{**OWN, **data})


def with_one_role(seen: Snapshot, *sessions: SeenSession) -> Snapshot:
    role = SeenRole("chief", True, sha256("md5…"), False)
    return with_db(with_answer("postgres", SeenPostgres("scram", "", "15.4", True, True, (role,), sessions))(seen))


def test_its_owner_stays_and_its_password_goes_when_every_client_was_verified() -> None:
    seen = replace(with_one_role(converged(own(OLD_PASSWORD))), fragments=())
    due = plan(own(), seen)
    assert due.problems == ()
    (one,) = (one for one in due.credentials if one.name == "postgres")
    chief = Login("chief", sha256("md5…"))
    assert (one.accept, one.refuse, one.retire) == ((*login(own()).logins, chief), (chief,), True)
    assert any("chief stays the owner of what it has" in sentence for sentence in due.adopt)
    assert login(own()).folders() == ()


def test_a_client_that_nobody_manages_is_not_cut_off() -> None:
    stranger = SeenSession("chief", "172.18.0.99", STARTED + 9)
    seen = with_one_role(converged(own(OLD_PASSWORD)), stranger)
    assert isinstance(seen.containers, tuple)
    seen = replace(seen, containers=tuple(replace(c, service="litellm") if c.service == "db" else c for c in seen.containers))
    (problem,) = problems(own(), seen)
    assert problem.startswith("db: litellm is logged in with a password that would be retired.")
    (waiting,) = (one for one in plan(own(retire="when_unused"), seen).credentials if one.name == "postgres")
    assert (waiting.waiting, waiting.retire) == (("litellm",), False)
    assert problems(own(retire="always"), seen) == ()


@pytest.mark.parametrize(("missing", "told"), [("owner", "has no role chief"), ("database", "has no database chat")])
def test_what_it_does_not_have_is_told(missing: str, told: str) -> None:
    seen = with_one_role(converged(own()))
    assert told in "".join(problems(own(), answering(**{missing: False})(seen)))


# Checks


def test_every_check_is_ok_where_all_is_as_desired() -> None:
    assert bad(stack(), converged(stack())) == {}
    assert not plan(stack(), converged(stack())).due


@pytest.mark.parametrize(
    ("changes", "check", "detail"),
    [
        ({"asks": "nothing"}, "postgres.anonymous_refused", "asks for nothing, expected scram"),
        ({"asks": "md5"}, "postgres.anonymous_refused", "asks for md5, expected scram"),
        ({"asks": "error"}, "postgres.anonymous_refused", "PostgreSQL answered with an error"),
        ({"login": "FATAL: password authentication failed"}, "postgres.ready", "FATAL: password authentication failed"),
        ({"sessions": ()}, "postgres.client_login@openwebui", "no session"),
    ],
)
def test_what_is_wrong_is_found(changes: dict[str, Any], check: str, detail: str) -> None:
    assert bad(stack(), answering(**changes)(converged(stack()))) == {check: detail}


def test_a_client_that_is_in_as_another_role_was_not_switched() -> None:
    found = converged(stack())
    (session,) = found.answer("postgres").sessions
    other = replace(session, user="openwebui_0000")
    assert bad(stack(), answering(sessions=(session, other))(found)) == {
        "postgres.client_login@openwebui": f"1 as openwebui_0000, 1 as {login(stack()).role}"
    }
    # whoever had the container's address before it is not it
    assert bad(stack(), answering(sessions=(session, replace(other, since=STARTED - 1)))(found)) == {}


def test_a_second_login_is_told_by_its_name() -> None:
    found = converged(stack())
    roles = (*found.answer("postgres").roles, SeenRole("openwebui_0000", True, sha256("x"), True))
    assert bad(stack(), answering(roles=roles)(found)) == {"postgres.single_login": "also accepts openwebui_0000"}


def test_one_that_does_not_answer_is_unknown() -> None:
    seen = converged(stack())
    silent = replace(seen, answers={name: one for name, one in seen.answers.items() if name != "postgres"})
    names = {"postgres.ready", "postgres.anonymous_refused", "postgres.single_login", "postgres.client_login@openwebui"}
    assert {name for name in bad(stack(), silent) if name.startswith("postgres.")} == names


def test_of_another_hosts_server_is_asked_whether_it_wants_a_password() -> None:
    there = stack(at=AT, services=["watchtower", "redis", "openwebui"], postgres_host="db-1")
    assert bad(there, converged(there)) == {}
    assert set(bad(there, with_answer("postgres", SeenPostgres(""))(converged(there)))) == {
        "postgres.ready", "postgres.anonymous_refused",
    }  # fmt: skip


# Its exporter's login


def watched(password: str = PASSWORD, **data: Any) -> Stack:
    secrets = {"redis_password": PASSWORD, "postgres_password": PASSWORD, "postgres_exporter_password": password}
    return build({"services": [*SERVICES, "postgres-exporter"], **data}, secrets)


def test_the_exporter_has_a_login_of_its_own() -> None:
    monitor = next(one for one in postgres_of(watched()) if one.name == "postgres_monitor")
    assert env_of(watched(), "postgres-exporter") == {
        "DATA_SOURCE_NAME": (
            f"postgresql://{login_role('postgres_monitor', PASSWORD)}:{PASSWORD}@postgres:5432/postgres?sslmode=disable"
        ),
    }
    assert 'GRANT "pg_monitor" TO "postgres_monitor"' in monitor.after_starting(watched(), bare(watched()))
    assert "vector" not in monitor.after_starting(watched(), bare(watched()))
    assert [one.name for one in postgres_of(stack())] == ["postgres"]


def test_its_password_is_rolled_out_to_the_exporter_alone() -> None:
    due = plan(watched(), converged(watched(OLD_PASSWORD)))
    assert [one.name for one in due.accept] == [one.name for one in due.retire] == ["postgres_monitor"]
    assert [service for service, _ in due.start] == ["postgres-exporter"]
    assert bad(watched(), converged(watched())) == {}


def test_what_a_host_is_asked_about_logs_and_literals_is_of_the_stacks_own_logins() -> None:
    without, with_it = questions(a_stack(log_allow=("mine",))), questions(stack(log_allow=("mine",)))
    for name, pattern, own in (
        ("logs", "refused", "not permitted"),
        ("literals", "in_env", "PGPASSWORD"),
        ("logs", "harmless", "FATAL"),
    ):
        assert own not in without[name][1][pattern]
        assert own in with_it[name][1][pattern]
    assert without["logs"][1]["harmless"].startswith("mine")
    assert with_it["logs"][1]["harmless"].startswith("mine|")
