"""The catalogue: one YAML file per service, read from this package and from the operator's own folders."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .errors import CatalogueError
from .service import Loader, Service, entry, setting_of
from .service_problems import problems

CAUSES, IMAGES = "causes.yml", "images.yml"  # of a service, beside its own file: see diagnosis.py and images.py
_OWN = Path(__file__).parent.parent / "services"


@cache
def catalogue(dirs: tuple[str, ...] = ()) -> Mapping[str, Service]:
    """Every service that can be named in `services`; a file in a later folder replaces one of the same name.

    Raises CatalogueError with every problem of every file at once.
    """
    services: dict[str, Service] = {}
    wrong: list[str] = []
    for folder in (*sorted(path for path in _OWN.iterdir() if path.is_dir()), *map(Path, dirs)):
        if not folder.is_dir():
            wrong.append(f"catalog_dirs: {folder} is no folder. Correct the path, or remove it.")
            continue
        for path in sorted(path for path in folder.glob("*.yml") if path.name not in (CAUSES, IMAGES)):
            try:
                services[path.stem] = read_service(path)
            except CatalogueError as error:
                wrong += error.problems
    if wrong:
        raise CatalogueError(wrong)
    return services


@cache
def server_settings(dirs: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The settings that name the host of the inventory whose server is used."""
    entries = catalogue(dirs).items()
    return tuple(setting_of(name, "host") for name, service in entries if any(one.port for one in service.provides.values()))


def folders_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The operator's own folders in a host's data; none where the setting is wrong, which is told with the other settings."""
    dirs = data.get("catalog_dirs") or ()
    return tuple(dirs) if isinstance(dirs, list | tuple) and all(isinstance(folder, str) for folder in dirs) else ()


def read_service(path: Path) -> Service:
    """One file of the catalogue. Raises CatalogueError with every problem of the file."""
    try:
        text = path.read_text(encoding="utf-8")
        document = yaml.load(text, Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CatalogueError([f"{path}: cannot be read: {' '.join(str(error).split())}"]) from error
    if found := problems(path.stem, text, document):
        raise CatalogueError([f"{path}: {problem}" for problem in found])
    return entry(path.stem, text, document)
