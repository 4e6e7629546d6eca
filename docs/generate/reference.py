"""The reference, made from the code: each function gives one page in Markdown. What it says stands in the code and nowhere else."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import textwrap
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from pyinfra.api import FactBase

from operations import COMMAND
from operations import __main__ as command_line
from operations.stack import diagnosis, registry, verdicts
from operations.stack.catalogue import catalogue
from operations.stack.service import Service
from operations.stack.settings import Settings, described

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "operations"
GROUP_DATA = ROOT / "group_data/all.py"

# what a deploy and an inventory of one's own use besides operations and facts
BESIDE = (
    "operations.controller.observe.plan_host",
    "operations.controller.observe.observe_fleet",
    "operations.facts.bundle.ask",
    "operations.controller.failure.operation",
    "operations.controller.secrets.Secret",
    "operations.controller.inventory.find",
    "operations.controller.inventory.load",
    "operations.controller.preflight.plainly",
    "operations.controller.preflight.arm",
)


def pages() -> dict[str, str]:
    """Path on the site → Markdown."""
    makers: Mapping[str, Callable[[], str]] = {
        "operations": operations,
        "facts": facts,
        "settings": settings,
        "checks": checks,
        "causes": causes,
        "catalogue": services,
        "commands": commands,
    }
    return {f"reference/{name}.md": make() for name, make in makers.items()}


def operations() -> str:
    """Every operation, by the module of its noun."""
    text = [
        "# Operations\n\nIn the wheel the package is called `pyinfra_compose`. How they are used: "
        "[Operations and facts](../operations.md).\n"
    ]
    for path in sorted(LIBRARY.glob("*.py")):
        names = [name for name, value in _own(f"operations.{path.stem}") if hasattr(value, "_inner")]
        if names:
            text.append(f"::: operations.{path.stem}\n    options:\n      members: [{', '.join(names)}]\n")
    text.append("## Beside them\n\nWhat a deploy and an inventory of your own use too.\n")
    text += [f"::: {name}\n    options:\n      heading_level: 3\n" for name in BESIDE]
    return "\n".join(text)


def facts() -> str:
    """Every fact, those of services last."""
    text = [
        "# Facts\n\nA fact that could not ask gives `UNKNOWN`. How they are used: [Operations and facts](../operations.md#facts).\n"
    ]
    for path in (*sorted(LIBRARY.glob("facts/*.py")), *sorted(LIBRARY.glob("services/*/facts.py"))):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name, value in _own(module):
            if inspect.isclass(value) and issubclass(value, FactBase) and path.stem != "base":
                text.append(f"::: {module}.{name}\n    options:\n      members: false\n")
    return "\n".join(text)


def docstrings() -> Iterator[tuple[str, str]]:
    """The full name of everything that gets a page from its docstring, and that docstring."""
    for module, members in re.findall(
        r"^::: (\S+)\n    options:\n(?:      members: \[(.*)\])?", operations() + facts(), re.MULTILINE
    ):
        for name in (f"{module}.{one}" for one in members.split(", ")) if members else [module]:
            yield name, _docstring(name)


def _docstring(name: str) -> str:
    """That of a function or a class, as its source has it: to import some of them changes what threads are (pyinfra_cli does)."""
    module, _, own = name.rpartition(".")
    source = ROOT.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    (node,) = (one for one in ast.parse(source).body if isinstance(one, ast.FunctionDef | ast.ClassDef) and one.name == own)
    return ast.get_docstring(node) or ""


def _own(module: str) -> Iterator[tuple[str, Any]]:
    """The public names that a module defines itself, in its order."""
    for name, value in vars(import_module(module)).items():
        if not name.startswith("_") and getattr(value, "__module__", "") == module:
            yield name, value


def settings() -> str:
    """Every setting: those of group_data/all.py by its sections, then those of services that are in no stack by default."""
    text = ["# Settings\n\nSet them in `group_data/all.py`, in a group's file beside it, or in `hosts.yml`. Each has a default.\n"]
    known = Settings().all()
    told = list(shown())
    for section in dict.fromkeys(one for one, *_ in told):
        text.append(f"## {words(section.partition(':')[0])}\n")
        rows = []
        for _, name, default, comment in (one for one in told if one[0] == section):
            kind = described(name, known[name]) if name in known else "a reference to a secret"
            rows.append((f"`{name}`", code(default), words(kind), words(comment)))
        text.append(table(("setting", "default", "may be", "what"), rows))
    for service in catalogue().values():
        if service.name not in Settings().services and service.settings:
            found = service.settings.items()
            declared = [(f"`{name}`", code(repr(value)), words(described(name, value))) for name, value in found]
            text += [f"## {words(service.name)}\n", table(("setting", "default", "may be"), declared)]
    return "\n".join(text)


def shown() -> Iterator[tuple[str, str, str, str]]:
    """Section, name, default and comment of each setting in group_data/all.py, as they stand there."""
    source = GROUP_DATA.read_text(encoding="utf-8")
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(iter(source.splitlines(keepends=True)).__next__)
        if token.type == tokenize.COMMENT
    }
    lines = source.splitlines()
    sections = {number: text for number, text in comments.items() if lines[number - 1].startswith("#")}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            section = next(text for number, text in reversed(sections.items()) if number < node.lineno)
            yield section, ast.unparse(target), ast.unparse(node.value), comments.get(node.end_lineno or 0, "")


def checks() -> str:
    """Every check: what it says, and those that catalogue files declare."""
    text = ["# Checks\n\nWhat each says when it is ok. How they are used, and how to add one: [Checks](../checks.md).\n"]
    text.append(table(("check", "is ok when"), [(code(name), words(said)) for name, said in verdicts.meanings().items()]))
    text.append("## Declared in catalogue files\n")
    rows = [
        (code(one.id), one.service, f"{one.kind} {code(' '.join(one.target))}", code(f"{_compared[one.compare]} {one.expected}"))
        for service in catalogue().values()
        for one in service.probes
    ]
    text.append(table(("check", "service", "asks", "is ok when the answer is"), rows))
    return "\n".join(text)


_compared = {"equals": "=", "above": ">", "below": "<"}


def causes() -> str:
    """Every known cause, the most particular first, as they are searched."""
    text = [
        "# Causes\n\nWhere a check failed, these are searched from the top for one whose symptom is found: a regular expression, "
        "in what the check says or in the log of a service. [How to add one](../architecture.md#what-to-touch).\n"
    ]
    for row in diagnosis.table():
        where = f"the log of {row.log}" if row.log else "what the check says"
        text.append(
            f"## {row.id}\n\n{words(row.cause)}\n\n**Remedy:** {words(row.remedy)}\n\n"
            f"Explains {', '.join(map(code, row.checks))} by {code(row.pattern.pattern)} in {where}. "
            f"Known from: {words(row.source)}.\n"
        )
    return "\n".join(text)


def services() -> str:
    """Every file of the catalogue, with what it brings."""
    text = ["# Catalogue files\n\nHow to write one: [Your own services](../catalogue.md).\n"]
    for service in sorted(catalogue().values(), key=lambda one: one.name):
        text += [f"## {service.name}\n", *(f"- {line}" for line in _brings(service)), "\n```yaml", service.text.rstrip(), "```\n"]
    return "\n".join(text)


def _brings(service: Service) -> Iterator[str]:
    for name, provided in service.provides.items():
        kind = registry.kinds()[provided.kind]
        what = "the login" if kind.served else "the key"
        yield f"gives {what} `{{{name}.…}}`, a {code(kind.kind)}, with the secret `{provided.secret}`"
    if service.settings:
        yield f"settings: {', '.join(map(code, service.settings))}"
    if service.reads_env:
        yield f"keys of {code(service.env_path)}: {', '.join(map(code, service.env))}"
    if service.probes:
        yield f"checks: {', '.join(code(one.id) for one in service.probes)}"


def commands() -> str:
    """The command line: what every command says of itself."""
    text = [
        "# Command line\n\nBeside pyinfra's own. `pyinfra-compose` of the wheel is the same as `.venv/bin/python -m operations` in "
        "the checkout.\n"
    ]
    for parser in parsers():
        # as wide as a page, whatever terminal this is made on
        parser.formatter_class = lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=100)
        text.append(f"## {parser.prog.replace(COMMAND, 'operations')}\n\n```text\n{parser.format_help().rstrip()}\n```\n")
    return "\n".join(text)


def parsers() -> Iterator[argparse.ArgumentParser]:
    """The parser of every command, and of the commands below it."""
    yield parser_of(command_line.main)
    for module, _ in command_line.COMMANDS.values():
        yield from _and_below(parser_of(import_module(module, "operations").main))


def parser_of(main: Callable[[list[str]], int]) -> argparse.ArgumentParser:
    """The parser that a `main` makes: caught when it is about to be used."""

    class Caught(Exception):
        pass

    def catch(parser: argparse.ArgumentParser, *_: Any) -> Any:
        raise Caught(parser)

    kept = {name: getattr(argparse.ArgumentParser, name) for name in ("parse_args", "parse_known_args")}
    try:
        for name in kept:
            setattr(argparse.ArgumentParser, name, catch)
        main([])
    except Caught as caught:
        parser: argparse.ArgumentParser = caught.args[0]
        return parser
    finally:
        for name, value in kept.items():
            setattr(argparse.ArgumentParser, name, value)
    raise LookupError(main)


def _and_below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _and_below(below)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def code(text: str) -> str:
    """Text as code, in a cell of a table too."""
    return f"<code>{_plain(text)}</code>"


def words(text: str) -> str:
    """A sentence as Markdown: what looks like HTML is shown, and what is in backquotes stays code."""
    plain = re.split(r"(`[^`]*`)", textwrap.dedent(text).strip())
    return "".join(code(one[1:-1]) if one.startswith("`") else _plain(one) for one in plain)


def _plain(text: str) -> str:
    marks = {character: f"&#{ord(character)};" for character in "|*_[]{}\\`"}
    return "".join(marks.get(character, character) for character in escape(text, quote=False))
