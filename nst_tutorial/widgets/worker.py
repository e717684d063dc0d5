"""One thread that moves a picture while others look on. It knows no widgets.

Whoever holds a `Worker` says what is wanted: this job, run, pause, one step, start again. Between
two steps the thread looks what is wanted now, so that every wish is answered within a step, and of
a thousand wishes only the last counts. What comes of it goes to one function, as `News`.
"""

import collections
import contextlib
import dataclasses
import gc
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nst_tutorial.config import TransferConfig, weighted
from nst_tutorial.control.plan import make_plan
from nst_tutorial.extractors import Extractor
from nst_tutorial.runs.inputs import load_pictures
from nst_tutorial.runs.run import prepare_extractor
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.transfer import DivergedError, StyleTransfer

NEWS_A_SECOND = 8.0  # at most, while it runs: more would flood the way to the browser
STRIDE = 10  # steps over which the picture's change is measured


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """A picture that may be chosen."""

    name: str
    source: object  # anything `load_image` takes
    words: str = ""  # what is seen


@dataclasses.dataclass(frozen=True)
class Job:
    """What is to be painted, and how."""

    content: Picture
    style: Picture
    config: TransferConfig

    @property
    def origin(self) -> tuple[Any, ...]:
        """What decides where the picture starts; if it changes, the picture starts again."""
        config = self.config
        style = self.style if config.init in ("style", "recolored") else None
        start = config.init, config.seed, config.noise_std
        return self.content, style, config.size, config.colors, *start

    @property
    def graph(self) -> tuple[Any, ...]:
        """What targets, optimizer and compiled graph were made for; the weights are not in it."""
        names = ["content_layers", "style_layers", "convention", "blend", "style_size"]
        names += ["style_scale", "style_resize", "optimizer", "beta_1", "epsilon"]
        return self.style, *(getattr(self.config, name) for name in names)


@dataclasses.dataclass(frozen=True)
class Painted:
    """A picture and how it came about."""

    job: Job
    image: np.ndarray | None  # (1, H, W, 3), RGB, 0..255; None before the first is loaded
    step: int
    breaks: tuple[int, ...] = ()  # steps after which settings changed, or it was run once more
    finish: Callable = lambda image: image  # puts the photograph's colors back, if they are kept

    @property
    def shown(self) -> np.ndarray | None:
        """The picture as it is shown and taken home."""
        return None if self.image is None else self.finish(self.image)


@dataclasses.dataclass(frozen=True)
class News:
    """How things stand: one for each picture that is worth showing."""

    phase: str  # ready, preparing, running, paused, done or failed
    painted: Painted
    planned: int  # the step at which the run ends
    rate: float  # steps a second; 0 while it is not known
    change: float  # mean change of a pixel over the last `STRIDE` steps, grey levels; inf: unknown
    history: list[dict]  # one row for each step: what each term adds to the total
    message: str = ""  # what went wrong, in a sentence

    @property
    def seconds_left(self) -> float:
        return (self.planned - self.painted.step) / self.rate if self.rate else float("inf")


class _ChangedError(Exception):
    """Another job or picture is wanted: leave the run."""


class _ClosedError(Exception):
    """The worker is to end."""


class Worker:
    """Paints a `Job` in a thread of its own, from the first wish until `close` or an error.

    Args:
        job: the first `Job`.
        extractor: an `Extractor` that has the layers of every job.
        show: called with `News`, in the worker's thread.
    """

    extractor: Any  # None once it is closed, as `_show` is; of the others, each is None at times
    _show: Any
    _back: Any  # a `Painted`, or "start"
    _job: Any
    _pictures: Any
    _plan: Any
    _start: Any
    _image: Any
    _transfer: Any
    _before: Any
    _thread: threading.Thread | None
    _breaks: tuple[int, ...]
    _history: list[dict[str, Any]]
    _times: collections.deque[float]

    def __init__(self, job: Job, extractor: Extractor, show: Callable[[News], object]) -> None:
        self.extractor, self._show = extractor.alone(), show
        self._wish, self._stop = threading.Condition(), threading.Event()
        # Wishes, guarded by _wish:
        self._wanted, self._back, self._new = job, None, True
        self._live, self._singles, self._finished = False, 0, False
        self._thread = None
        # The thread's own:
        self._job = self._pictures = self._plan = None
        self._start = self._image = self._transfer = None
        self._step, self._planned, self._breaks, self._history = 0, 0, (), []
        self._times, self._told = collections.deque(maxlen=20), 0.0
        self._before, self._change = None, float("inf")

    # What others ask for: from any thread, answered at once -------------------------------------

    def paint(self, job: Job) -> None:
        """Go on with this job; the picture stays unless the job says where it starts."""
        with self._asking():
            self._new = self._new or job != self._wanted
            self._wanted = job

    def run(self) -> None:
        """Take steps until the run ends, or until told otherwise."""
        with self._asking():
            self._live, self._finished = True, False

    def pause(self) -> None:
        """Take no more steps; the run stays as it is."""
        with self._asking():
            self._live, self._singles = False, 0

    def step(self) -> None:
        """Take one step, then pause."""
        with self._asking():
            self._live, self._singles = False, self._singles + 1

    def reset(self) -> None:
        """Go back to where the picture starts, and pause."""
        self.go_back(None)

    def go_back(self, painted: Painted | None) -> None:
        """Go back to an earlier picture and its settings, and pause."""
        with self._asking():
            self._wanted = painted.job if painted else self._wanted
            self._back, self._new = painted or "start", True
            self._live, self._singles = False, 0

    def close(self) -> None:
        """End the thread after the step at hand, and let go of everything.

        What is asked for afterwards is not heard.
        """
        with self._wish:
            self._stop.set()
            self._wish.notify_all()
            thread = self._thread
        if thread and thread is not threading.current_thread():
            thread.join()
        self._forget()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread is not None

    @contextlib.contextmanager
    def _asking(self):
        """Note a wish, and see that there is one thread, not two, to hear it."""
        with self._wish:
            yield
            self._wish.notify_all()
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._work, name="painter", daemon=True)
                self._thread.start()

    # The thread ---------------------------------------------------------------------------------

    def _work(self):
        try:
            while True:
                with contextlib.suppress(_ChangedError):
                    self._take_over()
                    self._gate(0)
                    self._prepare()
                    self._gate(1)
                    self._run()
        except _ClosedError:
            return
        except Exception as error:  # whatever it is, the panel says so and lives on
            self._fail(error)

    def _forget(self):
        self._transfer = self._pictures = self._start = self._image = self._before = None
        self._thread, self._show, self.extractor = None, None, None  # with all its graphs
        gc.collect()  # an extractor and its compiled graphs refer to each other

    def _fail(self, error):
        known = isinstance(error, (NSTError, DivergedError))
        said = str(error) if known else f"{type(error).__name__}: {error}".splitlines()[0]
        with contextlib.suppress(Exception):  # the picture or the one who looks on may be broken
            self._image = self._transfer.image if self._transfer else self._image
        self._transfer = None
        with self._wish:
            self._live, self._singles, self._finished, self._new = False, 0, False, True
            self._thread = None
        with contextlib.suppress(Exception):
            self._tell("failed", said)

    def _take_over(self):
        """Make the latest wish the job at hand, with as little new as it needs."""
        with self._wish:
            job, back, self._new, self._back = self._wanted, self._back, False, None
        old = self._job
        if old is None or (job.origin, job.graph) != (old.origin, old.graph):
            self._transfer = None
            self._load(job)
        if old is None or job.origin != old.origin:
            back = back or "start"
        self._job = job
        if self._transfer:
            self._transfer.config = job.config
        if back:
            self._place(Painted(job, self._start, 0) if back == "start" else back)
        if job != old:
            self._finished = False
            if not back:
                self._break()

    def _load(self, job):
        content, style = job.content.source, job.style.source
        content, styles, _ = load_pictures(content, style, None, job.config)
        self._plan = plan = make_plan(content, styles, job.config.colors)
        start, _ = plan.start(content.shape, plan.content, plan.styles, None, job.config)
        self._pictures, self._start = (plan.content, plan.styles), start

    def _place(self, painted):
        """Put a picture in place of the one at hand, with an optimizer that remembers nothing."""
        self._image, self._step, self._breaks = painted.image, painted.step, painted.breaks
        self._planned, self._finished = painted.step, False
        self._history = []
        self._before, self._change = None, float("inf")
        if self._transfer:
            self._transfer.restart(painted.image)

    def _prepare(self):
        if self._transfer is None:
            self._tell("preparing")
            gc.collect()  # the targets before these
            config, (content, styles) = self._job.config, self._pictures
            extractor = prepare_extractor(self.extractor, config, content, styles)
            self._transfer = StyleTransfer(content, styles, extractor, config, self._image)

    def _run(self):
        """Take the steps of one run; it ends, or a wish ends it."""
        self._break()
        self._planned = self._step + self._job.config.steps
        self._told = 0.0  # the first picture of a run is always shown
        self._transfer.run(self._job.config.steps, self._after_step)
        with self._wish:
            self._finished, self._singles = True, 0

    def _break(self):
        """Note that what follows is not the run that led here."""
        if self._step and self._breaks[-1:] != (self._step,):
            self._breaks += (self._step,)

    def _after_step(self, terms):
        self._step += 1
        self._times.append(time.perf_counter())
        self._history.append({"step": self._step, **weighted(terms, self._job.config)})
        if self._step % STRIDE == 0:
            self._measure_change()
        if time.perf_counter() - self._told >= 1 / NEWS_A_SECOND:
            self._tell("running")
        if self._step < self._planned:
            self._gate(1)

    def _measure_change(self):
        image = self._transfer.image
        if self._before is not None:
            self._change = float(np.abs(image - self._before).mean())
        self._before = image

    def _gate(self, steps):
        """Wait until steps may be taken, and count them off."""
        if not self._something_to_do():
            self._times.clear()
            self._tell(self._rest())
        with self._wish:
            self._wish.wait_for(self._something_to_do)
            if self._stop.is_set():
                raise _ClosedError
            if self._new:
                raise _ChangedError
            self._singles = max(self._singles - steps, 0)

    def _something_to_do(self):
        wanted = self._singles or (self._live and not self._finished)
        return self._stop.is_set() or self._new or wanted

    def _rest(self):
        return "done" if self._finished else "paused" if self._step else "ready"

    def _tell(self, phase, message=""):
        if self._transfer:
            self._image = self._transfer.image
        self._told = time.perf_counter()
        finish = self._plan.finish if self._plan else Painted.finish
        painted = Painted(self._job or self._wanted, self._image, self._step, self._breaks, finish)
        self._show(
            News(phase, painted, self._planned, self._rate(), self._change, self._history, message)
        )

    def _rate(self):
        seconds = self._times[-1] - self._times[0] if len(self._times) > 1 else 0
        return (len(self._times) - 1) / seconds if seconds else 0.0
