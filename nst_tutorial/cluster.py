"""A study's cells on a Dask cluster: what a scheduler is asked, and what is lost when it goes."""

import contextlib
import functools
import itertools
from pathlib import Path

from nst_tutorial.cells import attempt_on_worker, sentence
from nst_tutorial.errors import NSTError, needed

AHEAD = 1000  # cells that the scheduler holds at once: its memory does not grow with the study


def spread(where, cells, pictures, paint, threads, folder):
    """Paint cells on a cluster; yield `(key, outcome)` as each is done.

    Args:
        where: a Dask `Client`, or a scheduler's address.
        cells: list of `Cell`s.
        pictures: `{sha256: Picture}`; each goes to each worker at most once, and again to a
            worker that takes a dead one's place.
        paint: as `cells.paint_cell`.
        threads: that each worker computes with.
        folder: of the study; a worker that sees it paints nothing that stands there.

    Raises:
        NSTError: `distributed` is not installed, or there is no scheduler, or no longer.
    """
    distributed = needed("distributed", "cluster")
    work = functools.partial(attempt_on_worker, threads, str(Path(folder).resolve()), paint)
    with _connected(distributed, where) as client:
        sent = {
            sha: client.submit(_same, one, key=f"picture-{sha}") for sha, one in pictures.items()
        }
        waiting = iter(cells)

        def submit(count):
            for cell in itertools.islice(waiting, count):
                named = {sha: sent[sha] for sha in {cell.content, *cell.styles} - {None}}
                yield client.submit(work, cell, named, key=f"cell-{cell.key}")

        running = distributed.as_completed(submit(AHEAD), with_results=True, raise_errors=False)
        try:
            for future, result in running:
                key, outcome = (
                    future.key.removeprefix("cell-"),
                    _outcome(distributed, future, result),
                )
                future.release()  # else, should its worker die now, it would be painted again
                if outcome is not None:
                    yield key, outcome
                running.update(submit(1))
        finally:
            client.cancel([*running.futures, *sent.values()])


@contextlib.contextmanager
def _connected(distributed, where):
    """A client as it is; one of our own, closed at the end, for an address."""
    if not isinstance(where, str):
        yield where
        return
    try:
        client = distributed.Client(where)
    except (OSError, ValueError) as error:
        raise NSTError(f"there is no scheduler at {where} ({error}); start it first.") from None
    with client:
        yield client


def _outcome(distributed, future, result):
    """What a cell came to; a worker that dies of it again and again is a sentence too.

    Raises:
        NSTError: the scheduler is gone.
    """
    if isinstance(result, distributed.client.CancelledError):
        raise NSTError(
            "the scheduler is gone, or someone cancelled the study there; run it again: finished "
            "cells stay as they are."
        )
    if future.status == "error":  # Dask's own: `attempt` lets none of a cell's through
        return None, sentence(result[1])
    return result


def _same(picture):
    return picture
