"""About the least that a deploy does: one fact and two operations on each host."""

from __future__ import annotations

from pyinfra import host
from pyinfra.facts.server import Command
from pyinfra.operations import server

host.get_fact(Command, command="true")
server.shell(name="One", commands=["true"])
server.shell(name="Two", commands=["true"])
