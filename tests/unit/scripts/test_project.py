"""project/write: what Compose refuses replaces nothing."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from operations import scripts
from operations.controller.files import put_list
from operations.stack.files import EnvFile, File, ManagedFile
from operations.stack.service import Loader
from tests.unit.stubs import HOSTILE_FOLDERS, StubHost

SECRET = "Marker_Password-0123456789"
BASE = File("compose.yml", "0644", "services: {}\n")
DOTENV = EnvFile(".env", "keep0644", {"A": "A=1"})
WEB = File("compose.d/web.yml", "0644", "services: {web: {image: x}}\n")
API = File("compose.d/api.yml", "0644", "services: {api: {image: x}}\n")
ALL = (BASE, DOTENV, WEB, API)


@pytest.fixture
def host(tmp_path: Path) -> StubHost:
    host = StubHost(tmp_path)
    host.stub(
        "docker",
        'find .fleet-new.* -type f | sort >"$HOME/staged"; ls env >"$HOME/env" 2>&1; case "$*" in *json*) echo "{}" ;; esac',
    )
    return host


def project(
    host: StubHost,
    *files: ManagedFile,
    remove: tuple[str, ...] = (),
    compose_files: tuple[str, ...] = ("compose.yml",),
    **keys: tuple[str, ...],
) -> subprocess.CompletedProcess[str]:
    """`keys`: service -> what is managed in its env file."""
    overlays = json.dumps({name: {"keys": managed, "env": managed} for name, managed in keys.items()})
    listed, env = put_list(files, remove), [f"env/{name}.env" for name in keys]
    given = {"files": listed, "compose_files": compose_files, "env_files": env, "overlays": overlays}
    return host.script("project/write", root=str(host.root), **given)


def refusing(host: StubHost) -> StubHost:
    """Compose does not accept the project."""
    host.stub("docker", f"echo noise; echo 'web: invalid redis://:{SECRET}@redis' >&2; exit 15")
    return host


def tree(host: StubHost) -> dict[str, str]:
    return {str(path.relative_to(host.root)): path.read_text() for path in host.root.rglob("*") if path.is_file()}


MUTEX = {".fleet/mutex": ""}
OWN = "compose.d/.overlay.yml"
NOTHING = {OWN: "services: {}\n"}
WRITTEN = NOTHING | {
    "compose.yml": "services: {}\n",
    ".env": "A=1\n",
    "compose.d/web.yml": WEB.content,
    "compose.d/api.yml": API.content,
}


def test_what_compose_accepts_is_written(host: StubHost) -> None:
    done = project(host, *ALL)
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(host) == WRITTEN | MUTEX
    assert done.stdout.splitlines() == [f"wrote {path}" for path in (*(file.path for file in ALL), OWN)]


def test_compose_is_asked_about_all_files_together_before_one_is_replaced(host: StubHost) -> None:
    host.write("compose.yml", "services: {mine: {image: x}}\n")
    project(host, DOTENV, WEB, API)
    (words,) = host.calls("docker")
    stage = words[4].removesuffix("/.env")
    assert stage.startswith(".fleet-new.")
    assert words[:5] == ["compose", "--project-directory", ".", "--env-file", f"{stage}/.env"]
    assert words[5:7] == ["-f", "compose.yml"]
    assert sorted(words[7:-4:2]) == ["-f", "-f"]
    assert {Path(word).name for word in words[8:-4:2]} == {"api.yml", "web.yml"}
    assert words[-4:] == ["-f", f"{stage}/{OWN}", "config", "--quiet"]
    staged = (host.home / "staged").read_text().splitlines()
    assert staged == [f"{stage}/{name}" for name in (".env", OWN, "compose.d/api.yml", "compose.d/web.yml")]
    assert tree(host)["compose.yml"] == "services: {mine: {image: x}}\n"


def test_the_projects_own_files_are_read_where_they_are_and_from_the_folder_of_the_first(host: StubHost) -> None:
    for name in ("base", "data"):
        host.write(f"compose/{name}.yml", f"services: {{{name}: {{image: x}}}}\n")
    assert project(host, DOTENV, WEB, compose_files=("compose/base.yml", "compose/data.yml")).returncode == 0
    (call,) = host.calls("docker")
    stage = call[4].removesuffix("/.env")
    assert call == [
        "compose", "--project-directory", "compose", "--env-file", f"{stage}/.env", "-f", "compose/base.yml",
        "-f", "compose/data.yml", "-f", f"{stage}/compose.d/web.yml", "-f", f"{stage}/{OWN}", "config", "--quiet",
    ]  # fmt: skip
    assert tree(host)["compose/base.yml"] == "services: {base: {image: x}}\n"


LISTED = {"web": ["URL=redis://old", "A=b", "KEY"], "api": ["URL=redis://old"], "db": ["URL=x"]}


def test_of_a_list_that_beats_an_env_file_the_rest_is_written_anew(host: StubHost) -> None:
    host.write("compose.yml", "services: {}\n")
    found = json.dumps({"services": {name: {"environment": listed} for name, listed in LISTED.items()}})
    host.stub("docker", f"case \"$*\" in *json*) cat <<'EOF'\n{found}\nEOF\n;; esac")
    done = project(host, *ALL, web=("URL", "KEY"), api=("URL",))
    assert (done.returncode, done.stderr) == (0, "")
    anew = {"web": {"environment": ["A=b"]}, "api": {"environment": []}}
    assert yaml.load(tree(host)[OWN], Loader)["services"] == anew
    assert tree(host)[OWN].count("environment: !override") == 2
    assert (host.root / OWN).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "value",
    ['it\'s "quoted"', "$A ${B} $$5", "a\nb\n", "back\\slash\\n", "# no comment", ": a", "- a", "ü \U0001f600", "\x7f", "a=b=c"],
)
def test_what_is_written_again_is_as_it_was(host: StubHost, value: str) -> None:
    host.write("compose.yml", "services: {}\n")
    listed = ["URL=x", f"A={value}", f"B={value}\nURL=no key"]
    found = json.dumps({"services": {"web": {"environment": listed}, "a: b": {"environment": ["URL=x"]}}})
    host.stub("docker", f"case \"$*\" in *json*) cat <<'EOF'\n{found}\nEOF\n;; esac")
    assert project(host, *ALL, web=("URL",)).returncode == 0
    assert yaml.load(tree(host)[OWN], Loader)["services"] == {"web": {"environment": listed[1:]}}


def test_an_empty_env_file_is_not_made_through_a_link(host: StubHost, tmp_path: Path) -> None:
    (host.root / "env").mkdir()
    (host.root / "env/web.env").symlink_to(tmp_path / "elsewhere")
    assert project(host, *ALL, web=()).returncode != 0
    assert not (tmp_path / "elsewhere").exists()


def test_where_there_is_no_file_of_somebody_else_no_lists_are_looked_for(host: StubHost) -> None:
    assert project(host, *ALL, web=("URL",)).returncode == 0
    assert [call[-2:] for call in host.calls("docker")] == [["config", "--quiet"]]
    assert tree(host)[OWN] == NOTHING[OWN]


def test_where_no_list_beats_an_env_file_the_file_is_the_same_as_where_there_are_none(host: StubHost) -> None:
    host.write("compose.yml", "services: {}\n")
    host.stub("docker", "case \"$*\" in *json*) echo '{}' ;; esac")
    assert project(host, *ALL, web=("URL",)).returncode == 0
    assert tree(host)[OWN] == NOTHING[OWN]


def test_what_is_written_anew_goes_through_compose_before_anything_is_replaced(host: StubHost) -> None:
    host.stub("docker", f"case \"$*\" in *{OWN}*) echo 'web: no' >&2; exit 15 ;; *json*) echo '{{}}' ;; esac")
    done = project(host, *ALL, web=("URL",))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "web: no"
    assert tree(host) == MUTEX


def test_what_compose_refuses_replaces_nothing_and_is_said_without_a_secret(host: StubHost) -> None:
    host.write(".env", "A=0\nMINE=1\n", 0o644)
    host.write("compose.d/web.yml", "old")
    before = tree(host)
    done = project(refusing(host), *ALL, remove=("compose.d/old.yml",))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "Compose does not accept the merged project; nothing was replaced. It says:",
        "noise",
        "web: invalid redis://*MASKED*@redis",
    ]
    assert tree(host) == before | MUTEX


def test_lines_of_somebody_else_in_dotenv_are_seen_by_compose_and_kept(host: StubHost) -> None:
    host.write(".env", "MINE=1\nA=0\n", 0o640)
    host.stub("docker", 'cat .fleet-new.*/.env >"$HOME/dotenv"')
    project(host, *ALL)
    assert (host.home / "dotenv").read_text() == tree(host)[".env"] == "MINE=1\nA=1\n"
    assert (host.root / ".env").stat().st_mode & 0o777 == 0o640


def test_env_files_that_are_not_there_yet_are_empty_for_compose(host: StubHost) -> None:
    host.write("env/web.env", "MINE=1\n")
    assert project(host, *ALL, web=(), api=()).returncode == 0
    assert (host.home / "env").read_text().split() == ["api.env", "web.env"]
    assert tree(host)["env/web.env"] == "MINE=1\n"
    assert (host.root / "env/api.env").stat().st_mode & 0o777 == 0o600


def test_and_are_taken_away_again_where_compose_refuses(host: StubHost) -> None:
    host.write("env/web.env", "MINE=1\n")
    project(refusing(host), *ALL, web=(), api=())
    assert os.listdir(host.root / "env") == ["web.env"]  # noqa: PTH208


def test_a_fragment_that_is_no_longer_wanted_goes_once_compose_has_accepted(host: StubHost) -> None:
    host.write("compose.d/old.yml", "x")
    done = project(host, *ALL, remove=("compose.d/old.yml",))
    assert done.stdout.splitlines()[-1] == "removed compose.d/old.yml"
    assert tree(host) == WRITTEN | MUTEX


def test_what_a_killed_run_left_is_not_taken_for_a_part(host: StubHost) -> None:
    host.write(".fleet-new.0123456789/compose.d/old.yml", "x")
    project(host, *ALL)
    assert "old.yml" not in (host.home / "staged").read_text()


def test_a_list_that_was_cut_off_replaces_nothing(host: StubHost) -> None:
    command = scripts.run(
        "project/write", root=str(host.root), files=put_list(ALL)[:-1], compose_files=["compose.yml"], clients="{}"
    )
    done = host.command(command)
    assert done.returncode != 0
    assert tree(host) == MUTEX
    assert host.calls("docker") == []


@pytest.mark.parametrize("name", HOSTILE_FOLDERS)
def test_a_project_in_a_hostile_folder_is_written_there(tmp_path: Path, name: str) -> None:
    host = StubHost(tmp_path, root=name)
    host.stub("docker")
    assert project(host, *ALL, web=()).returncode == 0
    assert tree(host) == WRITTEN | MUTEX | {"env/web.env": ""}
    assert host.nothing_was_executed()
