"""What a dockerd leaves on a machine (mounts, control groups, packet filter rules), and taking it away again."""

from __future__ import annotations

from pathlib import Path

from .machine import LABEL, Checkout, as_root, executables, run
from .packages import with_tools

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
# what dockerd and containerd make outside of their own folders; no option moves it
FIXED = ("/etc/docker/key.json", "/opt/containerd", "/run/containerd", "/run/docker")
NOTE = Path(f"/run/{LABEL}.before")  # of the machine, not of a checkout: several may run at once


def remember() -> None:
    """Note what the machine was like before its first lab's dockerd."""
    if not NOTE.exists():
        missing = [path for path in FIXED if not Path(path).exists()]
        run(*as_root("tee", NOTE), stdin="\n".join([FORWARDING.read_text().strip(), *missing]))


def unmount(*folders: Path) -> None:
    """Unmount everything below the folders, the deepest first."""
    below = tuple(f"{folder}/" for folder in folders)
    mounts = [line.split()[4].replace("\\040", " ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    ours = [mount for mount in mounts if mount.startswith(below)]
    for mount in sorted(ours, key=len, reverse=True):
        run(*as_root("umount", "--lazy", mount), check=False)


def remove_cgroups(checkout: Checkout) -> None:
    for hierarchy in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/")):
        group = hierarchy / checkout.slug
        if group.is_dir():
            run(*as_root("find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"), check=False)


def restore(checkout: Checkout) -> None:
    """Take away the lab's bridge and its rules; with the last dockerd everything that a dockerd changes."""
    last = NOTE.exists() and not _another_engine()
    forwarding, *missing = NOTE.read_text().split() if last else [""]
    script = Path(__file__).parent / "scripts/restore_network.sh"
    run(*with_tools(checkout, "sh", script, checkout.bridge, "last" if last else "", forwarding), check=False)
    if last:
        run(*as_root("rm", "-rf", "--one-file-system", NOTE, *missing))
        run(*as_root("rmdir", "--ignore-fail-on-non-empty", "/etc/docker"), check=False)


def _another_engine() -> bool:
    return any(Path(program).name in ("dockerd", "containerd") for program in executables().values())
