"""A study's cells on a Dask cluster: what a scheduler is asked, and what is lost when it goes."""

import contextlib
import functools
import itertools
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.extras import import_extra
from nst_tutorial.runtime.types import PathLike
from nst_tutorial.study.cells import Cell, Outcome, Paint, Parcel, attempt_on_worker, sentence

AHEAD = 1000  # cells that the scheduler holds at once: its memory does not grow with the study
DEADLY = (
    "each worker that painted this cell died of it; perhaps it needs more memory than they have: "
    "give them more, or make the picture smaller."
)
GONE = (
    "the scheduler is gone, or someone cancelled the study there; run it again: finished cells "
    "stay as they are."
)


def spread(
    where: Any,
    cells: Collection[Cell],
    pictures: Mapping[str, Parcel],
    paint: Paint,
    threads: int,
    folder: PathLike,
) -> Iterator[tuple[str, Outcome]]:
    """Paint cells on a cluster; yield `(key, outcome)` as each is done.

    Dask gives up all that was on a worker when it died, if that happens again and again, though
    one cell alone killed them. So these are painted anew at the end, one by one. Where no worker
    is left, we wait for one.

    Args:
        where: a Dask `Client`, or a scheduler's address.
        cells: the `Cell`s, in a collection.
        pictures: `{sha256: Parcel}`; each goes to each worker at most once, and again to a
            worker that takes a dead one's place.
        paint: as `cells.paint_cell`.
        threads: that each worker computes with.
        folder: of the study; a worker that sees it paints nothing that stands there.

    Raises:
        NSTError: `distributed` is not installed, or there is no scheduler, or no longer.
    """
    distributed = import_extra("distributed", "cluster")
    work = functools.partial(attempt_on_worker, threads, str(Path(folder).resolve()), paint)
    with _connected(distributed, where) as client:
        suspects = yield from _painted(client, work, cells, pictures, AHEAD)
        deadly = yield from _painted(client, work, suspects, pictures, ahead=1)
    for cell in deadly:
        yield cell.key, (None, DEADLY)


def _painted(client, work, cells, pictures, ahead):
    """Have cells painted, so many at once; yield as `spread`, return those that died at it."""
    from distributed import KilledWorker, as_completed

    named = {sha for cell in cells for sha in cell.pictures}
    sent = {sha: client.submit(_same, pictures[sha], key=f"picture-{sha}-{ahead}") for sha in named}
    waiting, underway, dead = iter(cells), {}, []

    def submit(count):
        for cell in itertools.islice(waiting, count):
            its = {sha: sent[sha] for sha in cell.pictures}
            future = client.submit(work, cell, its, key=f"cell-{cell.key}-{ahead}")
            underway[future] = cell
            yield future

    running = as_completed(submit(ahead), loop=client.loop)
    try:
        for batch in running.batches():
            outcomes = _outcomes(client, batch)
            for future in batch:  # else, should a worker die now, they would be painted again
                future.release()
            running.update(submit(len(batch)))
            for future, outcome in zip(batch, outcomes, strict=True):
                cell = underway.pop(future)
                if isinstance(outcome, KilledWorker):
                    dead.append(cell)
                elif outcome is not None:
                    yield cell.key, outcome
    finally:
        client.cancel([*underway, *sent.values()])
    return dead


@contextlib.contextmanager
def _connected(distributed, where):
    """A client as it is; one of our own, closed at the end, for an address."""
    if isinstance(where, distributed.Client):
        yield where
        return
    try:
        client = distributed.Client(where)
    except (OSError, ValueError, TypeError) as error:
        raise NSTError(f"there is no scheduler at {where} ({error}); start it first.") from None
    with client:
        yield client


def _outcomes(client, futures):
    """Fetch what cells came to all at once, which is faster; one by one where one is no result."""
    try:
        return client.gather(futures)
    except Exception:  # of any of them
        return [_outcome(future) for future in futures]


def _outcome(future):
    """What a cell came to, or the `KilledWorker` that it died with.

    Raises:
        NSTError: the scheduler is gone.
    """
    from distributed import CancelledError, KilledWorker

    try:
        return future.result()
    except KilledWorker as error:
        return error
    except Exception as error:  # Dask's own: `attempt` lets none of a cell's through
        if future.status == "error":
            return None, sentence(error)
        if isinstance(error, (CancelledError, OSError)):
            raise NSTError(GONE) from None
        raise


def _same(picture):
    return picture
