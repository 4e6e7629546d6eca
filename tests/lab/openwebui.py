"""The real Open WebUI as an image: from PyPI, with pip and its settings as they are on this machine.

It is big and slow to build, so that no `up` builds it. Its Debian is the last one whose Python it accepts.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pip

from .hosts import Host
from .images import HERE, ON_REQUEST, Images, in_hosts
from .lab import Lab
from .machine import LabError, run, say

NAME = "openwebui-real"
PATIENCE = 1200  # seconds that a build may take
# how the image is started, as far as the original's is like it
CONFIG = (
    "ENV PYTHONPATH=/app/packages PYTHONUNBUFFERED=1 DATA_DIR=/app/backend/data",
    "WORKDIR /app/backend",
    "EXPOSE 8080",
    'CMD ["/app/packages/bin/open-webui", "serve"]',
)
# what else decides how pip reaches an index
TAKEN = re.compile(r"(https?|all|no)_proxy|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE", re.IGNORECASE)


def provide(lab: Lab, host: Host) -> str:
    """The image is in the host; returns its name there."""
    with lab.checkout.locked():
        images = lab.images
        if images.tag(NAME) not in images.ids():
            _build(images)
        images.bring(host, NAME)
    return in_hosts(NAME)


def _build(images: Images) -> None:
    """Run `install` in a container of the base and make an image of that: a Dockerfile could not show it the machine's files."""
    if images.tag(ON_REQUEST[NAME]) not in images.ids():
        images.make_base(ON_REQUEST[NAME])
    say(f"images: building {NAME} from PyPI (takes minutes)")
    container = f"{images.checkout.slug}-{NAME}"
    given = settings()
    shown = {HERE / NAME: "/build", Path(pip.__path__[0]): "/pip/pip", **{path: str(path) for path in files(given.values())}}
    mounts = [word for path, place in shown.items() for word in ("--volume", f"{path}:{place}:ro")]
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in given.items())
    # over standard input, for what `run --env` is told becomes part of the image
    script = f"timeout {PATIENCE} sh -c '. /dev/stdin; exec nice -n 10 sh /build/install </dev/null'"
    images.engine.docker("rm", "--force", container, check=False)
    try:
        images.engine.docker(
            *("run", "--interactive", "--name", container, "--network", "host", "--label", images.checkout.label, *mounts),
            *(images.tag(ON_REQUEST[NAME]), "sh", "-c", script),
            stdin=exports,
            timeout=PATIENCE + 30,
        )
        changes = [word for change in CONFIG for word in ("--change", change)]
        images.engine.docker("commit", *changes, container, images.tag(NAME))
        images.forget(images.ids())
    except LabError as error:
        raise LabError(f"Open WebUI could not be installed from PyPI. {error}") from None
    finally:
        images.engine.docker("rm", "--force", "--volumes", container, check=False)


def settings() -> dict[str, str]:
    """This machine's pip settings as environment variables: from its files and its environment, the stronger last."""
    found = dict(line.split("=", 1) for line in run(sys.executable, "-m", "pip", "config", "list").splitlines() if "=" in line)
    taken = {name: value for name, value in os.environ.items() if TAKEN.fullmatch(name)}
    for section in ("global", "install", ":env:"):
        for name, value in found.items():
            if name.startswith(f"{section}."):
                key = name.removeprefix(f"{section}.").upper().replace("-", "_")
                taken[f"PIP_{key}"] = ast.literal_eval(value)
    return taken


def files(values: Iterable[str]) -> set[Path]:
    """The files and folders that such settings name; for an index on disk the folder above, where its packages are, too."""
    words = [word for value in values for word in value.split()]
    found = [Path(word) for word in words if word.startswith("/")]
    found += [Path(unquote(urlsplit(word).path)).parent for word in words if word.startswith("file:")]
    return {path for path in found if path.exists() and path != Path("/")}
