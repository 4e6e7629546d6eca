"""Env files that the operation writes on a host are read back exactly as meant: by the host's own Compose, and by python-dotenv."""

from __future__ import annotations

import base64
import io
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.fleet.fleet import Fleet
from tests.lab import Host
from tests.unit.env_texts import NASTY, carried

FOLDER = "/opt/env-compose"
WORDS = ["", "a b", 'it\'s "so"', "C:\\new folder\\", "$HOME ${X} $(date) `date`", "redis://:p%40ss@redis:6379/0", "Größe 😀"]
DEPLOY = """\
import json
from pathlib import Path

from operations import env

env.env_file(name="Nasty values", path="PATH", keys=json.loads(Path("KEYS").read_text()))
"""


def nasty() -> dict[str, str]:
    """Every pair of characters that quoting goes wrong with, at the ends of a value and in its middle."""
    characters = dict.fromkeys(NASTY)
    pairs = ["".join(pair) for pair in itertools.product(characters, repeat=2)]
    found = dict.fromkeys([*WORDS, *pairs, *(f"x{pair}x" for pair in pairs)])
    return {f"V{number}": value for number, value in enumerate(filter(carried, found))}


@dataclass(frozen=True)
class Written:
    """What was meant, and what lies on the host."""

    host: Host
    keys: Mapping[str, str]
    output: str

    @property
    def path(self) -> str:
        return f"{FOLDER}/nasty.env"


@pytest.fixture(scope="module")
def written(hosts: list[Host], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    folder, host, keys = tmp_path_factory.mktemp("env"), hosts[0], nasty()
    (folder / "keys.json").write_text(json.dumps(keys))
    deploy = folder / "deploy.py"
    deploy.write_text(DEPLOY.replace("PATH", f"{FOLDER}/nasty.env").replace("KEYS", str(folder / "keys.json")))
    run = Fleet(folder, [host]).pyinfra("-y", "inventory", str(deploy))
    yield Written(host, keys, run.output)
    host.run(f"rm -rf {FOLDER}")


def test_compose_reads_back_what_was_meant(written: Written) -> None:
    project = {"services": {"one": {"image": "x", "env_file": [written.path]}}}
    text = written.host.run(f"cd {FOLDER} && docker compose --file - config --format json", stdin=json.dumps(project))
    found = json.loads(text)["services"]["one"]["environment"]
    # `config` prints a project that can be read again, so it doubles each `$`
    assert {key: value.replace("$$", "$") for key, value in found.items()} == written.keys, written.output


def test_python_dotenv_reads_back_what_was_meant(written: Written) -> None:
    text = base64.b64decode(written.host.run(f"base64 {written.path}")).decode()
    assert dotenv_values(stream=io.StringIO(text, newline=""), interpolate=False) == written.keys, written.output


def test_the_file_is_its_owners_alone(written: Written) -> None:
    assert written.host.run(f"stat -c %a {written.path}") == "600\n", written.output


def test_writing_it_again_changes_nothing(written: Written, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(written.keys))
    deploy = tmp_path / "deploy.py"
    deploy.write_text(DEPLOY.replace("PATH", written.path).replace("KEYS", str(tmp_path / "keys.json")))
    run = Fleet(tmp_path, [written.host]).pyinfra("-y", "inventory", str(deploy))
    assert "No changes" in run.output
    assert "] Success" not in run.output
