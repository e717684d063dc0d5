"""The machine: how much memory and how many processors this process may use.

Containers and shared servers limit both by cgroups, which neither os.cpu_count() nor TensorFlow
looks at. They are read here and nowhere else, and before TensorFlow is loaded.
"""

import math
import os
from pathlib import Path, PurePosixPath

import psutil

ROOT = Path("/")  # where /proc and /sys are found; tests put a folder of their own here


def memory_limit():
    """How much memory this process may ever have, in bytes: the least of machine and cgroups."""
    limits = [_memory_limit_of(group) for group in _groups("memory")]
    return min([psutil.virtual_memory().total, *limits])


def available_memory():
    """How much memory is still free for this process, in bytes; caches of files count as free."""
    free = [_memory_limit_of(group) - _memory_in_use(group) for group in _groups("memory")]
    return max(0, min([psutil.virtual_memory().available, *free]))


def cpu_limit():
    """How many processors this process may keep busy: its affinity, or a cgroup's quota."""
    quotas = [_quota_of(group) for group in _groups("cpu")]
    return max(1, math.ceil(min([_affinity(), os.cpu_count(), *quotas])))


def limit_threads():
    """Tell TensorFlow and BLAS, before they are loaded, to start no more threads than allowed."""
    if cpu_limit() < os.cpu_count():
        for pool in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
            os.environ.setdefault(pool, str(cpu_limit()))


def _affinity():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory_limit_of(group):
    """Version 2 has a limit that slows down (high) and one that kills (max); both are avoided."""
    names = ("memory.max", "memory.high", "memory.limit_in_bytes")
    return min([number for name in names for number in _numbers(group / name)], default=math.inf)


def _memory_in_use(group):
    used = _numbers(group / "memory.current") or _numbers(group / "memory.usage_in_bytes") or [0]
    return used[0] - _file_caches(group)


def _file_caches(group):
    """Pages of files, which the kernel takes back before it kills anything."""
    stat = dict(line.split() for line in _text(group / "memory.stat").splitlines())
    prefix = "total_" if "total_active_file" in stat else ""  # version 1: with the groups within
    return sum(int(stat.get(f"{prefix}{kind}_file", 0)) for kind in ("active", "inactive"))


def _quota_of(group):
    """Processors' worth of time in each period; version 1 writes -1 where there is no quota."""
    quota = _numbers(group / "cpu.max")
    quota = quota or _numbers(group / "cpu.cfs_quota_us") + _numbers(group / "cpu.cfs_period_us")
    return quota[0] / quota[1] if len(quota) == 2 and quota[0] > 0 else math.inf


def _groups(controller):
    """Folders of the cgroups that this process is in, innermost first: the limits of all hold."""
    for line in _text("proc/self/cgroup").splitlines():
        _, controllers, own = line.split(":", 2)
        kind = "cgroup" if controllers else "cgroup2"
        if kind == "cgroup2" or controller in controllers.split(","):
            for top, mounted in _mounts(kind, controller):
                inside = PurePosixPath(own)
                # A container may see its own group as the top, under the name it has outside.
                inside = inside.relative_to(top) if inside.is_relative_to(top) else PurePosixPath()
                yield from (ROOT / mounted.lstrip("/") / part for part in (inside, *inside.parents))


def _mounts(kind, controller):
    """Where the groups of a controller are mounted: `(the group that is the top, folder)`."""
    for line in _text("proc/self/mountinfo").splitlines():
        fields, (kind_here, _, options) = (half.split() for half in line.split(" - "))
        if kind_here == kind and (kind == "cgroup2" or controller in options.split(",")):
            yield fields[3], fields[4]


def _text(path):
    """What stands in a file of the kernel's, or nothing where it has no such file."""
    try:
        return (ROOT / path).read_text()
    except OSError:
        return ""


def _numbers(path):
    return [math.inf if word == "max" else int(word) for word in _text(path).split()]
