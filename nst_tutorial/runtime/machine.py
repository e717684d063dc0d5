"""The machine: the memory and the processors that this process may use.

Containers and shared servers limit both by cgroups, which neither os.cpu_count() nor TensorFlow
looks at. They are read here and nowhere else, and before TensorFlow is loaded.
"""

import contextlib
import itertools
import math
import os
import sys
from pathlib import Path, PurePosixPath

import psutil

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")

ROOT = Path("/")  # where /proc and /sys are found; tests put a folder of their own here


def keras_home() -> Path:
    """The folder in which Keras keeps its settings and what it downloads."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def memory_limit() -> float:
    """How much memory this process may ever have, in bytes: the least of machine and cgroups."""
    limits = [_memory_limit_of(group) for group in _groups()]
    return min([psutil.virtual_memory().total, *limits])


def available_memory() -> float:
    """How much memory is still free for this process, in bytes; caches of files count as free."""
    free = [_memory_limit_of(group) - _memory_in_use(group) for group in _groups()]
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


def cpu_limit() -> int:
    """How many processors this process may keep busy: its affinity, or a cgroup's quota."""
    quotas = [_quota_of(group) for group in _groups()]
    return max(1, math.ceil(min([_affinity(), os.cpu_count() or 1, *quotas])))


def limit_threads() -> None:
    """Tell TensorFlow and BLAS, before they are loaded, to start no more threads than allowed."""
    if cpu_limit() < (os.cpu_count() or 1):
        use_threads(cpu_limit())


def use_threads(number: int) -> None:
    """Tell TensorFlow and BLAS how many threads to start, before they are loaded."""
    for pool in THREADS:
        os.environ.setdefault(pool, str(number))


def threads() -> int:
    """How many threads TensorFlow computes one operation with."""
    return int(os.environ.get(THREADS[0]) or 0) or cpu_limit()


def _affinity():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else math.inf


def _memory_limit_of(group):
    """A cgroup has a limit that slows down (high) and one that kills (max); both are avoided."""
    limits = (_numbers(group / name) for name in ("memory.max", "memory.high"))
    return min(itertools.chain(*limits), default=math.inf)


def _memory_in_use(group):
    """Without the pages of files, which the kernel takes back before it kills anything."""
    stat = dict(line.split() for line in read_kernel(group / "memory.stat").splitlines())
    caches = sum(int(stat.get(kind, 0)) for kind in ("active_file", "inactive_file"))
    return sum(_numbers(group / "memory.current")) - caches


def _quota_of(group):
    """Processors' worth of time in each period."""
    quota = _numbers(group / "cpu.max")
    return quota[0] / quota[1] if quota else math.inf


def _groups():
    """Folders of the cgroups that this process is in, innermost first: the limits of all hold."""
    for line in read_kernel("proc/self/cgroup").splitlines():
        _, controllers, own = line.split(":", 2)
        if not controllers:  # version 2
            for top, mounted in _mounts():
                inside = PurePosixPath(own)
                # A container may see its own group as the top, under the name it has outside.
                inside = inside.relative_to(top) if inside.is_relative_to(top) else PurePosixPath()
                yield from (ROOT / mounted.lstrip("/") / part for part in (inside, *inside.parents))


def _mounts():
    """Where the cgroups are mounted: `(the group that is the top, folder)`."""
    for line in read_kernel("proc/self/mountinfo").splitlines():
        fields, (kind, *_) = (half.split() for half in line.split(" - "))
        if kind == "cgroup2":
            yield fields[3], fields[4]


def read_kernel(path: str | Path) -> str:
    """What stands in a file of the kernel's, or nothing where it has no such file."""
    try:
        return (ROOT / path).read_text()
    except OSError:
        return ""


def _numbers(path):
    return [math.inf if word == "max" else int(word) for word in read_kernel(path).split()]
