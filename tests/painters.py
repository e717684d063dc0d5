"""Painters of a study's cells for tests. Workers import them, so that they import no Keras."""

import io
import os
import signal
import time

from PIL import Image


def dot(cell, pictures):
    """A cell that needs no network: one gray pixel."""
    assert pictures[cell.content].data
    encoded = io.BytesIO()
    Image.new("L", (1, 1), int(cell.config.content_weight)).save(encoded, "PNG")
    return encoded.getvalue(), {"total": cell.config.tv_weight}


class Logged:
    """A painter that notes in a file when it begins a cell, and in which process."""

    def __init__(self, log, paint):
        self.log, self.paint = str(log), paint

    def __call__(self, cell, pictures):
        with open(self.log, "a") as log:
            log.write(f"{cell.key} {time.time_ns()} {os.getpid()}\n")
        return self.paint(cell, pictures)


class Fatal:
    """A painter that kills its process, -9, in the middle of certain cells, so many times each."""

    def __init__(self, folder, deaths):
        self.folder, self.deaths = str(folder), deaths  # {content weight: times}

    def __call__(self, cell, pictures):
        for number in range(self.deaths.get(cell.config.content_weight, 0)):
            try:
                open(f"{self.folder}/{cell.key}-{number}", "x").close()
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
        return dot(cell, pictures)
