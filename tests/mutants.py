"""Damaged files: mutants of whole ones, and a bound on the processor time that one may take."""

import contextlib
import signal
import struct
import zlib

SECONDS = 10  # of processor time, for one file


class TooSlowError(BaseException):
    """No `except Exception` on the way stops it."""


@contextlib.contextmanager
def stopped_after(seconds):
    """Bound the processor time of what is done within, where the system has such alarms."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(*_):
        raise TooSlowError(f"over {seconds} seconds")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def mutated(data, others, rng):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        rng.choice(MUTATIONS)(data, others, rng)
    return bytes(repaired(data) if rng.random() < 0.8 else data)


def flip(data, _, rng):
    for _ in range(rng.choice((1, 3, 20))):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def cut(data, _, rng):
    del data[rng.randrange(len(data) + 1) :]


def remove(data, _, rng):
    start = rng.randrange(len(data) + 1)
    del data[start : start + rng.choice((1, 4, 100))]


def repeat(data, _, rng):
    start = rng.randrange(len(data) + 1)
    data[start:start] = data[start : start + rng.choice((1, 16, 200))] * rng.choice((1, 50))


def splice(data, others, rng):
    other = rng.choice(others)
    data[rng.randrange(len(data) + 1) :] = other[rng.randrange(len(other)) :]


def number_in_the_header(data, _, rng):
    """Most headers say sizes, counts and places in two or four bytes."""
    number = rng.choice((0, 1, 2, 255, 4000, 9000, 30000, 65535, 2**31 - 1, 2**31, 2**32 - 1))
    packed = struct.pack(
        rng.choice("<>") + ("H" if number < 2**16 and rng.random() < 0.5 else "I"), number
    )
    start = rng.randrange(64)
    data[start : start + len(packed)] = packed


MUTATIONS = (flip, cut, remove, repeat, splice, number_in_the_header)


def repaired(data):
    """Give a PNG's chunks their checksums again: a mutant should get past them."""
    at = 8
    while data.startswith(b"\x89PNG") and at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 <= len(data):
            struct.pack_into(">I", data, end, zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return data
