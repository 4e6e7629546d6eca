"""The order in which services start: tiers of services whose dependencies lie in earlier tiers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter


def tiers(needs: Mapping[str, Iterable[str]], wanted: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """The wanted services in tiers; whatever a tier needs, directly or through others, lies in an earlier one.

    + needs: service → the services that it depends on, of the whole project
    + wanted: the services to start; others only order them

    Raises graphlib.CycleError on a cycle.
    """
    sorter = TopologicalSorter(needs)
    sorter.prepare()
    ordered = []
    while sorter.is_active():
        ready = sorter.get_ready()
        sorter.done(*ready)
        if tier := tuple(sorted(set(ready) & set(wanted))):
            ordered.append(tier)
    return tuple(ordered)


def problems(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Dependencies that nobody defines, and a cycle if there is one, as sentences."""
    found = [
        f"services: {name} depends on {other}, which is not in `services`. Add it, or take {name} out."
        for name, others in needs.items()
        for other in others
        if other not in needs
    ]
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        found.append(f"services: {' → '.join(error.args[1])} depend on each other in a circle. Remove one `depends_on`.")
    return found
