"""Children of a server that has imported the package once: each starts in a moment."""

import functools
import multiprocessing
import os
import signal


@functools.cache
def server():
    """Not at once: Windows has none."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nst_tutorial.__main__", "nst_tutorial.runs.run"])
    return context


def start(function, *arguments, log=os.devnull):
    """Call a function in a child, as a command in a terminal; what it prints goes into the log."""
    child = server().Process(target=_call, args=(function, arguments, log))
    child.start()
    return child


def _call(function, arguments, log):
    print_to(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a fork server ignores Ctrl-C
        try:
            function(*arguments)
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # what follows is multiprocessing's own
    except KeyboardInterrupt:  # before the command was there to answer it, or after
        os._exit(130)


def print_to(handle):
    """Send what this process prints from now on to a file descriptor."""
    for stream in (1, 2):
        os.dup2(handle, stream)
