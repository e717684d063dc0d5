"""Studies on a loopback cluster: what is killed, stopped or interrupted costs no finished cell.

The short tests' cells need no network; `make test-long` does the same with painted ones.
"""

import itertools
import multiprocessing
import os
import signal
import sys
import time

import distributed
import pytest
from test_study import CONFIG, contents, dot, here  # noqa: F401

from nst_tutorial import NSTError, Study, TransferConfig
from nst_tutorial.cells import paint_cell

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets of those that were killed
]
GRID = {"content_weight": [2, 20, 200], "tv_weight": [1, 10, 100]}


def study(folder, config=CONFIG, grid=GRID):
    return Study("photo.png", "stripes.png", grid, config, "random", folder)


@pytest.fixture
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        yield cluster


class Logged:
    """A painter that notes in a file when it begins a cell, and in which process."""

    def __init__(self, log, paint):
        self.log, self.paint = str(log), paint

    def __call__(self, cell, pictures):
        with open(self.log, "a") as log:
            log.write(f"{cell.key} {time.time_ns()} {os.getpid()}\n")
        return self.paint(cell, pictures)


class Fatal:
    """A painter that kills its process, -9, in the middle of certain cells, so many times each."""

    def __init__(self, folder, weight, times):
        self.folder, self.weight, self.times = str(folder), weight, times

    def __call__(self, cell, pictures):
        if cell.config.content_weight == self.weight:
            for number in range(self.times):
                try:
                    open(f"{self.folder}/{cell.key}-{number}", "x").close()
                except FileExistsError:
                    continue
                os.kill(os.getpid(), signal.SIGKILL)
        return dot(cell, pictures)


def begun_after_they_were_finished(log, folder):
    """Cells that were begun though their picture was there: none may be."""
    begun = [line.split() for line in log.read_text().splitlines()]
    finished = {path.stem: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    return [key for key, when, _ in begun if int(when) > finished[key]]


def test_killed_workers_cost_no_finished_cell(here, cluster, tmp_path):  # noqa: F811
    (tmp_path / "kills").mkdir()
    undisturbed = study("undisturbed").run(paint=dot)
    paint = Logged(tmp_path / "log", Fatal(tmp_path / "kills", weight=20, times=1))
    with distributed.Client(cluster) as client:
        one = study("killed").run(client, paint=paint)
    assert one.failures == {}
    assert len(list((tmp_path / "kills").iterdir())) == 3  # each of the cells with weight 20
    assert contents(here / "killed") == contents(here / "undisturbed")
    assert begun_after_they_were_finished(tmp_path / "log", here / "killed") == []
    assert len({line.split()[2] for line in open(tmp_path / "log")}) >= 3  # processes
    assert undisturbed.cells == one.cells


def test_a_cell_that_kills_every_worker_is_a_sentence(here, cluster, tmp_path):  # noqa: F811
    (tmp_path / "kills").mkdir()
    grid = {"content_weight": [2, 20, 200]}
    one = study("fatal", grid=grid).run(
        cluster.scheduler_address, paint=Fatal(tmp_path / "kills", weight=20, times=99)
    )
    ((key, sentence),) = one.failures.items()
    assert key == one.cells[1].key
    assert sentence.startswith("KilledWorker: ")
    assert list(one.table()["state"]) == ["finished", sentence, "finished"]
