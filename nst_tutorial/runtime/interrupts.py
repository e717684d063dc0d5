"""Ctrl-C that waits for the end of a step, so that it never falls between two halves of one.

On the command line a request to end from elsewhere (a closed terminal, a scheduler, a container
that is stopped) does what Ctrl-C does.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

# Requests to end that a process may answer; not every system has each.
REQUESTS = [
    getattr(signal, name)
    for name in ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")
    if hasattr(signal, name)
]


class RequestedError(KeyboardInterrupt):
    """A signal, whose number this holds, asked the process to end."""


class Raising(list):
    """A signal handler that raises, and the list of its signals.

    TensorFlow loses an exception that comes at certain moments, or makes another of it; what is
    noted here is obeyed all the same.
    """

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.append(number)
        raise RequestedError(number)


class Noted(list):
    """A signal handler, and the list of the signals that it has noted.

    The first signal is only noted if there is something to save, that is once it is `holding`; the
    second one, or the first while there is nothing, acts.

    Args:
        outer: the handler that acts.
    """

    holding = False

    def __init__(self, outer: Raising) -> None:
        super().__init__(outer)
        self.outer = outer

    def __call__(self, number: int, frame: FrameType | None) -> None:
        acts = bool(self) or not self.holding
        self.append(number)
        if acts:
            self.outer(number, frame)


@contextlib.contextmanager
def obey_requests() -> Iterator[Raising]:
    """Within, Ctrl-C and every request to end raise `RequestedError`; for the command line alone.

    What is ignored, as SIGHUP is under nohup, stays ignored.

    Yields:
        the list of the signals that raised.
    """
    raising = Raising()
    with (
        _handled([signal.SIGINT], raising, callable),
        _handled(REQUESTS, raising, lambda before: before is signal.SIG_DFL),
    ):
        yield raising


@contextlib.contextmanager
def hold_interrupts(holding: bool = True) -> Iterator[Noted]:
    """Within, the first Ctrl-C is only noted, in the list that this yields; a second one acts.

    Signals are the main thread's affair: in another thread, or where Ctrl-C is ignored or handled
    outside Python, nothing changes. Within `obey_requests`, requests to end are noted too.

    Args:
        holding: whether there is something to save already. If not, the first Ctrl-C acts too,
            until another of these within this one begins to hold. From then on, both share a list.
    """
    handlers = map(signal.getsignal, (signal.SIGINT, *REQUESTS))
    outer: Any = next(filter(_is_ours, handlers), Raising())
    caught = outer if isinstance(outer, Noted) else Noted(outer)
    caught.holding |= holding
    with _handled([signal.SIGINT], caught, callable), _handled(REQUESTS, caught, _is_ours):
        yield caught


def _is_ours(handler):
    return isinstance(handler, Raising | Noted)


@contextlib.contextmanager
def _handled(signals, handler, applies):
    """Handle those signals whose present handler `applies`; at the end put the old ones back."""
    here = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in signals} if here else {}
    before = {number: old for number, old in before.items() if applies(old)}
    try:
        for number in before:
            signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
