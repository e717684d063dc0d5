"""A study's cells on a Dask cluster: what a scheduler is asked, and what is lost when it goes."""

import contextlib
import functools
import itertools

from nst_tutorial.cells import attempt_on_worker, sentence
from nst_tutorial.errors import NSTError, needed

AHEAD = 1000  # cells that the scheduler holds at once: its memory does not grow with the study


def spread(where, cells, pictures, paint, threads):
    """Paint cells on a cluster; yield `(key, outcome)` as each is done.

    Args:
        where: a Dask `Client`, or a scheduler's address.
        cells: list of `Cell`s.
        pictures: `{sha256: Picture}`; each goes to each worker at most once, and again to a
            worker that takes a dead one's place.
        paint: as `cells.paint_cell`.
        threads: that each worker computes with.

    Raises:
        NSTError: `distributed` is not installed, or there is no scheduler, or no longer.
    """
    distributed = needed("distributed", "cluster")
    work = functools.partial(attempt_on_worker, threads, paint)
    with _connected(distributed, where) as client:
        sent = {
            sha: client.submit(_same, one, key=f"picture-{sha}") for sha, one in pictures.items()
        }
        waiting = iter(cells)

        def submit(count):
            for cell in itertools.islice(waiting, count):
                named = {sha: sent[sha] for sha in {cell.content, *cell.styles} - {None}}
                yield client.submit(work, cell, named, key=f"cell-{cell.key}")

        running = distributed.as_completed(submit(AHEAD))
        try:
            for future in running:
                yield future.key.removeprefix("cell-"), _outcome(distributed, future)
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


def _outcome(distributed, future):
    """What a cell came to; a worker that dies of it again and again is a sentence too.

    Raises:
        NSTError: the scheduler is gone.
    """
    try:
        return future.result()  # waits again where the result went down with a worker
    except distributed.client.FutureCancelledError:
        raise NSTError(
            "the scheduler is gone, or someone cancelled the study there; run it again: finished "
            "cells stay as they are."
        ) from None
    except Exception as error:  # Dask's own: `attempt` lets none of a cell's through
        return None, sentence(error)


def _same(picture):
    return picture
