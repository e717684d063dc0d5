"""Limits of cgroups are read, nested ones too, and kept to."""

import math
import os

import psutil
import pytest

from nst_tutorial.runtime import machine, memory

GIB = 2**30


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Write files below a root of our own: `fake({path: text})`."""
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(8), raising=False)
    machine_wide = psutil.virtual_memory()._replace(total=64 * GIB, available=48 * GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine_wide)

    def write(files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(f"{text}\n")

    return write


V2 = "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate"


def test_without_cgroups(fake):
    assert memory.memory_limit() == 64 * GIB
    assert memory.available_memory() == 48 * GIB
    assert machine.cpu_limit() == 8


def test_nested_groups(fake):
    fake({
        "proc/self/cgroup": "0::/class/student",
        "proc/self/mountinfo": f"23 1 8:1 / / rw - ext4 /dev/sda rw\n{V2}",
        "sys/fs/cgroup/class/memory.max": 4 * GIB,
        "sys/fs/cgroup/class/memory.current": 3 * GIB,
        "sys/fs/cgroup/class/memory.stat": "anon 7\nactive_file 1073741824\ninactive_file 0",
        "sys/fs/cgroup/class/student/memory.max": "max",
        "sys/fs/cgroup/class/student/memory.current": GIB,
        "sys/fs/cgroup/class/cpu.max": "max 100000",
        "sys/fs/cgroup/class/student/cpu.max": "150000 100000",
    })  # fmt: skip
    assert memory.memory_limit() == 4 * GIB  # the outer one
    assert memory.available_memory() == 2 * GIB  # pages of files can be taken back
    assert machine.cpu_limit() == 2  # the inner one, rounded up
    fake({"sys/fs/cgroup/class/student/memory.high": 2 * GIB})
    assert memory.memory_limit() == 2 * GIB
    assert memory.available_memory() == GIB


def test_a_container_that_sees_its_own_group_as_the_top(fake):
    seen = V2.replace(" / /sys", " {} /sys")
    fake({
        "proc/self/cgroup": "0::/docker/4711",
        "proc/self/mountinfo": seen.format("/docker/4711"),
        "sys/fs/cgroup/memory.max": GIB,
    })  # fmt: skip
    assert memory.memory_limit() == GIB
    fake({"proc/self/mountinfo": seen.format("/docker/other")})
    assert memory.memory_limit() == GIB


def test_groups_of_version_1_are_passed_over(fake):
    fake({
        "proc/self/cgroup": "4:memory:/class\n0::/",
        "proc/self/mountinfo": f"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw\n{V2}",
        "sys/fs/cgroup/memory.max": GIB,
    })  # fmt: skip
    assert memory.memory_limit() == GIB


def test_nothing_is_left(fake):
    fake({
        "proc/self/cgroup": "0::/",
        "proc/self/mountinfo": V2,
        "sys/fs/cgroup/memory.max": GIB,
        "sys/fs/cgroup/memory.current": 2 * GIB,
    })  # fmt: skip
    assert memory.available_memory() == 0


def test_this_machine():
    assert 0 < memory.available_memory() < memory.memory_limit()
    assert memory.memory_limit() <= psutil.virtual_memory().total
    assert 1 <= machine.cpu_limit() <= os.cpu_count()
    assert math.isfinite(memory.memory_limit())


# Threads ----------------------------------------------------------------------------------------


def test_threads_are_limited_where_processors_are(fake, monkeypatch):
    pools = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    for pool in pools:
        monkeypatch.setenv(pool, "")  # so that in the end it is as it was
        monkeypatch.delenv(pool)
    machine.limit_threads()
    assert not [pool for pool in pools if pool in os.environ]
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.setattr(machine, "cpu_limit", lambda: 2)
    machine.limit_threads()
    assert [os.environ[pool] for pool in pools] == ["2", "2", "5"]  # what is set stays
