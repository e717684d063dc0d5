"""Where a step's time goes inside TensorFlow: milliseconds of each kind of oneDNN primitive.

    python benchmarks/primitives.py [pocket] [448]
    ONEDNN_MAX_CPU_ISA=AVX2 NST_PRECISION=float32 python benchmarks/primitives.py

oneDNN prints what it executes; eight steps are compared with four, so that loading, targets and
the first step drop out. What the primitives do not cover is TensorFlow's own kernels, Python, and
the printing itself.
"""

import collections
import os
import subprocess
import sys
from pathlib import Path

FEW, MANY = 4, 8
STEPS = """
import sys, time
from nst_tutorial import TransferConfig, load_extractor, stylize
name, size, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
config = TransferConfig(size=size, steps=steps, scales=1, optimizer="adam")
extractor = load_extractor(name, config.content_layers + config.style_layers)
moments = []
pictures = ("images/chelsea.png", "images/swirls.jpg")
stylize(*pictures, extractor, config, callback=lambda step: moments.append(time.perf_counter()))
seconds = sorted(after - before for before, after in zip(moments[1:], moments[2:]))
print("a step", 1000 * seconds[len(seconds) // 2])
"""


def milliseconds(name, size, steps):
    """Run so many steps: `Counter` of milliseconds by kind, with the median of a step."""
    done = subprocess.run(
        [sys.executable, "-c", STEPS, name, size, str(steps)],
        cwd=Path(__file__).parent.parent, env=os.environ | {"ONEDNN_VERBOSE": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    spent = collections.Counter()
    for line in done.stdout.splitlines():
        if line.startswith("a step"):
            spent["a step"] = float(line.split()[-1])
        elif ",exec," in line:
            words = line.split(",")
            spent[words[words.index("exec") + 2]] += float(words[-1])
    return spent


def main():
    name, size = [*sys.argv[1:], *("pocket", "448")[len(sys.argv) - 1 :]]
    few, many = (milliseconds(name, size, steps) for steps in (FEW, MANY))
    kinds = {kind: (many[kind] - few[kind]) / (MANY - FEW) for kind in many if kind != "a step"}
    print(
        f"{name}, {size} px: a step takes {many['a step']:.0f} ms\n\n| primitive | ms |\n|---|---|"
    )
    for kind, spent in sorted(kinds.items(), key=lambda pair: -pair[1]):
        print(f"| {kind} | {spent:.0f} |")


if __name__ == "__main__":
    main()
