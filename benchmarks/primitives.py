"""Where a step's time goes inside TensorFlow: milliseconds of each kind of oneDNN primitive.

    python benchmarks/primitives.py [pocket] [448]
    ONEDNN_MAX_CPU_ISA=AVX2 NST_PRECISION=float32 python benchmarks/primitives.py

oneDNN prints what it executes; eight steps are compared with four, so that loading, targets and
the first step drop out. What the primitives do not cover is TensorFlow's own kernels, Python, and
the printing itself.
"""

import collections
import sys

from startup import HERE, run_steps, step_seconds

FEW, MANY = 4, 8


def milliseconds(name, size, steps):
    """Run so many steps: a step's milliseconds, and a `Counter` of all steps' by kind."""
    lines = run_steps({"PYTHONPATH": str(HERE), "ONEDNN_VERBOSE": "1"}, name, size, steps)
    spent = collections.Counter()
    for line in lines:
        if ",exec," in line:
            words = line.split(",")
            spent[words[words.index("exec") + 2]] += float(words[-1])
    return 1000 * step_seconds(lines)[1], spent


def main():
    name, size = [*sys.argv[1:], *("pocket", "448")[len(sys.argv) - 1 :]]
    _, few = milliseconds(name, size, FEW)
    step, many = milliseconds(name, size, MANY)
    kinds = {kind: (many[kind] - few[kind]) / (MANY - FEW) for kind in many}
    print(f"{name}, {size} px: a step takes {step:.0f} ms\n\n| primitive | ms |\n|---|---|")
    for kind, spent in sorted(kinds.items(), key=lambda pair: -pair[1]):
        print(f"| {kind} | {spent:.0f} |")


if __name__ == "__main__":
    main()
