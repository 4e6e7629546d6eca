"""A login of its own for each client: who has which, what each may do, and the way there from a shared one and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from operations.services.redis.seen import SeenClient
from operations.services.redis.users import forbidden, rights
from operations.stack.build import build
from operations.stack.check import Check, Verdict
from operations.stack.credential import CredentialPlan, Login
from operations.stack.errors import SettingsError
from operations.stack.fingerprint import fingerprint
from operations.stack.plan import plan
from operations.stack.snapshot import Snapshot
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.services.redis import documented
from tests.unit.stack import hosts
from tests.unit.stack.catalogues import Put, env_of
from tests.unit.stack.hosts import (
    ACL_PATH,
    ADDRESS,
    OLD_PASSWORD,
    PASSWORD,
    all_of,
    bare,
    converged,
    redis_of,
    sha256,
    with_file,
    with_redis,
)
from tests.unit.stack.plans import of_redis

USERS: dict[str, dict[str, list[str]]] = {
    "openwebui": {
        "keys": ["open-webui:*"],
        "channels": ["open-webui:*", "socketio"],
        "commands": ["+@all", "-@admin", "-@dangerous"],
    },
    "redis-exporter": {"keys": ["*"], "commands": ["+@connection", "+info", "+config|get"]},
}
OPENWEBUI, EXPORTER = "the-Password_of-open-webui-1", "the-Password_of-the-exporter-2"
SECRETS = {"redis_password": PASSWORD, "redis_password_openwebui": OPENWEBUI, "redis_password_redis_exporter": EXPORTER}
OPERATORS, OPENWEBUIS, EXPORTERS = (
    Login(user, sha256(password))
    for user, password in (("operator", PASSWORD), ("openwebui", OPENWEBUI), ("redis-exporter", EXPORTER))
)
EACH = (OPERATORS, OPENWEBUIS, EXPORTERS)
SHARED = Login("default", sha256(PASSWORD))


def a_stack(secrets: Mapping[str, str] = SECRETS, **data: Any) -> Stack:
    return build({"redis_users": USERS, **data}, secrets)


STACK, BEFORE = a_stack(), hosts.a_stack()
REDIS = redis_of(STACK)


def problems(users: Any = USERS, secrets: Mapping[str, str] = SECRETS, **data: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        a_stack(secrets, redis_users=users, **data)
    return caught.value.problems


def due(seen: Snapshot, stack: Stack = STACK) -> CredentialPlan:
    found = plan(stack, seen)
    assert found.problems == ()
    return of_redis(found)


def at(seen: Snapshot, *logins: Login, stack: Stack = STACK) -> Snapshot:
    """The host on which redis accepts these logins, on disk and in memory, as a run for this stack leaves it."""
    redis = redis_of(stack)
    content = redis.acl(logins, redis.rights_now(seen)).content
    users = {name: tuple(one.digest for one in logins if one.user == name) for name in (one.user for one in logins)}
    drift = all_of(with_redis(users=users), with_file(ACL_PATH, sha256=sha256(content)))
    return replace(drift(seen), texts={ACL_PATH: content})


def client_login(seen: Snapshot, stack: Stack = STACK) -> Check:
    return next(check for check in checks(stack, seen) if check.id == "redis.client_login")


# Who logs in as whom


def test_each_client_logs_in_as_itself_with_a_password_of_its_own() -> None:
    url = f"redis://openwebui:{OPENWEBUI}@redis:6379/0"
    assert {env_of(STACK, "openwebui")[key] for key in ("REDIS_URL", "WEBSOCKET_REDIS_URL")} == {url}
    assert env_of(STACK, "redis-exporter")["REDIS_ADDR"] == f"redis://redis-exporter:{EXPORTER}@redis:6379"
    assert REDIS.logins == EACH


def test_the_shared_one_is_the_operators_then_and_no_clients() -> None:
    assert env_of(STACK, "redis")["REDIS_PASSWORD"] == PASSWORD
    files = {file.path: file.content for file in STACK.secret_files()}
    assert files["secrets/redis/password"] == f"{PASSWORD}\nuser operator\n"
    assert PASSWORD not in str([file.lines for file in STACK.env_files if file.path != "env/redis.env"])


def test_the_file_has_a_line_a_user_and_lets_nobody_in_as_default() -> None:
    lines = next(file.content for file in STACK.secret_files() if file.path == ACL_PATH).splitlines()
    assert lines == [
        f"user operator on sanitize-payload ~* &* +@all #{sha256(PASSWORD)}",
        f"user openwebui on sanitize-payload ~open-webui:* &open-webui:* &socketio +@all -@admin -@dangerous #{sha256(OPENWEBUI)}",
        f"user redis-exporter on sanitize-payload ~* +@connection +info +config|get #{sha256(EXPORTER)}",
        "user default off",
    ]


def test_a_template_may_name_the_user_which_is_none_where_all_share_one() -> None:
    clients = {"n8n": {"env/n8n.env": {"USER": "{redis.user}", "PASSWORD": "{redis.password}"}}}
    users = {**USERS, "n8n": {"keys": ["bull:*"], "commands": ["+@all", "-@admin", "-@dangerous"]}}
    own = a_stack({**SECRETS, "redis_password_n8n": "the-Password_of-n8n-is-this-3"}, redis_users=users, clients=clients)
    assert env_of(own, "n8n") == {"USER": "n8n", "PASSWORD": "the-Password_of-n8n-is-this-3"}
    assert env_of(hosts.a_stack(clients=clients), "n8n") == {"USER": "", "PASSWORD": PASSWORD}


def test_a_client_on_another_host_is_the_same_user_there() -> None:
    data = {"services": ["openwebui"], "redis_host": "redis-1", "redis_users": USERS}
    stack = build(data, SECRETS, {"redis": ADDRESS})
    assert env_of(stack, "openwebui")["REDIS_URL"] == f"redis://openwebui:{OPENWEBUI}@{ADDRESS}/0"
    assert {check.verdict for check in checks(stack, converged(stack))} == {Verdict.OK}


def test_several_redis_have_users_of_their_own(put: Put, folder: str) -> None:
    put(
        "cache",
        "x-fleet:\n  provides: {cache: {kind: redis-acl, secret: cache_password, port: 6380}}\n"
        '  settings: {cache_image: "redis:8", cache_users: {}}\nservices:\n  cache: {image: "redis:8"}\n',
    )
    clients = {"n8n": {"env/n8n.env": {"A": "{redis.url}", "B": "{cache.url}"}}}
    may = {"commands": ["+@read"]}
    data = {"services": ["redis", "cache", "watchtower"], "catalog_dirs": [folder], "clients": clients}
    secrets = {"redis_password": PASSWORD, "cache_password": OLD_PASSWORD, "cache_password_n8n": OPENWEBUI}
    stack = build({**data, "cache_users": {"n8n": may}}, secrets)
    assert env_of(stack, "n8n") == {
        "A": f"redis://:{PASSWORD}@redis:6379/0",
        "B": f"redis://n8n:{OPENWEBUI}@cache:6380/0",
    }
    assert redis_of(stack, "cache").logins == (Login("operator", sha256(OLD_PASSWORD)), Login("n8n", sha256(OPENWEBUI)))
    assert not plan(stack, converged(stack)).due


def test_the_users_of_the_page_are_those_of_the_default_stack() -> None:
    stack = a_stack(redis_users=documented.users())
    assert set(redis_of(stack).users) == set(stack.clients("redis")) - {"redis"}
    assert not plan(stack, converged(stack)).due


# What is wrong with the setting is said before the first connection


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({"commands": ["+@all"]}, 'openwebui: may run ACL SETUSER, with which it can give itself all rights. Add "-@admin".'),
        ({"commands": ["-@all", "+acl"]}, "openwebui: may run ACL SETUSER"),
        ({"commands": ["+@all", "-@admin", "+config|set"]}, "openwebui: may run CONFIG SET"),
        ({"commands": []}, "openwebui: has no `commands`, so it may do nothing."),
        ({}, "openwebui: has no `commands`"),
        ({"commands": ["get"]}, "openwebui: commands: 'get' is no rule for commands."),
        ({"commands": ["+@read", ">a-password"]}, "openwebui: commands: '>a-password' is no rule for commands."),
        ({"commands": ["+@read", "nopass"]}, "openwebui: commands: 'nopass' is no rule for commands."),
        ({"keys": ["a b"], "commands": ["+@read"]}, "openwebui: keys: 'a b' is no pattern of keys."),
        ({"keys": ["a\nuser x on nopass"], "commands": ["+@read"]}, "is no pattern of keys."),
        ({"channels": [7], "commands": ["+@read"]}, "openwebui: channels: 7 is no pattern of channels."),
        ({"key": ["a"], "commands": ["+@read"]}, "openwebui: there is no 'key'; known are keys, channels, commands."),
        ({"commands": "+@read"}, "openwebui: expected lists, named keys, channels, commands."),
        ("+@read", "openwebui: expected lists"),
    ],
)
def test_what_is_no_right_or_too_much_of_one_is_refused(user: Any, said: str) -> None:
    found = problems({**USERS, "openwebui": user})
    assert any(problem.startswith("redis_users: ") and said in problem for problem in found), found


@pytest.mark.parametrize("name", ["default", "operator"])
def test_a_user_that_redis_has_anyway_is_no_clients(name: str) -> None:
    assert f"redis_users: {name}: is the name of a user that redis has anyway. Name a service." in problems(
        {**USERS, name: {"commands": ["+@read"]}}
    )


def test_a_client_without_a_user_of_its_own_is_told() -> None:
    assert problems({"openwebui": USERS["openwebui"]}) == (
        "redis_users: redis-exporter uses 'redis' and has no user of its own. Add it, with what it may do.",
    )


def test_no_two_users_have_one_password() -> None:
    assert problems(secrets={**SECRETS, "redis_password_openwebui": PASSWORD}) == (
        "redis_password_openwebui: is the same as redis_password. Give each user a password of its own.",
    )


def test_a_redis_of_the_projects_own_has_the_users_that_its_project_gives_it() -> None:
    (said,) = problems(services=[], redis_password_file="secrets/redis_password.txt")
    assert said.startswith("redis_users: the redis of redis_password_file has the users that its project gives it.")


@pytest.mark.parametrize(
    ("user", "asked"),
    [
        ({"commands": ["+@read"]}, {"GET key-of-nobody", "PUBLISH channel-of-nobody x"}),
        ({"keys": ["app:*"], "channels": ["app"], "commands": ["+@read"]}, {"GET key-of-nobody", "PUBLISH channel-of-nobody x"}),
        ({"keys": ["*"], "channels": ["*"], "commands": ["+@read"]}, set()),
    ],
)
def test_what_is_somebody_elses_must_be_refused_where_not_all_is_allowed(user: dict[str, Any], asked: set[str]) -> None:
    assert set(forbidden(user)) - {"ACL SETUSER nobody", "CONFIG SET maxmemory 0"} == asked


def test_rights_are_said_in_redis_own_words() -> None:
    assert rights({"commands": ["+@all", "-keys"], "keys": ["a:*"], "channels": ["b"]}) == "~a:* &b +@all -keys"


# What is to be done, wherever a run stopped


def test_where_all_is_as_desired_nothing_is_due_and_every_check_is_ok() -> None:
    assert not plan(STACK, converged(STACK)).due
    assert all(check.verdict.good for check in checks(STACK, converged(STACK)))


def test_on_a_bare_host_the_files_are_written_and_nothing_is_accepted_or_retired() -> None:
    assert (due(bare(STACK)).accept, due(bare(STACK)).retire) == ((), False)


def test_from_the_shared_login_each_gets_its_own_and_the_shared_one_is_refused_at_the_end() -> None:
    found = due(converged(BEFORE))
    assert (found.accept, found.retire, found.refuse) == ((*EACH, SHARED), True, (SHARED,))
    assert [change.path for change in found.files] == ["secrets/redis/password"]
    assert [service for service, _ in plan(STACK, converged(BEFORE)).start] == ["redis-exporter", "openwebui"]


def test_a_move_that_was_killed_after_accept_goes_on_with_the_switch() -> None:
    found = due(at(converged(BEFORE), *EACH, SHARED))
    assert (found.accept, found.retire) == ((), True)


def test_back_to_the_shared_login_the_users_are_refused_at_the_end() -> None:
    found = due(converged(STACK), BEFORE)
    assert (found.accept, found.retire, set(found.refuse)) == ((SHARED, *EACH), True, set(EACH))


def test_the_users_keep_what_they_may_do_on_the_way_back() -> None:
    seen = converged(STACK)
    (command,) = redis_of(BEFORE).accept(BEFORE, seen, due(seen, BEFORE))
    rules = str(command.connector_arguments["_stdin"])
    assert (
        f"openwebui reset on sanitize-payload ~open-webui:* &open-webui:* &socketio +@all -@admin -@dangerous #{sha256(OPENWEBUI)}"
        in rules
    )
    assert not redis_of(BEFORE).plan(BEFORE, at(seen, SHARED, *EACH, stack=BEFORE), []).accept


def test_a_new_password_of_one_is_a_rollout_of_that_one() -> None:
    new = a_stack({**SECRETS, "redis_password_openwebui": OLD_PASSWORD})
    fresh = Login("openwebui", sha256(OLD_PASSWORD))
    found = due(converged(STACK), new)
    assert (found.accept, found.refuse) == ((OPERATORS, fresh, EXPORTERS, OPENWEBUIS), (OPENWEBUIS,))
    assert found.files == ()
    assert [service for service, _ in plan(new, converged(STACK)).start] == ["openwebui"]


def test_other_rights_of_one_are_taken_over_at_once() -> None:
    wider = a_stack(redis_users={**USERS, "openwebui": {**USERS["openwebui"], "keys": ["*"]}})
    found = due(converged(STACK), wider)
    assert (found.accept, found.retire, plan(wider, converged(STACK)).start) == (EACH, False, ())


@pytest.mark.parametrize(
    "drift",
    [
        with_redis(users={"operator": (OPERATORS.digest,), "openwebui": (), "redis-exporter": (EXPORTERS.digest,)}),
        with_redis(dry=dict.fromkeys(REDIS.forbidden, "OK")),
    ],
    ids=["a user that lost its password", "a user that may do more"],
)
def test_what_was_changed_in_memory_by_hand_is_put_right(drift: hosts.Drift) -> None:
    assert due(drift(converged(STACK))).accept == EACH


def test_a_user_that_was_added_by_hand_is_refused() -> None:
    users = {**converged(STACK).answer("redis").users, "intruder": (sha256("x"),)}
    found = due(with_redis(users=users)(converged(STACK)))
    assert (found.accept, found.retire, found.refuse) == ((), True, (Login("intruder", sha256("x")),))


def test_a_default_that_was_switched_on_again_is_refused() -> None:
    users = {**converged(STACK).answer("redis").users, "default": (SHARED.digest,)}
    assert due(with_redis(users=users)(converged(STACK))).refuse == (SHARED,)


# The commands


def said(command: Any) -> str:
    return f"{command.get_raw_value()}{command.connector_arguments['_stdin']}"


def test_retiring_leaves_the_users_alone_and_tells_redis_so() -> None:
    (command,) = REDIS.retire(STACK, at(converged(BEFORE), *EACH, SHARED))
    text = said(command)
    assert "only=yes" in text
    assert "retired=yes" in text
    assert f"#{SHARED.digest}" in text  # which is the operator's too
    assert "\ndefault reset" not in text


def test_what_was_accepted_before_this_run_is_what_a_roll_back_leaves() -> None:
    before, now = converged(BEFORE), at(converged(BEFORE), *EACH, SHARED)
    (command,) = REDIS.back(STACK, before, now)
    assert f"default reset on sanitize-payload ~* &* +@all #{SHARED.digest}" in said(command)
    assert "operator reset" not in said(command)
    assert list(REDIS.back(STACK, now, now)) == []


def test_a_roll_back_of_one_password_keeps_the_other_users() -> None:
    new = a_stack({**SECRETS, "redis_password_openwebui": OLD_PASSWORD})
    fresh = Login("openwebui", sha256(OLD_PASSWORD))
    (command,) = redis_of(new).back(new, converged(STACK), at(converged(STACK), OPERATORS, fresh, EXPORTERS, OPENWEBUIS))
    assert all(f"#{one.digest}" in said(command) for one in EACH)
    assert f"#{fresh.digest}" not in said(command)


def test_no_command_shows_a_password() -> None:
    seen = at(converged(BEFORE), *EACH, SHARED)
    commands = [
        *REDIS.accept(STACK, seen, due(converged(BEFORE))),
        *REDIS.retire(STACK, seen),
        *REDIS.back(STACK, converged(BEFORE), seen),
    ]
    assert len(commands) == 3
    for password in SECRETS.values():
        assert all(password not in said(command) for command in commands)


# The checks


def test_who_is_connected_as_somebody_else_fails() -> None:
    clients = (SeenClient("172.18.0.5", "default", 1), SeenClient("172.18.0.4", "redis-exporter", 0))
    check = client_login(with_redis(clients=clients)(converged(STACK)))
    assert (check.verdict, check.detail) == (Verdict.FAILED, "openwebui is logged in as default")
    login = next(one for one in checks(STACK, with_redis(clients=clients)(converged(STACK))) if one.id == "openwebui.redis_login")
    assert login.verdict is Verdict.FAILED


def test_a_user_that_may_do_what_it_must_not_fails() -> None:
    dry = {**dict.fromkeys(REDIS.forbidden, "User has no permissions"), "openwebui GET key-of-nobody": "OK"}
    check = client_login(with_redis(dry=dry)(converged(STACK)))
    assert (check.verdict, check.detail) == (Verdict.FAILED, "may be run: openwebui GET key-of-nobody")


@pytest.mark.parametrize("answer", ["", "ERR unknown subcommand 'DRYRUN'", "NOPERM", "ERR User 'openwebui' not found"])
def test_a_redis_that_does_not_say_what_a_user_may_do_is_not_ok(answer: str) -> None:
    dry = {**dict.fromkeys(REDIS.forbidden, "User has no permissions"), "openwebui GET key-of-nobody": answer}
    assert client_login(with_redis(dry=dry)(converged(STACK))).verdict is Verdict.UNKNOWN


def test_the_checks_say_who_is_who() -> None:
    details = {check.id: check.detail for check in checks(STACK, converged(STACK))}
    shown = ", ".join(f"{one.user} {fingerprint(one.digest)}" for one in EACH)
    assert details["redis.single_password"] == f"accepts {shown} alone"
    assert details["url.form"] == "3 URLs are redis://<user>:<password>@<host>:<port>"
    assert details["redis.client_login"] == (
        "openwebui as openwebui, redis-exporter as redis-exporter; 7 commands are refused to them"
    )


def test_a_shared_login_that_is_still_accepted_is_named() -> None:
    check = next(one for one in checks(STACK, at(converged(STACK), *EACH, SHARED)) if one.id == "redis.single_password")
    assert check.verdict is Verdict.FAILED
    assert check.detail.endswith(f"4 passwords are accepted, also default {fingerprint(SHARED.digest)}")
