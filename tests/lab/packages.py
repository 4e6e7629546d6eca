"""Debian packages for the lab: fetched with the machine's own apt, unpacked under `.lab/tools`, never installed."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from .machine import Checkout, LabError, as_root, in_parallel, run, say

SYSTEM = ("/usr/sbin", "/sbin")  # where root finds programs too

# command → the package that brings it, for commands that may be missing
NEEDED = {
    "dockerd": "docker.io",
    "ip": "iproute2",
    "iptables": "iptables",
    "debootstrap": "debootstrap",
    "ssh-keygen": "openssh-client",
    "gpgv": "gpgv",
}


class NoEngineError(LabError):
    """There is no Docker Engine here, and apt has none."""


def fetch_tools(checkout: Checkout) -> None:
    """What building a lab takes and this machine lacks, with every library: a Docker Engine only where none is installed."""
    done = checkout.tools / ".complete"
    if done.exists():
        return
    wanted = sorted({package for command, package in NEEDED.items() if not installed(command)})
    shutil.rmtree(checkout.tools, ignore_errors=True)
    archives = checkout.tools / "archives"
    (archives / "partial").mkdir(parents=True)
    lists = checkout.tools / "lists"
    if wanted:
        say(f"engine: fetching {', '.join(wanted)} with apt, into .lab/tools")
    if missing := _download(wanted, archives):
        (lists / "partial").mkdir(parents=True)
        private = ("-o", f"Dir::State::lists={lists}")
        _apt("update", *private, check=False)
        missing = _download(wanted, archives, *private)
    if "docker.io" in missing:
        raise NoEngineError("apt has no docker.io. Install Docker Engine yourself; the lab uses it, whether it runs or not.")
    if missing:
        raise LabError(f"apt does not get {', '.join(missing)}. Install them yourself and try again.")
    in_parallel(lambda deb: run("dpkg", "-x", deb, checkout.tools), sorted(archives.glob("*.deb")))
    shutil.rmtree(archives)
    shutil.rmtree(lists, ignore_errors=True)
    _choose_iptables(checkout)
    done.touch()


def installed(command: str) -> bool:
    """Whether this machine has a command, where root would find it too."""
    return shutil.which(command, path=":".join((os.environ.get("PATH", ""), *SYSTEM))) is not None


def _download(wanted: list[str], archives: Path, *options: str) -> list[str]:
    """Download the packages and what they depend on, as far as it is not installed; returns those that did not come."""
    if not wanted:
        return []
    # the client is a package of its own from Debian 13 on
    client = ["docker-cli"] if "docker.io" in wanted and run("apt-cache", *options, "show", "docker-cli", check=False) else []
    words = ("--download-only", "--no-install-recommends", "-o", f"Dir::Cache::archives={archives}", "install")
    _apt("--yes", *options, *words, *wanted, *client, check=False)
    return [package for package in wanted if not any(archives.glob(f"{package}_*.deb"))]


def _apt(*words: str, check: bool = True) -> str:
    quiet = ("-qq", "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=true", "-o", "Acquire::Retries=3")
    return run("apt-get", *quiet, *words, check=check)


def _choose_iptables(checkout: Checkout) -> None:
    """Debian's alternatives are not set by unpacking: link the variant that this kernel takes."""
    folder = checkout.tools / "usr/sbin"
    for variant in ("nft", "legacy"):
        if not (folder / f"xtables-{variant}-multi").exists():
            return  # the machine has an iptables of its own
        for name in (
            "iptables",
            "iptables-save",
            "iptables-restore",
            "ip6tables",
            "ip6tables-save",
            "ip6tables-restore",
        ):
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(f"xtables-{variant}-multi")
        if run(*with_tools(checkout, "iptables", "-t", "nat", "-S"), check=False):
            return
    raise LabError("iptables does not work on this kernel, so Docker cannot. Run the lab on another machine.")


def with_tools(checkout: Checkout, *words: str | Path) -> tuple[str | Path, ...]:
    """The command as root, with the unpacked packages behind the machine's own."""
    tools = checkout.tools
    libraries = sorted({str(path.parent) for path in (tools / "usr/lib").glob("*-linux-*/*.so*")})
    libraries += sorted({str(path.parent) for path in (tools / "lib").glob("*-linux-*/*.so*")})
    plugins = next(tools.glob("usr/lib/*/xtables"), None)
    return as_root(
        "env",
        f"PATH={os.environ.get('PATH', '')}:/usr/sbin:/sbin:{tools}/usr/sbin:{tools}/usr/bin:{tools}/sbin:{tools}/bin",
        *([f"LD_LIBRARY_PATH={':'.join(libraries)}"] if libraries else []),
        *([f"XTABLES_LIBDIR={plugins}"] if plugins else []),
        f"DEBOOTSTRAP_DIR={tools}/usr/share/debootstrap",
        *words,
    )


def mirror() -> str:
    """The Debian mirror that this machine's apt uses."""
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").split()
    for uri in targets:
        if re.match(r"(https?|file):", uri) and "security" not in uri:
            return uri
    raise LabError(
        "This machine's apt has no Debian mirror to build images from. Start a Docker Engine that can pull debian:trixie-slim."
    )


def settings() -> str:
    """What an image's apt must be told to use that mirror as this machine does: proxies, and how strict it is on dates."""
    dump = run("apt-config", "dump", "--format", '%F "%v";%n')
    taken = re.compile(r"(Acquire::(https?::Proxy|Check-Valid-Until|Check-Date|Retries)\b.*|.*::Pipeline-Depth) \"[^\"]+\";")
    return "".join(f"{line}\n" for line in dump.splitlines() if taken.fullmatch(line))
