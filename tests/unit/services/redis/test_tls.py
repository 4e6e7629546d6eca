"""TLS of redis, planned and checked: what lies where, what is told when, and what stops a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from operations.services.redis import tls
from operations.services.redis.facts import Certificate as Asked
from operations.services.redis.seen import SeenCertificate, SeenClient
from operations.stack.build import build
from operations.stack.certificate import RENEWED, Certificate
from operations.stack.check import Check, Verdict
from operations.stack.errors import SettingsError
from operations.stack.plan import Plan, plan
from operations.stack.snapshot import UNKNOWN, Snapshot
from operations.stack.stack import Stack
from operations.stack.verdicts import checks
from tests.unit.stack.hosts import ADDRESS, NOW, PASSWORD, a_stack, converged, redis_of, with_redis, without_file

CERTIFICATE = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
MINE = Certificate("authority\n", CERTIFICATE.format("AAAA"), "key\n", NOW + 10 * RENEWED)
NEWER = replace(MINE, own=CERTIFICATE.format("AAAB"))
PEM, CONF, CA = "secrets/redis/server.pem", "secrets/redis/tls.conf", "secrets/redis/ca.crt"
TRUSTED = f"tls/redis/{MINE.trusted_digest[:12]}.crt"


def secured(value: str | None = "on", certificate: Certificate = MINE, **data: Any) -> Stack:
    """A stack with TLS."""
    known = {"redis": certificate} if value in tls.USED else {}
    return build({"redis_tls": value, **data}, {"redis_password": PASSWORD}, certificates=known)


def a_client(certificate: Certificate = MINE) -> Stack:
    """The stack of a host that uses another host's redis with TLS."""
    data = {"services": ["openwebui"], "redis_host": "redis-1", "redis_tls": "on"}
    known = {"redis": Certificate(certificate.trusted)}
    return build(data, {"redis_password": PASSWORD}, {"redis": "10.0.0.5:6380"}, certificates=known)


def well(stack: Stack, shown: Certificate = MINE, **redis: Any) -> Snapshot:
    """The host after a run that did everything."""
    seen = converged(stack)
    found: Mapping[str, Any] = {"plain": 0, "secure": 6380, **redis}
    answer = SeenCertificate(shown.digest, shown.until, "0 (ok)")
    with_clients = tuple(replace(one, port=6380) for one in seen.answer("redis").clients)
    seen = with_redis(**{"clients": with_clients, **found})(seen)
    return replace(seen, answers={**seen.answers, "redis.certificate": answer})


def due(stack: Stack, seen: Snapshot) -> Plan:
    return plan(stack.adapted(seen), seen)


def about(stack: Stack, seen: Snapshot, name: str) -> Check:
    return next(check for check in checks(stack, seen) if check.id == name)


# Settings


@pytest.mark.parametrize(
    ("publish", "value", "well"),
    [
        ("10.0.0.5", None, False), ("10.0.0.5", "off", True), ("10.0.0.5", "optional", True), ("10.0.0.5", "on", True),
        ("127.0.0.1", None, True), (None, None, True),
    ],
)  # fmt: skip
def test_redis_is_published_in_clear_only_where_that_was_said(publish: str | None, value: str | None, well: bool) -> None:
    if well:
        secured(value, redis_publish=publish)
        return
    with pytest.raises(SettingsError, match="without TLS, so passwords and data could be read on the way"):
        secured(value, redis_publish=publish)


def test_a_value_that_is_none_is_told() -> None:
    with pytest.raises(SettingsError, match='expected one of "off", "optional", "on" or None'):
        a_stack(redis_tls="yes")
    with pytest.raises(SettingsError, match="put it in quotes"):
        a_stack(redis_tls=True)


def test_without_tls_nothing_differs() -> None:
    assert a_stack(redis_tls="off").fragments(True) == a_stack().fragments(True)
    assert a_stack(redis_tls="off").env_files == a_stack().env_files
    for file in (*a_stack().fragments(True), *a_stack().secret_files()):
        assert "/tls" not in file.path + file.content.partition("\nservices:\n")[2]


# What lies on the host, and what clients get


def test_clients_get_the_way_and_what_they_trust() -> None:
    stack = secured()
    url = f"rediss://:{PASSWORD}@redis:6380/0?ssl_cert_reqs=required&ssl_check_hostname=true&ssl_ca_certs=/run/{TRUSTED}"
    lines = {key: line for file in stack.env_files for key, line in file.lines.items()}
    assert lines["REDIS_URL"] == f"REDIS_URL='{url}'"
    assert lines["REDIS_ADDR"] == f"REDIS_ADDR=rediss://:{PASSWORD}@redis:6380"
    assert lines["REDIS_EXPORTER_TLS_CA_CERT_FILE"] == f"REDIS_EXPORTER_TLS_CA_CERT_FILE=/run/{TRUSTED}"
    mounted = [file.path for file in stack.fragments(True) if "/tls/redis:/run/tls/redis:ro" in file.content]
    assert mounted == ["compose.d/redis-exporter.yml", "compose.d/openwebui.yml"]


def test_the_private_key_is_for_redis_alone_and_on_its_host_alone() -> None:
    files = {file.path: file for file in secured().secret_files()}
    assert (files[PEM].mode, files[PEM].content) == ("0600", MINE.pem)
    assert (files[TRUSTED].mode, files[TRUSTED].content) == ("0644", "authority\n")
    assert [path for path, file in files.items() if MINE.key in file.content] == [PEM]
    assert {file.path for file in a_client().secret_files()} == {"secrets/redis/password", CA, TRUSTED}


def test_another_authority_is_another_file_for_clients_and_none_for_redis() -> None:
    both = replace(MINE, trusted="another\nauthority\n")
    before, after = secured(), secured(certificate=both)
    assert [one for one in before.fragments(True) if one.path == "compose.d/redis.yml"] == [
        one for one in after.fragments(True) if one.path == "compose.d/redis.yml"
    ]
    assert redis_of(before).login("openwebui")["ca"] != redis_of(after).login("openwebui")["ca"]


@pytest.mark.parametrize(
    ("data", "names"), [({}, ["redis", "localhost"]), ({"redis_publish": "10.0.0.5"}, ["redis", "localhost", "10.0.0.5"])]
)
def test_the_names_are_those_that_clients_use(data: Mapping[str, Any], names: list[str]) -> None:
    kind = type(redis_of(secured()))
    assert kind.certified("redis", {"redis_tls": "on", **data}) == names
    assert kind.certified("redis", {"redis_tls": "off", **data}) is None
    assert kind.certified("redis", {"redis_tls": "on", "services": ["openwebui"], "redis_host": "redis-1"}) == []
    assert kind.certified("redis", {"redis_tls": "on", "services": ["watchtower"]}) is None


# The plan


def test_where_all_is_as_desired_nothing_is_due() -> None:
    for stack, seen in ((secured(), well(secured())), (a_client(), well(a_client()))):
        assert not due(stack, seen).due
        assert [check for check in checks(stack, seen) if not check.verdict.good] == []


def test_a_fresh_redis_never_listens_without_tls() -> None:
    stack = secured()
    seen = Snapshot(files={}, env={}, containers=(), texts={})
    files = {file.path: file.content for file in stack.adapted(seen).secret_files()}
    assert "port 0\n" in files[CONF]


def test_a_running_redis_goes_on_without_tls_until_clients_were_verified() -> None:
    seen = with_redis(plain=6379, secure=0)(converged(a_stack()))
    stack = secured().adapted(seen)
    found = plan(stack, seen)
    assert {change.path for change in found.secrets} == {PEM, CONF, CA, TRUSTED}
    assert "port 6379\n" in next(file.content for file in stack.secret_files() if file.path == CONF)
    (one,) = found.retire
    assert (one.accept, one.retire, one.first, one.last) == ((), False, (), (tls.CLOSES,))
    assert f"redis: its server {tls.CLOSES} when every client has been verified" in list(found.sentences())
    assert {service for service, _ in found.start} == {"redis", "redis-exporter", "openwebui"}


def test_a_run_that_stopped_before_the_port_was_closed_is_gone_on_with() -> None:
    seen = well(secured(), plain=6379)
    (one,) = due(secured(), seen).retire
    assert one.last == (tls.CLOSES,)
    check = about(secured(), seen, "redis.tls")
    assert (check.verdict, check.detail) == (Verdict.FAILED, "redis listens on port 6379 without TLS too")


def test_a_new_certificate_is_taken_when_clients_were_verified_and_no_client_is_recreated() -> None:
    found = due(secured(certificate=NEWER), well(secured()))
    assert [one.last for one in found.retire] == [(tls.RENEWS,)]
    assert (found.files, found.start, found.accept) == ((), (), ())
    check = about(secured(certificate=NEWER), well(secured()), "redis.certificate")
    assert (check.verdict, check.detail) == (Verdict.FAILED, "another certificate than this stack's")


def test_the_way_back_opens_the_other_port_first() -> None:
    found = due(secured("optional"), well(secured()))
    assert [one.first for one in found.accept] == [(tls.OPENS,)]
    assert {service for service, _ in found.start} == {"redis-exporter", "openwebui"}
    after = well(secured("optional"), plain=6379)
    assert not due(secured("optional"), after).due
    check = about(secured("optional"), after, "redis.tls")
    assert (check.verdict, check.detail) == (Verdict.WARNING, "redis listens on port 6379 without TLS too")


@pytest.mark.parametrize(("plain", "port", "refused"), [(0, 6380, True), (6379, 6380, True), (6379, 6379, False)])
def test_clients_that_use_tls_keep_it_from_going(plain: int, port: int, refused: bool) -> None:
    clients = (SeenClient("172.18.0.5", "default", 0, port),)
    seen = with_redis(plain=plain, secure=6380, clients=clients)(converged(a_stack()))
    problems = due(secured("off"), seen).problems
    assert any(problem.startswith("redis_tls: clients of redis use TLS.") for problem in problems) == refused


def test_an_authority_that_left_too_early_stops_the_run() -> None:
    shown = SeenCertificate("0" * 64, 0, "20 (unable to get local issuer certificate)")
    seen = well(secured())
    (problem,) = due(secured(), replace(seen, answers={**seen.answers, "redis.certificate": shown})).problems
    assert problem.startswith(
        "redis_tls: redis has a certificate that clients would no longer trust (20 (unable to get local issuer"
    )


def test_a_client_is_not_switched_to_a_server_that_is_not_ready() -> None:
    seen, redis = well(a_client()), redis_of(a_client())
    assert redis.unready(seen) == ""
    assert redis.unready(replace(seen, answers={})) == "does not answer with TLS"
    shown = SeenCertificate("0" * 64, 0, "18 (self-signed certificate)")
    assert redis.unready(replace(seen, answers={"redis.certificate": shown})).startswith("has no certificate that is trusted")


def test_a_file_that_was_changed_by_hand_is_written_and_read_again() -> None:
    seen = without_file(PEM)(well(secured()))
    assert [change.path for change in due(secured(), seen).secrets] == [PEM]


# Checks


def test_a_client_without_tls_is_named() -> None:
    seen = well(secured(), plain=6379)
    address = seen.of("openwebui")[0].addresses[0]
    seen = with_redis(clients=(SeenClient(address, "default", 0, 6379),))(seen)
    check = about(secured(), seen, "redis.client_login")
    assert (check.verdict, check.detail) == (Verdict.FAILED, "logged in without TLS: openwebui")


@pytest.mark.parametrize(("left", "verdict"), [(RENEWED + 60, Verdict.OK), (RENEWED - 60, Verdict.WARNING), (60, Verdict.WARNING)])
def test_there_is_a_warning_a_month_before_the_end(left: float, verdict: Verdict) -> None:
    for mine, shown in ((NOW + left, NOW + left), (NOW + left, NOW + 10 * RENEWED)):
        certificate = replace(MINE, until=mine)
        assert (
            about(secured(certificate=certificate), well(secured(), replace(MINE, until=shown)), "redis.certificate").verdict
            is verdict
        )
    shown_alone = well(a_client(), replace(MINE, until=NOW + left))
    assert about(a_client(), shown_alone, "redis.certificate").verdict is verdict


@pytest.mark.parametrize(
    ("shown", "verdict", "detail"),
    [
        (UNKNOWN, Verdict.UNKNOWN, "redis did not answer with TLS"),
        (SeenCertificate(lacking=True), Verdict.UNKNOWN, "there is no openssl on this host to ask with"),
        (
            SeenCertificate(MINE.digest, 0, "10 (certificate has expired)"),
            Verdict.FAILED,
            "clients do not trust the certificate of redis: 10 (certificate has expired)",
        ),
    ],
)
def test_a_certificate_that_clients_would_not_take_fails(shown: Any, verdict: Verdict, detail: str) -> None:
    seen = well(secured())
    check = about(secured(), replace(seen, answers={**seen.answers, "redis.certificate": shown}), "redis.certificate")
    assert (check.verdict, check.detail) == (verdict, detail)
    assert check.remedy


# Facts


def test_what_is_no_certificate_is_not_known() -> None:
    fact = Asked()
    assert fact.parse(["lacking"]) == SeenCertificate(lacking=True)
    assert fact.process(["MCAob2sp", "x", "end of another"]) is UNKNOWN
    parts = ["MCAob2sp", "TWF5ICAxIDAwOjAwOjAwIDIwMjcgR01U", "eA=="]
    assert fact.parse(parts) == SeenCertificate("", 1809129600.0, "0 (ok)")


def test_the_address_of_another_host_is_that_with_tls() -> None:
    kind, provided = type(redis_of(secured())), redis_of(secured()).provided
    server = {"redis_publish": "10.0.0.5", "redis_port": 6379}
    assert kind.reached_at(provided, "redis", server) == ADDRESS
    assert kind.reached_at(provided, "redis", {**server, "redis_tls": "on"}) == "10.0.0.5:6380"
    assert kind.reached_at(provided, "redis", {**server, "redis_tls": "on", "redis_tls_port": 7000}) == "10.0.0.5:7000"
    assert kind.reached_at(provided, "redis", {**server, "redis_tls": "optional"}) == ADDRESS
