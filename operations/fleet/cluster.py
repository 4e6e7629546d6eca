"""The workers of a Dask cluster: they run shards, and are told to end them. A shard whose worker dies is run again by another."""

from __future__ import annotations

import secrets
import signal
import sys
import time
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
from . import received, worker

if TYPE_CHECKING:
    from distributed import Client, Future

PATIENCE = 60  # seconds for the workers of a cluster to come
TRIES = 4  # workers that a shard is given to, as Dask does when workers die
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
    except (OSError, ValueError, TypeError, TimeoutError) as error:  # TypeError: tls:// without a certificate
        raise SettingsError(
            f"--scheduler: at {scheduler} there is no scheduler with {workers} workers ({error}). Start `python -m dask scheduler` "
            "and, in the project's folder on every machine, `python -m dask worker`; or ask for fewer with --workers. "
            "With tls:// this machine needs the certificates too: distributed.comm.tls.* in Dask's configuration."
        ) from error
    with client:
        yield client


def agreed(client: Client, words: Sequence[str]) -> worker.Agreed:
    """What a run depends on, which is the same for all workers.

    + words: of pyinfra's command line

    Raises SettingsError where they differ, or one cannot say.
    """
    key = secrets.token_bytes(32)
    found = {where: received.digests(answer) for where, answer in client.run(worker.asked, key, words).items()}
    problems: dict[str, list[str]] = {}
    for where, answer in found.items():
        if isinstance(answer, str):
            problems.setdefault(answer, []).append(where)
    if problems:
        raise SettingsError(
            [f"--scheduler: {folded(some)} cannot run this: {why} Nothing was changed." for why, some in problems.items()]
        )
    return worker.Agreed(key, tuple(words), _same({where: one for where, one in found.items() if not isinstance(one, str)}))


def _same(found: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """What all workers say. Raises SettingsError where workers would not run the same.

    + found: a worker's address → what a run there depends on, as digests
    """
    machines: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for address, digests in found.items():
        machines.setdefault(tuple(sorted(digests.items())), []).append(address)
    if len(machines) > 1:
        apart = "; ".join(folded(sorted(one)) for one in machines.values())
        raise SettingsError(
            f"--scheduler: the workers differ in {worker.listed(worker.differing(found.values()))}: {apart}. Nothing was changed. "
            "Give all of them the same commit, hosts file, secrets and environment, and start them anew."
        )
    return next(iter(found.values()))


class Workers:
    """Runs shards, and tells of each that has ended. Ctrl-C has them end in order, a second one at once.

    + run: the id of the whole run
    + words: of pyinfra's command line
    + key: of the fingerprints that all shards show
    + agreed: what workers that come later are compared with
    """

    def __init__(self, client: Client, run: str, words: Sequence[str], key: str, agreed: worker.Agreed | None = None) -> None:
        self.client, self.id, self.words, self.key, self.agreed = client, run, words, key, agreed
        self.signals = [signal.SIGKILL, signal.SIGINT]
        self.begun: dict[Future[worker.Outcome], Hosts] = {}

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
            parts = {one[0]: 0.0 for one in shards}  # of a shard, by its first host: how much is done

            def tell(shard: str, part: float) -> None:
                parts[shard] = max(part, parts[shard])  # one that is run again is not counted twice
                progress.update(task, completed=sum(len(one) * parts[one[0]] for one in shards))

            def heard(event: tuple[object, object]) -> None:
                if (found := received.progress(event[1])) and found[0] in parts:
                    tell(*found)

            self.client.subscribe_topic(worker.progress_topic(self.id), heard)
            tries = Counter[Hosts]()
            running = as_completed([self._begin(one, words) for one in shards])
            for future in running:
                shard = self.begun.pop(future)
                outcome = self._outcome(future, shard)
                if outcome.unfit:
                    self._dismiss(future)
                    console.print(outcome.said)
                future.release()  # else Dask would run it again when its worker dies
                tries[shard] += 1
                if outcome.unfit and tries[shard] < TRIES:
                    running.add(self._begin(shard, words))
                    continue
                tell(shard[0], 1)
                console.print(clean(f"{title}: {_told(shard, outcome)}"))
                yield shard, outcome

    def _begin(self, shard: Hosts, words: Sequence[str]) -> Future[worker.Outcome]:
        future = self.client.submit(worker.run, shard, [*words, *self.words], self.id, self.key, self.agreed, pure=False)
        self.begun[future] = shard
        return future

    def _outcome(self, future: Future[worker.Outcome], shard: Hosts) -> worker.Outcome:
        if future.status == "finished":
            return received.outcome(future.result(), shard)
        if future.cancelled() and len(self.signals) < 2:
            return worker.Outcome(None, stopped=True)
        error = None if future.cancelled() else future.exception()
        why = f"{type(error).__name__}: {error}" if error else "the scheduler was lost"
        return worker.Outcome(None, f"No worker could run its shard ({received.text(why)}).")

    def _dismiss(self, future: Future[worker.Outcome]) -> None:
        """Have the worker end that would not do the same as the others, or it would be given one shard after the other."""
        workers = {address for some in self.client.who_has([future]).values() for address in some}
        future.release()  # the last worker with an answer that somebody wants is not let go
        for _ in range(50):
            if self.client.retire_workers(list(workers)) or not workers & self.client.nthreads().keys():
                return
            time.sleep(0.1)

    def _interrupt(self, number: int, frame: object) -> None:
        how = self.signals.pop() if self.signals else signal.SIGKILL
        # not in the signal's handler, for the client may be in the middle of something
        Thread(target=self._stop, args=(how,), daemon=True).start()
        print("The shards are being ended. Once more kills them.", file=sys.stderr)

    def _stop(self, how: int) -> None:
        worker.stopped_event(self.id, self.client).set()  # first, for workers that come from now on
        if not self.client.run(worker.stop, self.id, how):  # nobody is there to end them
            self.client.cancel(list(self.begun))


def _told(shard: Hosts, outcome: worker.Outcome) -> str:
    found = Counter(host["status"] for host in outcome.report["hosts"].values()) if outcome.report else Counter[str]()
    counts = ", ".join(f"{number} {status}" for status, number in sorted(found.items())) or "no report"
    return f"{folded(shard)} on {outcome.where or 'no worker'}: {counts} ({outcome.seconds:.1f} s)"
