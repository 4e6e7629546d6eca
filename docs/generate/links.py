"""What is wrong with the site that was built, without asking anybody: `python -m docs.generate.links dist/site`.

Every link within it must lead somewhere, and no page may load anything from another machine.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}
IN_STYLE = re.compile(r"url\(\s*[\"']?(https?:)?//|@import\s+[\"'](https?:)?//")


class Seen(HTMLParser):
    """The names that a page has, where its links lead, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.names, self.links, self.loads = {""}, set[str](), set[str]()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.names.add(value or "")
            elif (tag, name) in LOADED:
                self.loads.add(value or "")
            elif tag == "a" and name == "href":
                self.links.add(value or "")


def problems(site: Path) -> Iterator[str]:
    """Each as a sentence."""
    pages = {path.resolve(): Seen(path) for path in sorted(site.rglob("*.html"))}
    if not pages:
        yield f"{site}: there is no page. Run `make docs`."
    for path, page in pages.items():
        where = path.relative_to(site.resolve())
        if where.name == "404.html":  # is served at any path
            continue
        for link in sorted(page.links | page.loads):
            target = urlsplit(link)
            if target.scheme or target.netloc:
                if link in page.loads:
                    yield f"{where}: loads {link}."
                continue
            to = (path.parent / unquote(target.path)).resolve() if target.path else path
            if not to.is_file():
                yield f"{where}: {link} leads nowhere."
            elif to in pages and target.fragment and unquote(target.fragment) not in pages[to].names:
                yield f"{where}: {link}: that page has no such place."
    for style in sorted(site.rglob("*.css")):
        if IN_STYLE.search(style.read_text(encoding="utf-8")):
            yield f"{style.relative_to(site)}: loads from another machine."


def main(site: Path) -> int:
    found = list(problems(site))
    print("".join(f"{one}\n" for one in found), end="", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
