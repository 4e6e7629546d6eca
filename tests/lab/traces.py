"""What a dockerd leaves on a machine (mounts, control groups, packet filter rules), and taking it away again."""

from __future__ import annotations

from pathlib import Path

from .machine import Checkout, as_root, run
from .packages import with_tools

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


def remember(checkout: Checkout) -> None:
    """Note what the machine was like before its first dockerd."""
    note = checkout.lab / "engine/ip_forward"
    note.parent.mkdir(mode=0o700, exist_ok=True)
    if not note.exists():
        note.write_text(FORWARDING.read_text())


def unmount(checkout: Checkout, *folders: Path) -> None:
    """Unmount everything below the folders, the deepest first."""
    below = (f"{checkout.lab}/", *(f"{folder}/" for folder in folders))
    mounts = [line.split()[4].replace("\\040", " ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    ours = [mount for mount in mounts if mount.startswith(below)]
    for mount in sorted(ours, key=len, reverse=True):
        run(*as_root("umount", "--lazy", mount), check=False)


def erase(checkout: Checkout) -> None:
    """Bring control groups, packet filter and forwarding back to what they were before the first dockerd."""
    for hierarchy in (Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/")):
        group = hierarchy / checkout.slug
        if group.is_dir():
            run(*as_root("find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"), check=False)
    note = checkout.lab / "engine/ip_forward"
    if not note.exists() or _another_engine():
        return
    script = Path(__file__).parent / "scripts/forget_docker_rules.sh"
    run(*with_tools(checkout, "sh", script), check=False)
    run(*as_root("tee", FORWARDING), stdin=note.read_text(), check=False)
    run(*as_root("rm", "-f", note))


def _another_engine() -> bool:
    return any(_comm(folder) == "dockerd" for folder in Path("/proc").glob("[0-9]*"))


def _comm(folder: Path) -> str:
    try:
        return (folder / "comm").read_text().strip()
    except OSError:
        return ""
