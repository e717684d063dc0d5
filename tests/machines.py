"""Run the tests as they would run on other machines: `python tests/machines.py [NAME ...]`.

Each row of the table is one `make test`, or another target; a red one does not stop the next.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUSY_LOOP = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"


@dataclass(frozen=True)
class Machine:
    what: str
    environment: dict = field(default_factory=dict)
    prefix: tuple = ()  # what the command runs under
    busy: int = 0  # how many other processes keep the cores busy
    settings: tuple = ()  # what make is told


def with_python(version):
    return Machine(
        f"Python {version}", settings=(f"PYTHON=python{version}", f"VENV=.venv-{version}")
    )


MACHINES = {
    "plain": Machine("this machine as it is"),
    "avx2": Machine(
        "a processor without AVX512 and bfloat16",
        {"ONEDNN_MAX_CPU_ISA": "AVX2", "NST_PRECISION": "float32"},
    ),
    "one-core": Machine("a single core", prefix=("taskset", "-c", "0")),
    "busy": Machine("three busy loops beside the tests", busy=3),
    "one-thread": Machine("one thread for TensorFlow", {"TF_NUM_INTRAOP_THREADS": "1"}),
    "python3.11": with_python("3.11"),
    "python3.12": with_python("3.12"),
    "python3.13": with_python("3.13"),
    "lowest": Machine(
        "the lowest versions in pyproject.toml", settings=("VERSIONS=lowest", "VENV=.venv-lowest")
    ),
}


@contextlib.contextmanager
def busy_loops(count):
    loops = [subprocess.Popen([sys.executable, "-c", BUSY_LOOP]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run(machine, command, log):
    """The exit status of the command on that machine; what it printed goes into the log."""
    with busy_loops(machine.busy), log.open("w") as stream:
        return subprocess.run(
            [*machine.prefix, *command, *machine.settings],
            cwd=ROOT,
            env=os.environ | machine.environment,
            stdout=stream,
            stderr=subprocess.STDOUT,
        ).returncode


def print_the_end_of(log, lines=40):
    print("\n".join(log.read_text(errors="replace").splitlines()[-lines:]), file=sys.stderr)


def main(arguments=None, command=("make",), logs=ROOT / "results" / "machines"):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MACHINES))
    parser.add_argument("--target", default="test", help="what make runs (default: test)")
    chosen = parser.parse_args(arguments)
    if unknown := sorted(set(chosen.names) - set(MACHINES)):
        parser.error(f"no machine is called {', '.join(unknown)}; there are {', '.join(MACHINES)}")
    logs.mkdir(parents=True, exist_ok=True)
    reds = 0
    print("| machine | what it is | minutes | result |\n|---|---|---|---|", flush=True)
    for name in chosen.names or MACHINES:
        log = logs / f"{name}.log"
        began = time.monotonic()
        status = run(MACHINES[name], [*command, chosen.target], log)
        minutes = (time.monotonic() - began) / 60
        result = f"red, see {log}" if status else "green"
        print(f"| {name} | {MACHINES[name].what} | {minutes:.1f} | {result} |", flush=True)
        if status:
            reds += 1
            print_the_end_of(log)
    return int(reds > 0)


if __name__ == "__main__":
    sys.exit(main())
