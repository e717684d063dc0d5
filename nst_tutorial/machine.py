"""The machine: how much memory and how many processors this process may use, and will need.

Containers and shared servers limit both by cgroups, which neither os.cpu_count() nor TensorFlow
looks at. They are read here and nowhere else, and before TensorFlow is loaded.
"""

import math
import os
from pathlib import Path, PurePosixPath

import psutil

from nst_tutorial.errors import NSTError

ROOT = Path("/")  # where /proc and /sys are found; tests put a folder of their own here

# Found by measuring the peaks of whole transfers; a test measures again.
COPIES = 1.15  # of every layer's output: kept for the gradient, or on the way
BYTES = {"float32": 4, "bfloat16": 3.2}  # a number of those; much is cast back to float32
VECTORS = {"lbfgs": 80 + 20}  # pictures in float32 (L-BFGS has 50 in float64); of others:
FEW_VECTORS = 8
OVERHEAD = 48 * 2**20  # the compiled graph
SMALLEST = 32  # pixels; a smaller picture is no advice
MARGIN = 1.15  # the prediction may be that much too low


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


def predicted_peak(shape, style_shapes, extractor, optimizer):
    """Predict the memory that a transfer takes at its height, beyond what is in use before it.

    Args:
        shape: `(1, H, W, 3)` of the generated picture at its full size.
        style_shapes: of the style pictures; each goes through the network once, and is let go.
        extractor: the `Extractor`, in the precision that it will compute in.
        optimizer: as in `TransferConfig`.

    Returns:
        bytes; within a fifth of what was measured from 512 pixels on, below that rather more.
    """
    network = COPIES * _output_bytes_per_pixel(extractor)
    picture = math.prod(shape[1:3]) * (network + VECTORS.get(optimizer, FEW_VECTORS) * 12)
    styles = [math.prod(style[1:3]) * network for style in style_shapes]
    return OVERHEAD + max([picture, *styles])


def require_memory(shape, style_shapes, extractor, optimizer, margin=0.0):
    """Refuse a transfer that would not fit into the free memory, before it begins.

    Args: those of `predicted_peak`, and the margin that a `TransferConfig` has around the picture.

    Raises:
        NSTError: it would not fit; with the largest size that would.
    """
    around = 2 * round(margin * max(shape))
    canvas = (1, shape[1] + around, shape[2] + around, 3)
    needed = MARGIN * predicted_peak(canvas, style_shapes, extractor, optimizer)
    free = available_memory()
    if needed <= free:
        return
    fixed = MARGIN * OVERHEAD  # the rest grows with the number of pixels
    largest = int(max(shape) * math.sqrt(max(0, free - fixed) / (needed - fixed)))
    advice = f"with size={largest}, for the style pictures too, it would fit"
    raise NSTError(
        f"{shape[2]}×{shape[1]} pixels with {extractor.name} and {optimizer} need about "
        f"{needed / 2**30:.2f} GiB, and {free / 2**30:.2f} GiB are free here; "
        + (f"{advice}." if largest >= SMALLEST else "close other programs, or use another machine.")
    )


def _output_bytes_per_pixel(extractor):
    """The size of all layers' outputs, for each pixel of the picture."""
    positions, numbers = 1.0, 0.0
    for layer in extractor.model.layers:
        positions /= 4 if "Pooling" in type(layer).__name__ else 1
        numbers += positions * layer.output.shape[-1]
    return numbers * BYTES[extractor.precision]
