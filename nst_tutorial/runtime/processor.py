"""The processor: its name, and what it can do."""

import os
import platform
import subprocess
import sys

from nst_tutorial.runtime.machine import read_kernel

# What a processor is called by the widest instructions that it has, widest first.
INSTRUCTIONS = {
    "amx_bf16": "AMX",
    "avx512_bf16": "AVX512-BF16",
    "avx512f": "AVX512",
    "avx2": "AVX2",
    "avx": "AVX",
    "bf16": "NEON-BF16",
}
BFLOAT16 = {"amx_bf16", "avx512_bf16", "bf16"}


def instructions() -> str:
    """Name the widest instructions that the processor has, and the limit that oneDNN is set."""
    known = flags()
    widest = next((name for flag, name in INSTRUCTIONS.items() if flag in known), "")
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA")
    return (widest or platform.machine()) + (f" up to {limit}" if limit else "")


def has_bfloat16_units() -> bool:
    """Whether the processor multiplies in bfloat16, and oneDNN may use that.

    Windows does not say what its processor can do, and counts as one that cannot.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "ALL").upper()
    allowed = limit in ("ALL", "DEFAULT") or any(unit in limit for unit in ("BF16", "AMX", "AVX10"))
    return allowed and not BFLOAT16.isdisjoint(flags())


def flags() -> set[str]:
    """The names of what the processor can do, as Linux has them; empty where no one says so."""
    if sys.platform == "darwin":
        asked = ["sysctl", "-n", "hw.optional.arm.FEAT_BF16"]
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        return {"bf16"} if said.strip() == "1" else set()
    lines = (line.partition(":") for line in read_kernel("proc/cpuinfo").splitlines())
    return next(
        (set(words.split()) for name, _, words in lines if name.strip() in ("flags", "Features")),
        set(),
    )


def model() -> str:
    """The processor's name, as far as the system says it."""
    lines = (line.partition(":") for line in read_kernel("proc/cpuinfo").splitlines())
    named = (words.strip() for name, _, words in lines if name.strip() == "model name")
    return next(named, platform.processor() or platform.machine())
