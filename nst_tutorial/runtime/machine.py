"""The machine: the processors that this process may use, and the cgroups that say so.

Containers and shared servers limit memory and processors by cgroups, which neither os.cpu_count()
nor TensorFlow looks at. They are read here and nowhere else, and before TensorFlow is loaded.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")

ROOT = Path("/")  # where /proc and /sys are found; tests put a folder of their own here


def keras_home() -> Path:
    """The folder in which Keras keeps its settings and what it downloads."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def cpu_limit() -> int:
    """How many processors this process may keep busy: its affinity, or a cgroup's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else math.inf
    quotas = filter(None, (numbers(group / "cpu.max") for group in groups()))
    shares = [time / period for time, period in quotas]
    return max(1, math.ceil(min([allowed, os.cpu_count() or 1, *shares])))


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


def groups() -> Iterator[Path]:
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


def numbers(path: Path) -> list[float]:
    """The numbers in a file of the kernel's; "max" is infinity."""
    return [math.inf if word == "max" else int(word) for word in read_kernel(path).split()]
