"""The picture of the architecture: which part of the library imports which, as its modules say."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "operations"
TOP = "operations"  # the modules at the top of the library
WIDTH, HEIGHT, GAP_X, GAP_Y = 150, 44, 36, 60


def part(module: str) -> str:
    """The part of the library that a module is in: its folder, or the top."""
    words = module.split(".")
    return words[1] if len(words) > 1 and (LIBRARY / words[1]).is_dir() else TOP


def imports() -> dict[str, set[str]]:
    """Each part of the library, and deploy.py → the parts that it imports."""
    found: dict[str, set[str]] = {"deploy.py": {part(name) for name in _imported(ROOT / "deploy.py")}}
    for path in LIBRARY.rglob("*.py"):
        own = part(_name(path))
        found.setdefault(own, set()).update({part(name) for name in _imported(path)} - {own})
    return found


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imported(path: Path) -> Iterator[str]:
    """The modules of the library that a file imports; what only a type checker reads does not count."""
    package = (_name(path) if path.name == "__init__.py" else _name(path).rpartition(".")[0]).split(".")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ImportFrom):
            continue
        above = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
        module = ".".join(filter(None, (above, node.module)))
        if module.split(".")[0] == TOP:
            names = (f"{module}.{alias.name}" for alias in node.names)
            # what the package itself says, such as its version, is no module's
            yield from (name for name in names if module != TOP or _is_module(name))


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def layers(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """The parts from the bottom up: each above all that it imports. Raises CycleError where imports go round."""
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    found = []
    while sorter.is_active():
        found.append(sorted(ready := sorter.get_ready()))
        sorter.done(*ready)
    return found


def direct(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Without the imports that another one implies: what is imported by what is imported."""
    below: dict[str, set[str]] = {}
    for name in TopologicalSorter(graph).static_order():
        below[name] = set().union(*(below[needed] | {needed} for needed in graph[name]))
    return {name: {one for one in needed if not any(one in below[other] for other in needed)} for name, needed in graph.items()}


def svg() -> str:
    """The picture, in the colours of the page that it stands in."""
    graph = imports()
    rows = layers(graph)
    across = max(map(len, rows)) * (WIDTH + GAP_X)
    down = len(rows) * (HEIGHT + GAP_Y) - GAP_Y + 20
    at = {}
    for number, row in enumerate(reversed(rows)):
        left = (across - len(row) * (WIDTH + GAP_X) + GAP_X) / 2
        at.update({name: (left + index * (WIDTH + GAP_X), 10 + number * (HEIGHT + GAP_Y)) for index, name in enumerate(row)})
    drawn = [
        f'<svg class="imports" viewBox="0 0 {across} {down}" role="img" aria-label="Which part imports which"'
        ' fill="none" stroke="currentColor" font-size="15" text-anchor="middle">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="currentColor" stroke="none"/></marker></defs>',
    ]
    for name, needs in sorted(direct(graph).items()):
        for other in sorted(needs):
            (x, y), (to_x, to_y) = at[name], at[other]
            middle, end = x + WIDTH / 2, to_x + WIDTH / 2
            bend = GAP_Y * 0.7
            drawn.append(
                f'<path d="M{middle} {y + HEIGHT}C{middle} {y + HEIGHT + bend} {end} {to_y - bend} {end} {to_y}"'
                ' opacity=".5" marker-end="url(#tip)"/>'
            )
    for name, (x, y) in at.items():
        drawn.append(
            f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="var(--md-default-bg-color, white)"/>'
            f'<text x="{x + WIDTH / 2}" y="{y + 27}" fill="currentColor" stroke="none">{escape(name)}</text>'
        )
    return "".join([*drawn, "</svg>"])
