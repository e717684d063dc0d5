"""What the tests share: pictures of odd sizes, a small extractor, no way out to the network."""

import gc
import os
import signal
import socket
from pathlib import Path

os.environ.setdefault("JAX_ENABLE_X64", "1")  # where Keras runs on JAX: some tests take float64

import numpy as np
import pytest

from nst_tutorial.extractors import Extractor, load_extractor
from nst_tutorial.runtime import processor
from nst_tutorial.runtime.interrupts import REQUESTS

ROOT = Path(__file__).parent.parent


def heed_signals():
    """A process that is started in the background or under nohup ignores these signals, and so
    does all that it starts; the tests send them and look what happens.
    """
    for number in (signal.SIGINT, *REQUESTS):
        if signal.getsignal(number) is signal.SIG_IGN:
            ours = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, ours)


heed_signals()


def pytest_collection_finish():
    """What was imported stays; whoever collects garbage need not look through it each time."""
    gc.freeze()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch):
    """NST_PRECISION stays: it says what machine this is, and tests/machines.py sets it."""
    for name in ("NST_EXTRACTOR", "NST_VGG19_WEIGHTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch):
    """Unit tests never touch the network beyond this machine."""
    connect = socket.socket.connect

    def guarded(self, address):
        local = self.family == getattr(socket, "AF_UNIX", None)
        assert local or address[0] in ("127.0.0.1", "::1"), f"a test tried to reach {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def photograph():
    """A smooth picture with an edge, 70×90, RGB 0..255."""
    y, x = np.mgrid[0:70, 0:90]
    picture = np.stack([2 * x, 3 * y, 255 * (x > 40)], axis=-1)
    return picture.astype("float32")[None]


@pytest.fixture(scope="session")
def painting():
    """Colored stripes, 80×64."""
    y, x = np.mgrid[0:80, 0:64]
    picture = np.stack([127 + 120 * np.sin((x + y) / 3), 200 * (x // 8 % 2), 90 + y], axis=-1)
    return picture.astype("float32")[None]


@pytest.fixture(scope="session")
def extractor():
    return load_extractor("random", precision="float32")


@pytest.fixture
def shared_graphs(monkeypatch):
    """Each panel compiles graphs of its own, to free them in the end; here all share them."""
    monkeypatch.setattr(Extractor, "alone", lambda self: self)


@pytest.fixture
def bfloat16():
    """The precision's name. TensorFlow takes the units that the processor has for it, and fails
    where oneDNN is told not to use them: a processor without them is emulated, up to this.
    """
    if processor.BFLOAT16 & processor.flags() and not processor.has_bfloat16_units():
        pytest.skip("ONEDNN_MAX_CPU_ISA forbids this processor's bfloat16")
    return "bfloat16"
