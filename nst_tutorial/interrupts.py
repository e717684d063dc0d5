"""Ctrl-C that waits for the end of a step, so that it never falls between two halves of one."""

import contextlib
import signal
import threading


@contextlib.contextmanager
def noted():
    """Within, the first Ctrl-C is only noted, in the list that this yields; a second one acts.

    Signals are the main thread's affair: in another thread, or where Ctrl-C is ignored or handled
    outside Python, nothing changes.
    """
    caught = []

    def note(number, frame):
        if caught:
            raise KeyboardInterrupt
        caught.append(number)

    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT) if main else None
    if not callable(before):  # also signal.SIG_IGN, which a shell gives to background jobs
        yield caught
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield caught
    finally:
        signal.signal(signal.SIGINT, before)
