"""Files of an operator's own catalogue as a test writes them, and what becomes of the catalogue in a stack."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from operations.stack.catalogue import read_service
from operations.stack.errors import CatalogueError, SettingsError
from operations.stack.files import EnvFile
from operations.stack.service import Loader
from operations.stack.stack import OVERLAY, Stack
from tests.unit.stack.hosts import a_stack

ROOT = Path(__file__).parents[3]
SHIPPED = ("litellm", "openwebui", "postgres", "postgres-exporter", "redis", "redis-exporter", "searxng", "watchtower")
GUIDE = ("openwebui", "redis", "redis-exporter", "watchtower")
EVERY = {
    "redis_publish",
    "redis_tls_used",
    "redis_tls_published",
    "postgres_publish",
    "postgres_used",
    "postgres_vectors_used",
    "openwebui_shared",
    "litellm_db",
    "webui_secret_key",
    "oauth_session_token_encryption_key",
    *SHIPPED,
    *(f"{name.replace('-', '_')}_image" for name in SHIPPED),
}
MARKER = "Marker_Password-0123456789"

Put = Callable[..., Path]
Definition = Mapping[str, Any]


def web(fleet: str = "", definition: str = "image: web:1") -> str:
    """A file for a service called `web`; `fleet` is the inside of x-fleet."""
    return f"x-fleet:\n{_indented(fleet, 2)}\nservices:\n  web:\n{_indented(definition, 4)}\n"


def _indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line for line in text.splitlines())


def problems_of(path: Path) -> tuple[str, ...]:
    with pytest.raises(CatalogueError) as caught:
        read_service(path)
    assert all(problem.startswith(f"{path}: ") for problem in caught.value.problems)
    return tuple(problem.removeprefix(f"{path}: ") for problem in caught.value.problems)


def only_problem(path: Path) -> str:
    (problem,) = problems_of(path)
    return problem


def refused(folder: str, *services: str, **data: Any) -> tuple[str, ...]:
    """Why there is no stack with these services of the operator's folder."""
    with pytest.raises(SettingsError) as caught:
        a_stack(services=["watchtower", "redis", *services], catalog_dirs=[folder], **data)
    return caught.value.problems


def with_web(folder: str, **data: Any) -> Stack:
    return a_stack(services=["watchtower", "redis", "web"], catalog_dirs=[folder], **data)


def env_of(stack: Stack, service: str) -> Mapping[str, str | None]:
    (file,) = (file for file in stack.env_files if file.path == f"env/{service}.env")
    return values(file)


def values(file: EnvFile) -> Mapping[str, str | None]:
    return dotenv_values(stream=StringIO("\n".join(file.lines.values())))


def definition(stack: Stack, service: str) -> Definition:
    """A service's definition as Compose has it."""
    (text,) = (f.content for f in stack.fragments(True) if f.path == f"compose.d/{service}.yml")
    found = yaml.load(text, Loader)["services"][service]
    return dict(yaml.safe_load(json.dumps(found).replace("$$", "$")))


def write_project(stack: Stack, folder: Path, start_interval: bool) -> None:
    """The project's files as they lie on a host."""
    env = {file.path: "".join(f"{line}\n" for line in file.lines.values()) for file in (stack.dotenv, *stack.env_files)}
    whole = {file.path: file.content for file in (*stack.base(), *stack.fragments(start_interval))}
    for path, content in (env | whole | {OVERLAY: "services: {}\n"}).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(content)


def compose(words: list[str], folder: Path, *command: str) -> str:
    done = subprocess.run([*words, *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
