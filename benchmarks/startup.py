"""Seconds from the shell: `--help`, a cold start and the whole demo, in several places or backends.

    python benchmarks/startup.py [OTHER_CLONE]              # here, and in another clone
    python benchmarks/startup.py tensorflow torch jax       # here, on the backends that are named

They take turns, so that whatever else the machine does meets all alike. Medians of `ROUNDS`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent.parent
ROUNDS = 5
COMMANDS = {
    "--help": ["--help"],
    "cold stylize, 128 px, 4 steps": [
        "stylize", HERE / "images" / "chelsea.png", HERE / "images" / "swirls.jpg",
        "--size", "128", "--steps", "4", "-o",
    ],
    "the demo: 448 px, the defaults": [
        "stylize", HERE / "images" / "chelsea.png", HERE / "images" / "swirls.jpg",
        "--size", "448", "-o",
    ],
}  # fmt: skip
BACKENDS = ("tensorflow", "torch", "jax")


def seconds(settings, arguments):
    """Time one command in a new process with these environment variables."""
    with tempfile.TemporaryDirectory() as folder:
        if arguments[-1] == "-o":
            arguments = [*arguments, Path(folder) / "out.png"]
        command = [sys.executable, "-m", "nst_tutorial", *map(str, arguments)]
        began = time.perf_counter()
        subprocess.run(
            command, cwd=folder, env=os.environ | settings, capture_output=True, check=True,
        )  # fmt: skip
        return time.perf_counter() - began


def places(names):
    """What is compared, `{name: environment variables}`."""
    here = {"PYTHONPATH": str(HERE)}
    if set(names) <= set(BACKENDS):
        return {name: here | {"KERAS_BACKEND": name} for name in names} or {"here": here}
    return {"here": here} | {name: {"PYTHONPATH": str(Path(name).resolve())} for name in names}


def main():
    compared = places(sys.argv[1:])
    print(f"| command | {' | '.join(compared)} |\n|---|{'---|' * len(compared)}", flush=True)
    for name, arguments in COMMANDS.items():
        times = {place: [] for place in compared}
        for _ in range(ROUNDS):
            for place, settings in compared.items():
                times[place].append(seconds(settings, arguments))
        medians = [statistics.median(of) for of in times.values()]
        cells = [f"{median:.2f} s, {median / medians[0]:.2f}" for median in medians]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
