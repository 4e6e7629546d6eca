"""The fleet's certificate authority: what it issues, when again, and what it says where it cannot."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from operations.__main__ import main
from operations.controller import authority, certificates
from operations.controller.authority import Authority, given
from operations.controller.certificates import now
from operations.stack.certificate import Certificate, digest
from operations.stack.errors import CertificateError

NAMES = ("redis", "localhost", "10.0.0.5")


@pytest.fixture
def fleet(tmp_path: Path) -> Authority:
    """One that has just been made."""
    made = Authority(tmp_path / "tls")
    made.make()
    return made


def of(fleet: Authority, names: Sequence[str] = NAMES) -> Certificate:
    return fleet.certificate("erni-1", "redis", names)


def the_problem(fleet: Authority, names: Sequence[str] = NAMES) -> str:
    with pytest.raises(CertificateError) as caught:
        of(fleet, names)
    (problem,) = caught.value.problems
    return problem


def lasting(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    monkeypatch.setattr(certificates, "SERVER", timedelta(days=days))


def test_openssl_takes_what_it_issues_for_its_names_alone(fleet: Authority, tmp_path: Path) -> None:
    found = of(fleet)
    (tmp_path / "own.crt").write_text(found.own)
    (tmp_path / "trusted.crt").write_text(found.trusted)
    verify = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(tmp_path / "trusted.crt")]
    for flag, name, well in (
        ("hostname", "redis", True),
        ("ip", "10.0.0.5", True),
        ("hostname", "other", False),
        ("ip", "10.0.0.6", False),
    ):
        done = subprocess.run([*verify, f"-verify_{flag}", name, str(tmp_path / "own.crt")], capture_output=True, check=False)
        assert (done.returncode == 0) == well, (name, done.stderr)


def test_a_second_look_issues_nothing(fleet: Authority) -> None:
    assert of(fleet) == of(fleet)
    assert len({of(fleet).digest, fleet.certificate("erni-2", "redis", NAMES).digest, digest("")}) == 3


def test_who_only_trusts_gets_no_certificate(fleet: Authority) -> None:
    found = of(fleet, ())
    assert (found.own, found.key) == ("", "")
    assert found.trusted == of(fleet).trusted
    assert [place for place, _ in fleet.issued()] == ["erni-1/redis"]


@pytest.mark.parametrize(("days", "again"), [(31, False), (29, True), (0.01, True)])
def test_it_is_issued_again_a_month_before_its_end(
    fleet: Authority, monkeypatch: pytest.MonkeyPatch, days: float, again: bool
) -> None:
    lasting(monkeypatch, days)
    before = of(fleet)
    assert before.until == pytest.approx((now() + timedelta(days=days)).timestamp(), abs=60)
    lasting(monkeypatch, 365)
    assert (of(fleet) != before) == again


@pytest.mark.parametrize("names", [(*NAMES, "10.0.0.6"), ("redis", "localhost", "10.0.0.6")])
def test_it_is_issued_again_for_other_names(fleet: Authority, names: Sequence[str]) -> None:
    before = of(fleet)
    assert of(fleet, names).digest != before.digest
    assert of(fleet, names).digest == of(fleet, names).digest
    assert of(fleet, names[:2]).digest == of(fleet, names).digest


def test_what_is_forgotten_is_issued_again(fleet: Authority) -> None:
    mine, other = of(fleet), fleet.certificate("erni-2", "redis", NAMES)
    assert fleet.forget(["erni-1"]) == 1
    assert of(fleet).digest != mine.digest
    assert fleet.certificate("erni-2", "redis", NAMES) == other
    assert fleet.forget() == 2


def test_another_authority_is_trusted_beside_the_previous_one_until_that_is_retired(fleet: Authority) -> None:
    before = of(fleet)
    fleet.make()
    during = of(fleet)
    assert during.trusted.endswith(before.trusted)
    assert during.trusted.count("BEGIN") == 2
    assert during.digest != before.digest
    given(during.trusted, before.pem, NAMES)  # which clients still take
    assert fleet.retire() == 1
    assert fleet.retire() == 0
    after = of(fleet)
    assert (after.pem, after.trusted.count("BEGIN")) == (during.pem, 1)
    with pytest.raises(CertificateError, match="none of the authorities that are trusted has issued it"):
        given(after.trusted, before.pem, NAMES)


def test_private_keys_are_for_their_owner_alone_and_shown_nowhere(fleet: Authority) -> None:
    found = of(fleet)
    assert stat.S_IMODE(fleet.folder.stat().st_mode) == 0o700
    for path in fleet.folder.rglob("*.*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o644 if path.suffix == ".crt" else 0o600), path
    assert "PRIVATE" not in repr(found)
    place = fleet.folder / "servers/erni-1/redis.pem"
    place.chmod(0o640)
    assert the_problem(fleet) == f"{place}: its mode is 0640, so others can read the private key. Run: chmod 600 {place}"


def test_without_an_authority_it_is_said_how_to_make_one(tmp_path: Path) -> None:
    assert "trusted.crt does not exist. Make a certificate authority for the fleet with:" in the_problem(
        Authority(tmp_path / "tls")
    )


def test_files_of_the_operators_own_are_taken_as_they_are(fleet: Authority) -> None:
    found = of(fleet)
    (fleet.folder / "authority.pem").unlink()
    assert not fleet.issues
    assert of(fleet) == found
    place = fleet.folder / "servers/erni-1/redis.pem"
    assert the_problem(fleet, ("redis", "web")) == f"{place}: is no certificate for web. Put one there that is."
    place.unlink()
    assert the_problem(fleet).startswith(f"{place}: does not exist, and there is no authority that could issue it.")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no private key that can be read"),
        ("{own}", "has no private key that can be read"),
        ("{key}", "has no certificate in it"),
        ("{key}{other}", "its private key is not that of its first certificate"),
        ("{key}{own}", ""),
    ],
)
def test_a_file_that_is_no_pair_is_told(fleet: Authority, text: str, problem: str) -> None:
    mine, other = of(fleet), fleet.certificate("erni-2", "redis", NAMES)
    (fleet.folder / "authority.pem").unlink()
    place = fleet.folder / "servers/erni-1/redis.pem"
    place.write_text(text.format(key=mine.key, own=mine.own, other=other.own))
    if problem:
        assert the_problem(fleet).startswith(f"{place}: {problem}")
    else:
        assert of(fleet) == mine


def test_one_that_has_ended_is_told_before_a_run(fleet: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    found = of(fleet)
    monkeypatch.setattr(authority, "now", lambda: certificates.now() + timedelta(days=366))
    with pytest.raises(CertificateError, match="it has ended on"):
        given(found.trusted, found.pem, NAMES)


# The command line


def test_the_commands_say_what_they_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ["--dir", str(tmp_path / "tls")]
    assert main(["tls", "list", *place]) == 1
    assert "Make a certificate authority" in capsys.readouterr().err
    assert main(["tls", "renew", *place]) == main(["tls", "retire", *place]) == 1
    assert main(["tls", "init", *place]) == 0
    assert "made an authority" in capsys.readouterr().out
    assert main(["tls", "init", *place]) == 1
    assert "has an authority already" in capsys.readouterr().err
    of(Authority(tmp_path / "tls"))
    assert main(["tls", "renew", "--authority", *place]) == 0
    assert main(["tls", "list", *place]) == 0
    said = capsys.readouterr().out
    assert "(364 days)" in said
    assert [line.split(" ")[0] for line in said.splitlines()[1:]] == ["issues", "trusted", "erni-1/redis"]
    assert main(["tls", "renew", "erni-1", *place]) == main(["tls", "retire", *place]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "1 certificate will be issued again. Run the deploy."
