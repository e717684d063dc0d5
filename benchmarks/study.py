"""Studies: what a cluster brings and costs a cell, and what a million cells would need.

    python benchmarks/study.py              # about ten minutes on two cores
    python benchmarks/study.py overhead     # the second part alone

First 64 small cells in one process and on a loopback cluster of two workers, of which the seconds
of computing are counted in all processes, and the pictures compared byte for byte. Then thousands
of cells that compute nothing, with the memory of scheduler and client before and after.
"""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from nst_tutorial import Study, TransferConfig

ROOT = Path(__file__).parent.parent
GRID = {"content_weight": np.logspace(-1, 3, 8), "tv_weight": np.logspace(0, 4, 8)}
CONFIG = TransferConfig(size=64, steps=8, scales=1)
MANY = (2000, 10000)
PORT = 18787
HEAD = (
    "| cells | wall, ms a cell | scheduler computes | client computes | making the study "
    "| finding all finished | scheduler's memory, MiB | client's, KiB a cell |"
)


def main():
    if len(sys.argv) > 2:
        return timed(*sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        if sys.argv[1:] != ["overhead"]:
            compare(Path(folder))
        print(f"\n{HEAD}\n" + "|---" * (HEAD.count("|") - 1) + "|")
        for count in MANY:
            with cluster(2) as (address, scheduler):
                trivial(count, address, scheduler, Path(folder) / f"{count}")
    return None


def study(folder):
    images = ROOT / "images"
    return Study(images / "chelsea.png", images / "swirls.jpg", GRID, CONFIG, "pocket", folder)


def compare(folder):
    """Print wall time and computing of 64 cells, each way; say whether the files are the same."""
    print("| 64 cells | wall, s | computing, s a cell |\n|---|---|---|")
    for name, threads in (("one process, all threads", 0), ("one process, one thread", 1)):
        told = {"TF_NUM_INTRAOP_THREADS": str(threads)} if threads else {}
        command = [sys.executable, __file__, str(folder / f"{threads}"), name]
        subprocess.run(command, env={**os.environ, **told}, check=True)
    with cluster(2) as (address, _):
        subprocess.run(
            [sys.executable, __file__, str(folder / "two"), "two workers", address], check=True
        )
    one, two = (
        {file.name: file.read_bytes() for file in (folder / name).iterdir()}
        for name in ("1", "two")
    )
    print(f"\nOne process of one thread and two workers: {len(one)} files, ", end="")
    print("the same byte for byte." if one == two else "NOT the same.", flush=True)


def timed(folder, name, address=None):
    """Run the 64 cells, after eight others that load and trace; print a row."""
    warm = {"seed": range(8)}
    Study(ROOT / "images/chelsea.png", None, warm, CONFIG, "pocket", f"{folder}-warm").run(address)
    one = study(folder)
    began, computed = time.perf_counter(), computing()
    one.run(address)
    wall, computed = time.perf_counter() - began, computing() - computed
    print(f"| {name} | {wall:.0f} | {computed / len(one.cells):.2f} |", flush=True)
    assert_none_failed(one)
    if not address:
        (ROOT / "results").mkdir(exist_ok=True)
        one.sheet(16.5).savefig(ROOT / "results" / "study.pdf", dpi=200)  # A3


def computing():
    """Seconds computed so far by this process, and by those that the one above it started."""
    above = psutil.Process().parent()
    times = [process.cpu_times() for process in above.children(recursive=True)]
    return sum(one.user + one.system for one in times)


@contextlib.contextmanager
def cluster(workers):
    """A scheduler and workers in processes of their own; yield address and scheduler."""
    address, quiet = f"tcp://127.0.0.1:{PORT}", ("--no-dashboard", "--host", "127.0.0.1")

    def start(kind, *arguments):
        command = [sys.executable, "-m", "dask", kind, *arguments, *quiet]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    scheduler = start("scheduler", "--port", str(PORT))
    some = start("worker", address, "--nworkers", str(workers), "--nthreads", "1")
    try:
        yield address, psutil.Process(scheduler.pid)
    finally:
        for process in (some, scheduler):
            process.terminate()
            process.wait(60)


def dot(cell, pictures):
    encoded = io.BytesIO()
    Image.new("L", (1, 1), cell.config.seed % 256).save(encoded, "PNG")
    return encoded.getvalue(), {"total": 0.0}


def trivial(count, address, scheduler, folder):
    """Print what so many cells that compute nothing cost."""
    client = psutil.Process()
    pixel = np.zeros((1, 1, 3))
    Study(pixel, None, {"seed": [count]}, folder=folder).run(address, paint=dot)  # all are there
    before = memory(scheduler), memory(client)
    began = time.perf_counter()
    one = Study(pixel, None, {"seed": range(count)}, folder=folder)
    built, held = time.perf_counter() - began, memory(client) - before[1]
    earlier, began = (seconds(scheduler), seconds(client)), time.perf_counter()
    one.run(address, paint=dot)
    wall = time.perf_counter() - began
    computed = np.subtract((seconds(scheduler), seconds(client)), earlier)
    began = time.perf_counter()
    one.run(address, paint=dot)
    again = time.perf_counter() - began
    assert_none_failed(one)
    each = 1e3 * np.array([wall, *computed, built, again]) / count
    print(f"| {count} | " + " | ".join(f"{number:.2g}" for number in each), end="")
    print(f" | {before[0]:.0f} → {memory(scheduler):.0f} | {1024 * held / count:.1f} |", flush=True)


def assert_none_failed(one):
    if one.failures:
        raise SystemExit(f"failed: {one.failures}")


def seconds(process):
    """Seconds computed so far."""
    times = process.cpu_times()
    return times.user + times.system


def memory(process):
    return process.memory_info().rss / 2**20


if __name__ == "__main__":
    main()
