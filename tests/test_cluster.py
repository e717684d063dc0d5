"""Studies on a loopback cluster: what is killed, stopped or interrupted costs no finished cell.

`make test-long` kills, stops and interrupts; `make test` runs a study on two workers.
"""

import os
import signal
import socket
import subprocess
import sys
import time

import dask
import distributed
import pytest
from painters import Fatal, Logged, dot
from test_study import CONFIG, contents, here  # noqa: F401

from nst_tutorial import Study
from nst_tutorial.study.cluster import DEADLY

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets of those that were killed
]
GRID = {"content_weight": [2, 20, 200], "tv_weight": [1, 10, 100]}


def study(folder, config=CONFIG, grid=GRID):
    return Study("photo.png", "stripes.png", grid, config, "random", folder)


@pytest.fixture(scope="module")
def cluster():
    """Two workers, each with a nanny that starts another in a dead one's place."""
    # A `LocalCluster` drops a worker that is being started again 15 seconds after an earlier death.
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
    ):
        yield cluster


def begun_after_they_were_finished(log, folder):
    """Cells that were begun though their picture was there: none may be."""
    begun = [line.split() for line in log.read_text().splitlines()]
    finished = {path.stem: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    return [key for key, when, _ in begun if key in finished and int(when) > finished[key]]


@pytest.mark.long
def test_killed_workers_cost_no_finished_cell(here, cluster, tmp_path):  # noqa: F811
    (tmp_path / "kills").mkdir()
    study("undisturbed").run(paint=dot)
    paint = Logged(tmp_path / "log", Fatal(tmp_path / "kills", {20: 1}))
    with distributed.Client(cluster) as client:
        one = study("killed").run(client, paint=paint)
    assert one.failures == {}
    assert len(list((tmp_path / "kills").iterdir())) == 3  # each of the cells with weight 20
    assert contents(here / "killed") == contents(here / "undisturbed")
    assert begun_after_they_were_finished(tmp_path / "log", here / "killed") == []
    processes = {line.split()[2] for line in (tmp_path / "log").read_text().splitlines()}
    assert len(processes) >= 3


def test_two_workers_paint_what_one_process_does(here, cluster):  # noqa: F811
    study("undisturbed").run(paint=dot)
    with distributed.Client(cluster) as client:
        assert study("spread").run(client, paint=dot).failures == {}
    assert contents(here / "spread") == contents(here / "undisturbed")


@pytest.mark.long
def test_a_cell_that_always_kills_its_worker_is_blamed_alone(here, cluster, tmp_path):  # noqa: F811
    """Four deaths, after which Dask gives up, are no proof: the cell with 50 is painted alone."""
    (tmp_path / "kills").mkdir()
    grid = {"content_weight": [2, 5, 10, 20, 50, 100, 200]}
    study("undisturbed", grid=grid).run(paint=dot)
    paint = Logged(tmp_path / "log", Fatal(tmp_path / "kills", {20: 100, 50: 4}))
    with distributed.Client(cluster) as client:
        one = study("killed", grid=grid).run(client, paint=paint)
    (deadly,) = (cell.key for cell in one.cells if cell.config.content_weight == 20)
    assert one.failures == {deadly: DEADLY}
    others = contents(here / "undisturbed")
    assert len([others.pop(f"{deadly}{suffix}") for suffix in (".png", ".json")]) == 2
    assert contents(here / "killed") == others
    assert begun_after_they_were_finished(tmp_path / "log", here / "killed") == []


def test_a_worker_loads_keras_only_to_paint():
    code = "import sys; from nst_tutorial.study import cluster; print('keras' in sys.modules)"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    assert result.stdout == "False\n"


# The campaign: a scheduler, workers and clients in processes of their own -------------------------

CLIENT = """
import sys
import quick
from painters import Logged
from nst_tutorial import NSTError, Study, TransferConfig
from nst_tutorial.study.cells import paint_cell

config = TransferConfig(size=64, steps=4, scales=1, **quick.SHALLOW)
one = Study("photo.png", "stripes.png", {grid}, config, "random", sys.argv[2])
try:
    one.run(sys.argv[1] or None, paint=Logged(sys.argv[3], paint_cell))
except NSTError as error:
    sys.exit(str(error))
sys.exit(f"failed: {{one.failures}}" if one.failures else 0)
"""


def free_port():
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return some.getsockname()[1]


PORT = free_port()
LARGE = {"content_weight": [2, 5, 20, 50, 200], "tv_weight": [1, 10, 100, 1000]}


class Machines:
    """A scheduler and two workers, as somebody starts them by hand."""

    def __init__(self):
        address = f"tcp://127.0.0.1:{PORT}"
        quiet = ("--no-dashboard", "--host", "127.0.0.1")
        self.scheduler = self.start("scheduler", "--port", str(PORT), *quiet)
        self.workers = self.start("worker", address, "--nworkers", "2", "--nthreads", "1", *quiet)

    @staticmethod
    def start(kind, *arguments):
        path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
        command = [sys.executable, "-m", "dask", kind, *arguments]
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)

    def stop(self):
        for process in (self.workers, self.scheduler):  # workers take their leave of it
            process.terminate()
            process.wait(600)


def client(folder, log, scheduler=f"tcp://127.0.0.1:{PORT}"):
    """Paint the study; without a scheduler in the client itself, with one thread as a worker."""
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path}
    if not scheduler:
        environment["TF_NUM_INTRAOP_THREADS"] = "1"
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT.format(grid=LARGE), scheduler, str(folder), str(log)],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for(folder, pictures, process):
    """Wait until so many cells are finished, while the client is at work."""
    while len(list(folder.glob("*.png"))) < pictures:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)


def last_painter(log):
    """The process that began the latest cell."""
    return int(log.read_text().splitlines()[-1].split()[2])


@pytest.mark.long
def test_kill_stop_and_interrupt(here, tmp_path, capsys):  # noqa: F811
    """A worker killed -9, the scheduler stopped and started, the client interrupted.

    The undisturbed study is painted in one process, so that its bytes must be the cluster's.
    """
    folder, log = tmp_path / "disturbed", tmp_path / "log"
    machines = Machines()
    try:
        undisturbed = client(tmp_path / "undisturbed", tmp_path / "other-log", scheduler="")
        assert undisturbed.wait(600) == 0, undisturbed.stderr.read()

        first = client(folder, log)
        wait_for(folder, 3, first)
        os.kill(last_painter(log), signal.SIGKILL)
        wait_for(folder, 7, first)
        machines.stop()
        assert "the scheduler is gone" in first.communicate(timeout=120)[1]
        assert first.returncode == 1

        machines = Machines()
        second = client(folder, log)
        wait_for(folder, 12, second)
        second.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in second.communicate(timeout=120)[1]

        third = client(folder, log)
        assert third.wait(600) == 0, third.stderr.read()
    finally:
        machines.stop()
    assert len(contents(folder)) == 40
    assert contents(folder) == contents(tmp_path / "undisturbed")
    assert begun_after_they_were_finished(log, folder) == []
    begun = log.read_text().splitlines()
    with capsys.disabled():
        print(f" 20 cells, begun {len(begun)} times,", end="")
        print(f" {len({line.split()[2] for line in begun})} processes", end="")
