"""The images of the stack's services on a host: the same everywhere, pulled with the logins they want, or copied."""

from __future__ import annotations

import base64
import json
from collections.abc import Generator
from pathlib import Path

from pyinfra import host
from pyinfra.api import FunctionCommand
from pyinfra.api.command import PyinfraCommand

from . import scripts
from .controller import pins
from .controller.copy import copy
from .controller.failure import operation
from .controller.host_plan import HostPlan
from .controller.observe import Fleet, plan_host
from .controller.progress import waiting
from .stack.pins import domain, learnt, repository
from .stack.stack import Stack


@operation()
def bring(planned: HostPlan | None = None, fleet: Fleet | None = None) -> Generator[PyinfraCommand, None, None]:
    """The images that the plan names are on the host, under their names; no service is touched. All of them, or none.

    With `pull` "copy" they come from this machine's Docker, or from another host of the run, else from their registries.

    + planned: what is to be done on the host; observed and planned when left out
    + fleet: the hosts of the run, which an image may be copied from
    """
    planned = planned or plan_host()
    stack, due = planned.stack, planned.plan.images
    if not due:
        host.noop("its images are there")
        return
    if stack.settings.pull == "copy":
        for change in due:
            yield FunctionCommand(copy, (planned, fleet, change), {})
        return
    with waiting(", ".join(change.name for change in due)):
        lines = [
            f"{one.name} {repository(one.name)} {one.pin.digest if one.pin else '-'} {domain(one.name)}"
            for one in due
            if not one.pin or one.pin.digest
        ]
        yield scripts.run(
            "images/pull",
            root=stack.settings.stack_dir,
            images=lines,
            config=docker_config(stack),
            logins=[*stack.registries],
        )


@operation()
def keep(planned: HostPlan | None = None) -> Generator[PyinfraCommand, None, None]:
    """What the host is well with is kept in `images.lock` on this machine. Nothing on the host is changed.

    + planned: what was to be done on the host; observed and planned when left out
    """
    planned = planned or plan_host()
    stack = planned.stack
    if host.state.is_executing and (known := learnt(stack.pins, planned.checked)):
        pins.keep(Path(stack.settings.images_lock), known)
    host.noop("the images that it runs are known")
    yield from ()


def docker_config(stack: Stack) -> str:
    """A docker config with the logins of registries."""
    auths = {
        _key(name): {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
        for name, (user, password) in stack.registries.items()
    }
    return json.dumps({"auths": auths})


def _key(registry: str) -> str:
    """What Docker calls a registry in its config."""
    return "https://index.docker.io/v1/" if registry == "docker.io" else registry
