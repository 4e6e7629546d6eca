"""The contract of a credential: whatever its kind, the general machinery may rely on this."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from operations.stack import registry
from operations.stack.build import build
from operations.stack.credential import Credential, credentials_of
from operations.stack.plan import plan
from operations.stack.service import Provided
from operations.stack.settings import Settings
from operations.stack.snapshot import Snapshot
from operations.stack.stack import Stack
from operations.stack.templates import SECRET_PARTS
from operations.stack.verdicts import checks
from tests.unit.stack.catalogues import Put
from tests.unit.stack.hosts import OLD_PASSWORD, PASSWORD, bare, converged, unseen

NAME = "login_of_a_test"
HOSTS = [Snapshot(), Snapshot(texts={}, files={}, env={}, containers=())]
SECRETS = (PASSWORD, OLD_PASSWORD)

KINDS = registry.kinds()
EVERY = pytest.mark.parametrize("kind", sorted(KINDS))
SERVED = pytest.mark.parametrize("kind", sorted(name for name, kind in KINDS.items() if kind.served))
UNSERVED = pytest.mark.parametrize("kind", sorted(name for name, kind in KINDS.items() if not kind.served))


@pytest.fixture
def server(put: Put, kind: str, folder: str) -> str:
    """A folder with a service that provides a credential of this kind, and one that uses each part of its login."""
    port = 4711 if KINDS[kind].served else 0
    parts = KINDS[kind](NAME, Provided(kind, "its_secret", port), "server", Settings(), True, PASSWORD, None).login("web")
    env = "".join(f'    PART_{number}: "{{{NAME}.{part}}}"\n' for number, part in enumerate(sorted(parts)))
    provided = f"    {NAME}: {{kind: {kind}, secret: its_secret{', port: 4711' if port else ''}}}\n"
    put("server", f"x-fleet:\n  provides:\n{provided}services:\n  server: {{image: server:1}}\n")
    put("web", f"x-fleet:\n  env:\n{env}services:\n  web: {{image: web:1, env_file: ['${{STACK_ROOT}}/env/web.env']}}\n")
    return folder


def a_stack(folder: str, password: str = PASSWORD, **data: Any) -> Stack:
    return build({"services": ["server", "web"], "catalog_dirs": [folder], **data}, {"its_secret": password})


def the_login(stack: Stack) -> Credential:
    (found,) = credentials_of(stack)
    return found


@EVERY
def test_it_says_what_it_is(server: str, kind: str) -> None:
    login = the_login(a_stack(server))
    assert (login.kind, login.name, login.server, login.local, login.value) == (kind, NAME, "server", True, PASSWORD)
    assert re.fullmatch("[0-9a-f]{64}", login.digest)
    assert len({login.digest, the_login(a_stack(server)).digest, the_login(a_stack(server, OLD_PASSWORD)).digest}) == 2
    assert login.host is None


@EVERY
def test_what_holds_its_secret_is_called_so(server: str) -> None:
    for name, value in the_login(a_stack(server)).login("web").items():
        assert (PASSWORD in value) == (name in SECRET_PARTS), name


@EVERY
def test_a_value_that_every_reader_takes_keeps_the_rule_and_an_empty_one_does_not(server: str) -> None:
    login = the_login(a_stack(server))
    assert list(login.rule(PASSWORD, "its_secret")) == []
    for wrong in ("", "a b", "line\nbreak"):
        said = list(login.rule(wrong, "its_secret"))
        assert said
        assert all(wrong not in sentence for sentence in said if wrong)


@EVERY
def test_its_files_are_its_own_and_hold_the_secret_for_their_owner_alone(server: str) -> None:
    login = the_login(a_stack(server))
    assert len({file.path for file in login.files()}) == len(login.files())
    assert bool(login.files()) == login.served  # else its clients' env files are all there is
    for file in login.files():
        assert file.path.startswith(f"secrets/{NAME}/")
        assert file.mode.removeprefix("keep") == "0600"
        assert PASSWORD not in repr(file)
    known = {file.path for file in login.files()}
    assert {*login.passwords(), *login.texts()} <= known
    for path in login.passwords():
        assert next(file.content for file in login.files() if file.path == path).splitlines()[0] == PASSWORD


@EVERY
def test_no_question_holds_its_secret(server: str) -> None:
    stack = a_stack(server)
    login = the_login(stack)
    asked = login.asked(stack)
    assert all(name == NAME or name.startswith(f"{NAME}.") for name in asked)
    for fact, arguments in asked.values():
        assert PASSWORD not in fact().command(**arguments).get_raw_value()
    assert dict(login.asked_again(stack, {})) == {}


@EVERY
def test_whoever_uses_its_secret_is_a_client(server: str) -> None:
    assert a_stack(server).clients(NAME) == ("web",)


@EVERY
@pytest.mark.parametrize("seen", HOSTS)
def test_of_a_host_that_told_nothing_it_accepts_nothing_and_raises_nothing(server: str, seen: Snapshot) -> None:
    stack = a_stack(server)
    login = the_login(stack)
    assert login.accepted(seen) == ()
    assert list(login.adopted(stack, seen)) == list(login.problems(stack, seen)) == []
    assert login.readers(stack, seen) == ()
    assert not login.plan(stack, seen, []).retire
    assert all(not check.verdict.good or check.verdict.value == "ok" for check in login.checks(stack, seen))


@EVERY
def test_on_a_bare_host_its_files_are_written_and_nothing_is_accepted_or_retired(server: str) -> None:
    stack = a_stack(server)
    due = the_login(stack).plan(stack, bare(stack), [])
    login = the_login(stack)
    assert {change.path for change in due.files} == {one.path for one in login.files()} | {one.path for one in login.folders()}
    assert (due.name, due.accept, due.retire, due.restarts) == (NAME, (), False, False)


@SERVED
def test_where_all_is_as_desired_nothing_is_due(server: str) -> None:
    stack = a_stack(server)
    login, seen = the_login(stack), converged(stack)
    assert login.observed(seen)
    assert login.accepted(seen) == login.logins
    assert not plan(stack, seen).due


@UNSERVED
def test_what_no_server_takes_asks_nothing_and_says_what_another_one_does(server: str) -> None:
    stack, previous = a_stack(server), a_stack(server, OLD_PASSWORD)
    login, seen = the_login(stack), converged(previous)
    due = login.plan(stack, seen, [])
    assert (login.asked(stack), due.accept, due.retire, due.files) == ({}, (), False, ())
    assert [*login.accept(stack, seen, due), *login.retire(stack, seen), *login.back(stack, seen, converged(stack))] == []
    assert len(due.effects) == 1
    assert due.effects[0] in plan(stack, seen).sentences()
    assert all(secret not in due.effects[0] for secret in SECRETS)
    assert plan(stack, converged(stack)).due is False
    assert list(plan(stack, converged(stack)).sentences()) == []


@SERVED
def test_a_new_value_is_accepted_beside_the_previous_one_which_is_then_refused(server: str) -> None:
    stack, seen = a_stack(server), converged(a_stack(server, OLD_PASSWORD))
    login, previous = the_login(stack), the_login(a_stack(server, OLD_PASSWORD)).digest
    due = login.plan(stack, seen, [])
    assert due.accept[: len(login.logins)] == login.logins
    assert {one.digest for one in due.accept} == {login.digest, previous}
    assert (due.retire, due.restarts) == (True, False)
    assert {one.digest for one in due.refuse} == {previous}


@EVERY
def test_a_rollout_that_stopped_anywhere_is_gone_on_with(server: str) -> None:
    stack, seen = a_stack(server), converged(a_stack(server, OLD_PASSWORD))
    assert plan(stack, seen) == plan(stack, replace(seen)) != plan(stack, converged(stack))


@SERVED
def test_a_server_that_runs_and_does_not_answer_was_not_observed(server: str) -> None:
    stack = a_stack(server)
    assert not the_login(stack).observed(unseen(NAME)(converged(stack)))


@SERVED
def test_its_commands_show_no_secret_and_are_none_where_there_is_nothing_to_say(server: str) -> None:
    stack, seen = a_stack(server), converged(a_stack(server, OLD_PASSWORD))
    login = the_login(stack)
    accepted = converged(stack)  # and nothing of it before this run
    commands = [
        *login.accept(stack, seen, login.plan(stack, seen, [])),
        *login.retire(stack, seen),
        *login.back(stack, seen, accepted),
    ]
    assert commands
    words = "".join(command.get_raw_value() for command in commands) + login.before_replacing(stack, seen, False)
    for secret in SECRETS:
        assert secret not in words
    assert list(login.back(stack, converged(stack), converged(stack))) == []
    assert login.before_replacing(stack, bare(stack), False) == ""


@EVERY
def test_its_checks_are_known_by_name_and_show_no_secret(server: str, kind: str) -> None:
    stack = a_stack(server)
    said = list(checks(stack, converged(a_stack(server, OLD_PASSWORD))))
    assert all(secret not in repr(said) for secret in SECRETS)
    names = {check.id.partition("@")[0] for check in the_login(stack).checks(stack, converged(stack))}
    made = KINDS[kind]
    assert {*made.about_retired, *made.about_desired, *made.about_adopted} | names <= made.meanings.keys()
