"""Reading the hosts: what pyinfra is given, and what is said of a file that is wrong."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations.controller import inventory
from operations.controller.shard import Groups
from operations.stack.errors import InventoryError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    return tmp_path / "hosts.yml"


def load(path: Path, text: str | bytes) -> Groups:
    path.write_bytes(dedent(text).encode() if isinstance(text, str) else text)
    return inventory.load(path)


def problems(path: Path, text: str | bytes) -> list[str]:
    with pytest.raises(InventoryError) as caught:
        load(path, text)
    assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


# What pyinfra is given


def test_groups_hosts_and_data_take_pyinfras_form(hosts: Path) -> None:
    groups = load(
        hosts,
        """
        web:
          hosts:
            erni-1: {ssh_port: 2201, _sudo: true}
            erni-2:
          data: {stack_dir: /srv/x, services: [redis]}
        spare:
          hosts:
        """,
    )
    assert groups == {
        "web": (
            [("erni-1", {"ssh_port": 2201, "_sudo": True}), ("erni-2", {})],
            {"stack_dir": "/srv/x", "services": ["redis"]},
        ),
        "spare": ([], {}),
    }


def test_relative_paths_start_at_the_files_folder(hosts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    keys = """
        web:
          hosts: {a: {ssh_key: keys/a}, b: {ssh_key: /abs}, c: {ssh_key: ~/.ssh/c}}
          data: {ssh_known_hosts_file: known}
        """
    members, data = load(hosts, keys)["web"]
    assert [d["ssh_key"] for _, d in members] == [f"{tmp_path}/keys/a", "/abs", "/home/me/.ssh/c"]
    assert data == {"ssh_known_hosts_file": f"{tmp_path}/known"}


def test_all_becomes_the_first_group_with_every_host_in_it(hosts: Path) -> None:
    text = "web: {hosts: {a: , b: {size: 1}}}\nall: {hosts: {c: {size: 2}}, data: {colour: red}}\n"
    groups = load(hosts, text)
    assert list(groups) == ["inventory", "web"]
    assert groups["inventory"] == ([("a", {}), ("b", {}), ("c", {"size": 2})], {"colour": "red"})


def test_a_host_may_be_in_several_groups_with_its_data_in_one(hosts: Path) -> None:
    groups = load(hosts, "canary: {hosts: {a: }}\nweb: {hosts: {a: {ssh_port: 1}, b: }}\n")
    assert [list(dict(members)) for members, _ in groups.values()] == [["a"], ["a", "b"]]


@pytest.mark.parametrize("name", ["erni-1", "10.0.0.1", "::1", "a.example.org", "'@local'", "'@docker/debian:12'"])
def test_a_usual_host_name_is_accepted(hosts: Path, name: str) -> None:
    assert load(hosts, f"web:\n  hosts:\n    {name}:\n")["web"][0] == [(name.strip("'"), {})]


def test_the_example_can_be_loaded() -> None:
    assert set(inventory.load(ROOT / "hosts.example.yml")) == {"production", "canary"}


def test_a_thousand_hosts_are_read(hosts: Path) -> None:
    text = "web:\n  hosts:\n" + "".join(f"    h{n}: {{ssh_port: {n + 1}}}\n" for n in range(1000))
    assert len(load(hosts, text)["web"][0]) == 1000


# What is said of a file that is wrong


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "there is no host in it"),
        ("web:\n  hosts:\n  data: {a: 1}\n", "there is no host in it"),
        ("- a\n- b\n", "is a list, expected a mapping: group → hosts, data."),
        ("just text", 'is "just text", expected a mapping'),
        ("web: {hosts: [a, b]}", "web: hosts: is a list, expected a mapping: a line `name:` for each host."),
        ("web: 3", "web: is 3, expected a mapping: `hosts` and `data`."),
        ("web: {hosts: {a: 22}}", "web: a: is 22, expected a mapping: lines such as `ssh_port: 22`, or nothing."),
        ("web: {hosts: {a: }, data: [x]}", "web: data: is a list, expected a mapping"),
        ("web: {hosts: {a: }, hots: 1}", "web: hots: is neither `hosts` nor `data`."),
        ("we b: {hosts: {a: }}", "we b: is no group name."),
        ("_web: {hosts: {a: }}", "_web: is no group name."),
        ("1: {hosts: {a: }}", "1: is no group name."),
        ("inventory: {hosts: {a: }}", "inventory: pyinfra uses this name itself."),
        ("names_data: {hosts: {a: }}", "names_data: pyinfra uses this name itself."),
        ("web: {hosts: {-oProxyCommand=x: }}", "web: -oProxyCommand=x: is no host name."),
        ("web: {hosts: {a b: }}", "web: a b: is no host name."),
        ("web: {hosts: {12: }}", "web: 12: the host's name is 12, expected text. Put it in quotes."),
        ("web: {hosts: {on: }}", "web: True: the host's name is true, expected text. Put it in quotes."),
        ("web: {hosts: {a: {3: x}}}", "web: a: the key is 3, expected text."),
    ],
)
def test_a_wrong_form_is_named(hosts: Path, text: str, problem: str) -> None:
    assert problem in "\n".join(problems(hosts, text))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (
            'ssh_port: "22o1"',
            'ssh_port is "22o1", expected a number from 1 to 65535. Correct it, or leave it out for 22.',
        ),
        ("ssh_port: 0", "ssh_port is 0, expected a number from 1 to 65535."),
        ("ssh_port: 65536", "ssh_port is 65536, expected a number"),
        ("ssh_port: true", "ssh_port is true, expected a number"),
        ("ssh_port: 22.5", "ssh_port is 22.5, expected a number"),
        ("ssh_hostname: 10", "ssh_hostname is 10, expected text."),
        ("ssh_user: ", "ssh_user is empty, expected text."),
        ("ssh_key: [a]", "ssh_key is a list, expected text."),
        ("_sudo: 1", "_sudo is 1, expected true or false."),
        ('_sudo: "yes"', '_sudo is "yes", expected true or false.'),
        ("ssh_prot: 1", "ssh_prot: pyinfra has no such key; ssh_port is one."),
        ("_sodu: true", "_sodu: pyinfra has no such key; _sudo is one."),
    ],
)
def test_a_wrong_value_of_pyinfras_own_data_is_named(hosts: Path, data: str, problem: str) -> None:
    (found,) = problems(hosts, f"web:\n  hosts:\n    a:\n      {data}\n")
    assert found.startswith(f"web: a: {problem}")


def test_the_data_of_a_group_is_checked_like_that_of_a_host(hosts: Path) -> None:
    (found,) = problems(hosts, "web: {hosts: {a: }, data: {ssh_port: x}}")
    assert found.startswith('web: data: ssh_port is "x", expected a number')


def test_a_secret_in_the_file_is_refused_and_not_shown(hosts: Path) -> None:
    text = "web: {hosts: {a: {redis_password: hunter2}}, data: {My_Password: hunter2, ssh_password: 12345}}"
    found = problems(hosts, text)
    assert [problem.split(" a password", 1)[0] for problem in found[:2]] == [
        "web: a: redis_password:",
        "web: data: My_Password:",
    ]
    assert 'Secret("REDIS_PASSWORD")' in found[0]
    assert found[2].startswith("web: data: ssh_password is a value that is not shown, expected text.")
    assert "hunter2" not in str(found)
    assert "12345" not in str(found)


def test_pyinfras_own_passwords_are_allowed(hosts: Path) -> None:
    load(hosts, "web: {hosts: {a: {ssh_password: x, _sudo_password: y, ssh_key_password: z}}}")


def test_what_is_there_twice_is_refused(hosts: Path) -> None:
    text = """\
        web:
          hosts:
            a: {ssh_port: 1, ssh_port: 2}
            b:
            a:
        web:
        """
    assert sorted(problems(hosts, text)) == [
        "web is there twice, on lines 1 and 6. Remove one.",
        "web: hosts: a is there twice, on lines 3 and 5. Remove one.",
        "web: hosts: a: ssh_port is there twice, on lines 3 and 3. Remove one.",
    ]


def test_a_key_that_overrides_a_merged_one_is_no_duplicate(hosts: Path) -> None:
    groups = load(hosts, "web:\n  hosts:\n    a: &d {ssh_user: x, ssh_port: 1}\n    b: {<<: *d, ssh_port: 2}\n")
    assert dict(groups["web"][0])["b"] == {"ssh_user": "x", "ssh_port": 2}


def test_a_host_with_contradicting_data_is_refused(hosts: Path) -> None:
    (found,) = problems(hosts, "x: {hosts: {a: {ssh_port: 1}}}\ny: {hosts: {a: {ssh_port: 2, ssh_user: u}}}\n")
    assert found.startswith("y: a: has other data here than in x (ssh_port, ssh_user).")


def test_all_problems_are_told_at_once(hosts: Path) -> None:
    assert len(problems(hosts, "x: {hosts: {a: {ssh_port: x, _sudo: 1}}, data: 3}\ny: {hosts: {b c: }}\n")) == 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("web:\n  hosts: [a\n", "line 3, column 1: is no valid YAML"),
        ("web:\n\thosts:\n", "line 2, column 1: is no valid YAML"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1: is no valid YAML"),
        ("a: !!python/object/apply:os.system [true]\n", "line 1, column 4: is no valid YAML"),
        ("a: 2024-99-99\n", "is no valid YAML (month must be in 1..12"),
        (b"a: \xff\n", "is not UTF-8 text (byte 4)."),
        (b"a: \x00\n", "is no valid YAML"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_place(hosts: Path, text: str | bytes, problem: str) -> None:
    (found,) = problems(hosts, text)
    assert problem in found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.text(), st.binary(), st.text(alphabet="a: \n-[]{}&*!|>'\"#?,<")))
def test_any_other_file_gives_hosts_or_a_clear_error(hosts: Path, text: str | bytes) -> None:
    with suppress(InventoryError):
        assert load(hosts, text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))


def test_a_missing_file_is_a_clear_error(hosts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_HOSTS", str(hosts))
    with pytest.raises(InventoryError, match=r"hosts\.yml: there is no such file\. Correct FLEET_HOSTS\."):
        inventory.load(inventory.find(hosts.parent))


# Which file


def test_the_named_file_comes_first_then_hosts_yml_then_the_labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".lab").mkdir()
    (tmp_path / ".lab" / "hosts.yml").touch()
    monkeypatch.setenv("FLEET_HOSTS", "")
    assert inventory.find(tmp_path) == tmp_path / ".lab" / "hosts.yml"
    (tmp_path / "hosts.yml").touch()
    assert inventory.find(tmp_path) == tmp_path / "hosts.yml"
    monkeypatch.setenv("FLEET_HOSTS", "other.yml")
    assert inventory.find(tmp_path) == Path("other.yml")


def test_no_file_at_all_names_the_three_places_and_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLEET_HOSTS", raising=False)
    with pytest.raises(InventoryError) as caught:
        inventory.find(tmp_path)
    for part in ("FLEET_HOSTS", f"{tmp_path}/hosts.yml", f"{tmp_path}/.lab/hosts.yml", "make lab"):
        assert part in str(caught.value)
