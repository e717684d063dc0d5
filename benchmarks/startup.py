"""Seconds from the shell: `--help`, a cold start, the whole demo; then first steps and others.

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
    "apply, 256 px": [
        "apply", "shipped", HERE / "images" / "chelsea.png", "--style", "swirls", "--size", "256",
        "-o",
    ],
    "the demo: 448 px, the defaults": [
        "stylize", HERE / "images" / "chelsea.png", HERE / "images" / "swirls.jpg",
        "--size", "448", "-o",
    ],
}  # fmt: skip
STEPS = """
import sys, time
from nst_tutorial import TransferConfig, load_extractor, stylize
name, size, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
moments = [time.perf_counter()]
config = TransferConfig(size=size, steps=steps, scales=1, optimizer="adam")
extractor = load_extractor(name, config.content_layers + config.style_layers)
pictures = ("images/chelsea.png", "images/swirls.jpg")
stylize(*pictures, extractor, config, callback=lambda step: moments.append(time.perf_counter()))
seconds = sorted(after - before for before, after in zip(moments[1:], moments[2:]))
print("seconds", moments[1] - moments[0], seconds[len(seconds) // 2])
"""
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


def run_steps(settings, name="pocket", size=448, steps=8):
    """Take steps of Adam in a new process, in the clone that the settings name; what it printed."""
    # With -P, the package in the current folder is not the one that is imported.
    command = [sys.executable, "-P", "-c", STEPS, name, str(size), str(steps)]
    how = {"cwd": HERE, "env": os.environ | settings, "capture_output": True, "text": True}
    return subprocess.run(command, check=True, **how).stdout.splitlines()


def step_seconds(lines):
    """All up to the end of the first step, and the median of the others, from what was printed."""
    return [float(word) for word in lines[-1].split()[1:]]


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
        show(name, times)
    firsts, steps = ({place: [] for place in compared} for _ in range(2))
    for _ in range(ROUNDS):
        for place, settings in compared.items():
            first, step = step_seconds(run_steps(settings))
            firsts[place].append(first)
            steps[place].append(step)
    show("loading, and the first step at 448 px", firsts)
    show("a step at 448 px", steps)


def show(name, times):
    """Print a row: medians, and each as a multiple of the first."""
    medians = [statistics.median(of) for of in times.values()]
    cells = [f"{median:.2f} s, {median / medians[0]:.2f}" for median in medians]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
