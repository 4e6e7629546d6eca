"""Env files, in which some keys are managed and every other line is somebody else's."""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Mapping

from pyinfra import host
from pyinfra.api import HiddenValue, StringCommand
from pyinfra.api.command import PyinfraCommand

from .controller.failure import fail, operation
from .controller.files import put
from .controller.host_plan import HostPlan
from .controller.observe import plan_host
from .facts.files import EnvKeys, Files
from .stack.changes import env_changes
from .stack.env_file import line
from .stack.files import EnvFile, Folder, ManagedFile
from .stack.snapshot import UNKNOWN, Snapshot


@operation()
def env_file(path: str, keys: Mapping[str, str | HiddenValue], mode: str = "0600") -> Generator[PyinfraCommand, None, None]:
    """Set keys in an env file and leave every other line as it is.

    + path: absolute path on the host
    + keys: name → value; values are quoted so that Compose and python-dotenv read them back unchanged
    + mode: the file's mode, octal

    Raises EnvValueError for a value that no quoting can carry, such as one with a line break.

    **Example:**

    ```python
    env.env_file(
        name="Set the application's environment",
        path="/opt/app/env/app.env",
        keys={"LOG_LEVEL": "info"},
    )
    ```
    """
    root, name = posixpath.split(path)
    plain = {key: value.unmask() if isinstance(value, HiddenValue) else value for key, value in keys.items()}
    wanted = EnvFile(name, mode, {key: line(key, value) for key, value in plain.items()})
    files = host.get_fact(Files, root=root, paths=[name])
    found = host.get_fact(EnvKeys, root=root, files={name: list(wanted.lines)}, wanted=[wanted])
    if files is UNKNOWN or found is UNKNOWN:
        yield fail(f"{path} could not be observed; it is left as it is.")
        return
    if not any(env_changes(wanted, Snapshot(files=files, env=found))):
        host.noop(f"{path} is as desired")
        return
    yield put(root, [wanted])


@operation()
def env_files(planned: HostPlan | None = None) -> Generator[StringCommand, None, None]:
    """Every env file of the stack, and the files of its credentials.

    + planned: what is to be done on the host; observed and planned when left out
    """
    planned = planned or plan_host()
    stack, due = planned.stack, planned.plan
    paths = {change.path for change in (*due.env, *due.secrets)}
    if not paths:
        host.noop("every env file is as desired")
        return
    # what an env file names is there before it
    files: list[ManagedFile | Folder] = [*stack.folders(), *stack.secret_files(), *stack.env_files]
    yield put(stack.settings.stack_dir, [file for file in files if file.path in paths])
