"""A fleet of real hosts on this machine: containers, each with its own sshd, Docker Engine and Compose."""

from .hosts import Host
from .lab import Lab
from .machine import LabError

__all__ = ["Host", "Lab", "LabError"]
