"""The reference has every public name, and a picture of the imports can be made. What it says of them stands in the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from docs.generate import links, picture, reference
from operations import __main__ as command_line
from operations.stack import verdicts
from operations.stack.snapshot import Snapshot
from operations.stack.stack import Stack
from tests.unit.docs.blocks import ROOT
from tests.unit.stack.hosts import a_client, a_stack, converged
from tests.unit.stack.settings_told import defaults

LIBRARY = ROOT / "operations"
PAGES = reference.pages()
OWN = a_stack(services=[], redis_password_file="secrets/redis_password.txt")  # a redis that the project defines itself


def page(name: str) -> str:
    return PAGES[f"reference/{name}.md"]


def _tree(path: Path) -> list[ast.stmt]:
    return ast.parse(path.read_text(encoding="utf-8")).body


def _operations() -> Iterator[tuple[str, str]]:
    """Module and name of every function that the source calls an operation, or a deploy."""
    for path in LIBRARY.glob("*.py"):
        for node in _tree(path):
            if isinstance(node, ast.FunctionDef) and any(
                re.match(r"(operation|deploy)\(", ast.unparse(one)) for one in node.decorator_list
            ):
                yield path.stem, node.name


def _facts() -> Iterator[str]:
    for path in (*LIBRARY.glob("facts/*.py"), *LIBRARY.glob("services/*/facts.py")):
        for node in _tree(path):
            of = " ".join(ast.unparse(one) for one in node.bases) if isinstance(node, ast.ClassDef) else ""
            if (
                isinstance(node, ast.ClassDef)
                and "Fact" in of
                and any(isinstance(one, ast.FunctionDef) and one.name == "command" for one in node.body)
            ):
                yield f"{'.'.join(path.relative_to(ROOT).with_suffix('').parts)}.{node.name}"


@pytest.mark.parametrize(("module", "name"), sorted(_operations()))
def test_every_operation_is_there(module: str, name: str) -> None:
    (members,) = re.findall(rf"^::: operations\.{module}\n    options:\n      members: \[(.*)\]$", page("operations"), re.MULTILINE)
    assert name in members.split(", ")


@pytest.mark.parametrize("name", sorted(_facts()))
def test_every_fact_is_there(name: str) -> None:
    assert f"::: {name}\n" in page("facts")


def test_what_becomes_a_page_says_what_it_does() -> None:
    assert [name for name, text in reference.docstrings() if not text] == []


def test_no_docstring_holds_what_a_page_would_take_for_html() -> None:
    assert [name for name, text in reference.docstrings() if re.search(r"<\w", re.sub(r"`[^`]*`", "", text))] == []


@pytest.mark.parametrize("name", sorted({*defaults(), "redis_password"} - {"more"}))
def test_every_setting_is_there_with_its_default(name: str) -> None:
    assert f"| `{name}` | <code>" in page("settings")


@pytest.mark.parametrize("stack", [a_stack(), a_client(), OWN], ids=["guide", "client", "own"])
def test_every_check_has_a_meaning(stack: Stack) -> None:
    """One in `MEANINGS` beside the check, or, where a catalogue file declares it, what it asks there."""
    declared = {probe.id for probe in stack.probes}
    for seen in (converged(stack), Snapshot()):
        asked = {re.sub(r"^container\..*", "container.<service>", check.id) for check in verdicts.checks(stack, seen)}
        assert asked <= verdicts.meanings().keys() | declared


def test_every_meaning_and_every_declared_check_is_there() -> None:
    for name in (*verdicts.meanings(), *(probe.id for probe in a_stack().probes)):
        assert reference.code(name) in page("checks")


def test_every_cause_is_there() -> None:
    rows = [row for path in LIBRARY.rglob("causes.yml") for row in yaml.safe_load(path.read_text(encoding="utf-8"))]
    assert rows
    assert [row["id"] for row in rows if f"\n## {row['id']}\n" not in page("causes")] == []


def test_every_catalogue_file_is_there_as_it_is() -> None:
    files = [path for path in LIBRARY.glob("services/*/*.yml") if path.name not in ("causes.yml", "images.yml")]
    assert files
    assert [path.name for path in files if path.read_text(encoding="utf-8").rstrip() not in page("catalogue")] == []


def test_every_command_is_there() -> None:
    found = re.findall(r"^## operations ?(.*)$", page("commands"), re.MULTILINE)
    assert {name.split(" ")[0] for name in found if name} == set(command_line.COMMANDS)
    assert {"backup restore", "secrets new", "fleet run"} <= set(found)


# The picture, and links


def test_imports_run_one_way() -> None:
    assert picture.layers(picture.imports())[-1] == ["deploy.py"]
    assert picture.imports()["stack"] == set()


def test_the_picture_has_every_part() -> None:
    assert all(f">{name}</text>" in picture.svg() for name in picture.imports())


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<a href="other.html#there">a</a> <a href="other.html#gone">b</a> <a href="none.html">c</a>'
        ' <a href="https://example.org">d</a> <img src="https://example.org/e.png">'
    )
    (tmp_path / "other.html").write_text('<h1 id="there"></h1>')
    assert list(links.problems(tmp_path)) == [
        "index.html: loads https://example.org/e.png.",
        "index.html: none.html leads nowhere.",
        "index.html: other.html#gone: that page has no such place.",
    ]
