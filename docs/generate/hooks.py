"""What mkdocs calls: pages that lie outside docs/ or are made from the code become pages of the site, and links lead to them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs.generate import picture, reference

ROOT = Path(__file__).parents[2]
OUTSIDE = {  # path in the project → path on the site
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "tests/README.md": "tests.md",
}
INSIDE = {there: here for here, there in OUTSIDE.items()}
LINK = re.compile(r"\]\((?!\w+:|#)([^)\s#]+)")
PICTURE = "<!-- imports -->"
SCREENSHOTS = ROOT / ".lab/screenshots"  # where `make docs` has put them


def on_files(files: Files, config: MkDocsConfig) -> Files:
    texts = {there: (ROOT / here).read_text(encoding="utf-8") for here, there in OUTSIDE.items()}
    texts |= {file.src_uri: file.content_string for file in files.documentation_pages()}
    linked = {path for page, text in texts.items() for path in _sources(page, text)}
    texts |= reference.pages() | {f"source/{path}.md": _source(ROOT / path) for path in sorted(linked)}
    for name, text in texts.items():
        if files.get_file_from_path(name) is None:
            files.append(File.generated(config, name, content=text))
    for path in sorted(SCREENSHOTS.glob("*.png")):
        files.append(File.generated(config, f"screenshots/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    here = page.file.src_uri
    if here.startswith(("reference/", "source/")):
        return markdown
    markdown = markdown.replace(PICTURE, picture.svg())
    return LINK.sub(lambda link: f"]({posixpath.relpath(_there(here, link[1]), posixpath.dirname(here) or '.')}", markdown)


def _sources(page: str, text: str) -> Iterator[str]:
    """The files of the project that a page links to and that are no pages."""
    for link in LINK.findall(text):
        there = _there(page, link)
        if there.startswith("source/"):
            yield there.removeprefix("source/").removesuffix(".md")


def _there(page: str, link: str) -> str:
    """Where on the site a link of a page leads, which is written as it holds in the project."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(INSIDE.get(page, f"docs/{page}")), link))
    if path in OUTSIDE:
        return OUTSIDE[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else f"source/{path}.md"


def _source(path: Path) -> str:
    kind = {".py": "python", ".yml": "yaml", ".sh": "sh", ".json": "json"}.get(path.suffix, "text")
    name = path.relative_to(ROOT)
    return f"---\nsearch: {{exclude: true}}\n---\n\n# {name}\n\n~~~~~{kind}\n{path.read_text(encoding='utf-8')}\n~~~~~\n"
