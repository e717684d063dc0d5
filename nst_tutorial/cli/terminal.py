"""The terminal: sentences and a progress bar. Whatever happens to it, no run ends because of it."""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from nst_tutorial.runtime.errors import NSTWarning, printable


class Steady(io.TextIOBase):
    """A text stream that is silent if its reader has gone, or if it was never there."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        with contextlib.suppress(AttributeError, OSError, ValueError):  # no such stream, or broken
            stream.reconfigure(errors="backslashreplace")  # what the encoding lacks is escaped

    @property
    def encoding(self) -> str:  # type: ignore[override]  # nobody sets it
        return getattr(self._stream, "encoding", "ascii")

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(lambda: self._stream.flush())

    def isatty(self) -> bool:
        return bool(self._try(lambda: self._stream.isatty()))

    def fileno(self) -> int:
        return self._stream.fileno()

    def _try(self, act):
        if self._stream is None:
            return None
        try:
            return act()
        except (OSError, ValueError):  # a full disk, a closed pipe, a closed file
            stream, self._stream = self._stream, None
            # What is still in its buffer is flushed once more at exit: to nowhere.
            with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())


@contextlib.contextmanager
def steady_streams() -> Iterator[None]:
    """Within, standard output and error are `Steady`, and our own warnings are sentences."""
    with (
        contextlib.redirect_stdout(Steady(sys.stdout)),
        contextlib.redirect_stderr(Steady(sys.stderr)),
        _warnings_as_sentences(),
    ):
        try:
            yield
        finally:
            sys.stdout.flush()


def reserve_descriptors() -> None:
    """Fill standard input, output and error where they are closed.

    Else the next file to be opened would get their number, and whatever a library prints.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free


def say(sentence: object) -> None:
    """Say something to the user on standard error."""
    print(f"nst-tutorial: {printable(sentence)}", file=sys.stderr)


def tell(sentence: object) -> None:
    """Tell the outcome on standard output."""
    print(printable(sentence))


@contextlib.contextmanager
def bar(name: str) -> Iterator[Callable[[Any], None]]:
    """Show progress while it lasts.

    Args:
        name: of what is made.

    Yields:
        a callback for a transfer's or a training's steps.
    """
    from tqdm import tqdm

    # With a delay, however short, nothing is drawn before the first step: a mistake is one line.
    with tqdm(unit="step", desc=printable(name), delay=1e-6, file=sys.stderr) as drawn:

        def show(step):
            size = f"{step.size} px, " if hasattr(step, "size") else ""
            drawn.total, drawn.n = step.steps, step.step
            drawn.set_postfix_str(f"{size}loss {step.total:.3g}", refresh=False)
            drawn.update(0)

        yield show


@contextlib.contextmanager
def _warnings_as_sentences():
    """Say the package's own warnings as its errors are said: without a line of code."""
    with warnings.catch_warnings():
        show = warnings.showwarning

        def say_ours(message, category, *where):
            if issubclass(category, NSTWarning):
                say(message)
            else:
                show(message, category, *where)

        warnings.showwarning = say_ours
        warnings.simplefilter("always", NSTWarning)
        yield
