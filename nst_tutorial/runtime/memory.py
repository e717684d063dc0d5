"""Memory: how much this process may have, and how much of it is free."""

import contextlib
import itertools
import math
import sys

import psutil

from nst_tutorial.runtime.machine import groups, numbers, read_kernel


def memory_limit() -> float:
    """How much memory this process may ever have, in bytes: the least of machine and cgroups."""
    limits = [_memory_limit_of(group) for group in groups()]
    return min([psutil.virtual_memory().total, *limits])


def available_memory() -> float:
    """How much memory is still free for this process, in bytes; caches of files count as free."""
    free = [_memory_limit_of(group) - _memory_in_use(group) for group in groups()]
    return max(0, min([psutil.virtual_memory().available, address_space(), *free]))


def address_space() -> float:
    """How much this process may still map, where `ulimit -v` limits it."""
    if sys.platform == "win32":  # which knows no such limit
        return math.inf
    with contextlib.suppress(ImportError, OSError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            return limit - psutil.Process().memory_info().vms
    return math.inf


def _memory_limit_of(group):
    """A cgroup has a limit that slows down (high) and one that kills (max); both are avoided."""
    limits = (numbers(group / name) for name in ("memory.max", "memory.high"))
    return min(itertools.chain(*limits), default=math.inf)


def _memory_in_use(group):
    """Without the pages of files, which the kernel takes back before it kills anything."""
    stat = dict(line.split() for line in read_kernel(group / "memory.stat").splitlines())
    caches = sum(int(stat.get(kind, 0)) for kind in ("active_file", "inactive_file"))
    return sum(numbers(group / "memory.current")) - caches
