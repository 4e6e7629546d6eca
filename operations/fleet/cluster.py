"""The workers of a Dask cluster: they run shards, and are told to end them. A shard whose worker dies is run again by another."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..report.terminal import folded
from ..stack.errors import SettingsError
from ..stack.text import clean
from ..stack.waves import Hosts
from . import worker

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE = 60  # seconds for the workers of a cluster to come
# what a worker here runs first: Ctrl-C is for the shards, which end in order, and a worker that is ended complains to nobody.
# No SIG_IGN, which a shard's process would inherit.
_CALM = """\
import logging, signal
signal.signal(signal.SIGINT, lambda *_: None)
logging.getLogger("distributed").setLevel(logging.CRITICAL)
"""


@contextmanager
def cluster(workers: int, scheduler: str | None) -> Iterator[Client]:
    """A client of the cluster at this address, or of one on this machine, which ends with it.

    Raises SettingsError when there is none.
    """
    try:
        from distributed import Client, LocalCluster
        from distributed.security import Security
    except ImportError as error:
        raise SettingsError("This command needs Dask: pip install pyinfra-compose[dask]") from error
    if scheduler is None:
        # whoever may talk to a worker may run anything as this user, so even here nobody may without the certificate
        with (
            LocalCluster(
                n_workers=workers, threads_per_worker=1, security=Security.temporary(), protocol="tls",
                dashboard_address=None, preload=[_CALM],
            ) as local,
            Client(local) as client,
        ):  # fmt: skip
            yield client
        return
    try:
        client = Client(scheduler)
        client.wait_for_workers(workers, timeout=PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        raise SettingsError(
            f"--scheduler: at {scheduler} there is no scheduler with {workers} workers ({error}). Start `python -m dask scheduler` "
            "and, in the project's folder on every machine, `python -m dask worker`; or ask for fewer with --workers."
        ) from error
    with client:
        _alike(client.run(worker.source))
        yield client


def _alike(sources: Mapping[str, str]) -> None:
    """Raises SettingsError where workers would not run the same.

    + sources: a worker's address → what `worker.source` says there
    """
    machines: dict[str, list[str]] = {}
    for address, source in sources.items():
        machines.setdefault(source, []).append(address)
    if len(machines) > 1:
        apart = "; ".join(folded(sorted(one)) for one in machines.values())
        raise SettingsError(
            f"--scheduler: the workers differ in the project's code, hosts, settings or secrets: {apart}. Nothing was changed. "
            "Give all of them the same commit, hosts file, .env and environment, and start them anew."
        )


class Workers:
    """Runs shards, and tells of each that has ended. Ctrl-C has them end in order, a second one at once.

    + run: the id of the whole run
    + words: of pyinfra's command line
    + key: of the fingerprints that all shards show
    """

    def __init__(self, client: Client, run: str, words: Sequence[str], key: str) -> None:
        self.client, self.id, self.words, self.key = client, run, words, key
        self.signals = [signal.SIGKILL, signal.SIGINT]

    def __enter__(self) -> Workers:
        self.former = {number: signal.signal(number, self._interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.former.items():
            signal.signal(number, handler)

    def run(
        self, title: str, shards: Sequence[tuple[str, ...]], words: Sequence[str]
    ) -> Iterator[tuple[tuple[str, ...], worker.Outcome]]:
        """The shards with what they came to, each when it has ended."""
        from distributed import as_completed

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("hosts"),
            TimeElapsedColumn(),
        )
        console = Console(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
        with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
            task = progress.add_task(title, total=sum(map(len, shards)))
            begun = {
                self.client.submit(worker.run, one, [*words, *self.words], self.id, self.key, pure=False): one for one in shards
            }
            for future in as_completed(begun):
                shard, outcome = begun.pop(future), _outcome(future)
                future.release()  # else Dask would run it again when its worker dies
                progress.advance(task, len(shard))
                console.print(clean(f"{title}: {_told(shard, outcome)}"))
                yield shard, outcome

    def _interrupt(self, number: int, frame: object) -> None:
        how = self.signals.pop() if self.signals else signal.SIGKILL
        # not in the signal's handler, for the client may be in the middle of something
        Thread(target=self.client.run, args=(worker.stop, self.id, how), daemon=True).start()
        print("The shards are being ended. Once more kills them.", file=sys.stderr)


def _outcome(future: Future[worker.Outcome]) -> worker.Outcome:
    if future.status == "finished":
        outcome: worker.Outcome = future.result()
        return outcome
    error = None if future.cancelled() else future.exception()
    why = f"{type(error).__name__}: {error}" if error else "the scheduler was lost"
    return worker.Outcome(None, f"No worker could run its shard ({why}).")


def _told(shard: Hosts, outcome: worker.Outcome) -> str:
    found = Counter(host["status"] for host in outcome.report["hosts"].values()) if outcome.report else Counter[str]()
    counts = ", ".join(f"{number} {status}" for status, number in sorted(found.items())) or "no report"
    return f"{folded(shard)} on {outcome.where or 'no worker'}: {counts} ({outcome.seconds:.1f} s)"
