"""Seconds from the shell: `--help`, and a cold `stylize`, here and in another clone of the project.

    python benchmarks/startup.py [OTHER_CLONE]

The clones take turns, so that whatever else the machine does meets both alike.
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
}  # fmt: skip


def seconds(clone, arguments):
    """Time one command in a new process that imports the package from a clone."""
    with tempfile.TemporaryDirectory() as folder:
        if arguments[-1] == "-o":
            arguments = [*arguments, Path(folder) / "out.png"]
        command = [sys.executable, "-m", "nst_tutorial", *map(str, arguments)]
        began = time.perf_counter()
        subprocess.run(
            command, cwd=folder, env=os.environ | {"PYTHONPATH": str(clone)}, capture_output=True,
            check=True,
        )  # fmt: skip
        return time.perf_counter() - began


def main():
    clones = {"here": HERE} | ({"other": Path(sys.argv[1]).resolve()} if sys.argv[1:] else {})
    print("| command | " + " | ".join(clones) + " | here / other |\n|---|" + "---|" * 3)
    for name, arguments in COMMANDS.items():
        times = {clone: [] for clone in clones}
        for _ in range(ROUNDS):
            for clone, place in clones.items():
                times[clone].append(seconds(place, arguments))
        medians = [statistics.median(of) for of in times.values()]
        cells = [f"{median:.2f} s" for median in medians]
        ratio = f"{medians[0] / medians[-1]:.2f}" if len(medians) > 1 else "-"
        print(f"| {name} | {' | '.join(cells)} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
