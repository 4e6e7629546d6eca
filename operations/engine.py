"""Docker Engine and the Compose v2 plugin."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api.command import PyinfraCommand

from . import scripts
from .controller.failure import fail, operation
from .facts.engine import Engine
from .stack.plan import engine_needs
from .stack.snapshot import UNKNOWN, SeenEngine, Unknown


@operation()
def docker(
    packages: Sequence[str] = ("docker.io", "docker-cli"),
    compose_packages: Sequence[str] = ("docker-compose-v2", "docker-compose-plugin", "docker-compose"),
    apt_source: str | None = None,
    seen: SeenEngine | Unknown | None = None,
) -> Generator[PyinfraCommand, None, None]:
    """Docker Engine, Compose v2 and curl are there and Docker runs; what suffices is kept as it is.

    + packages: the packages of Docker Engine; those that the host's package sources do not have are left out
    + compose_packages: the first of them that the host's package sources have in version 2 or later is installed
    + apt_source: a line for apt's sources, where the distribution has no Compose v2
    + seen: Docker as a snapshot holds it; asked from the host when left out

    **Example:**

    ```python
    engine.docker(name="Docker runs")
    ```
    """
    found = seen or host.get_fact(Engine, _ignore_errors=True)
    if found is UNKNOWN:
        yield fail("Docker could not be observed; nothing is installed on a host that cannot be seen.")
        return
    if not any(engine_needs(found)):
        host.noop(f"Docker {found.server} with Compose {found.compose} suffices")
        return
    yield scripts.run(
        "engine/install",
        docker_packages=" ".join(packages),
        compose_packages=" ".join(compose_packages),
        apt_source=apt_source or "",
    )
