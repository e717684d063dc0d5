"""One thread that moves a picture while others look on. It knows no widgets.

Whoever holds a `Worker` says what is wanted: this job, run, pause, one step, start again. Between
two steps the thread looks what is wanted now, so that every wish is answered within a step, and of
a thousand wishes only the last counts. What comes of it goes to one function, as `News`.
"""

import collections
import contextlib
import gc
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nst_tutorial.config import LOSSES, layer_weights, weighted
from nst_tutorial.control.plan import make_plan
from nst_tutorial.extractors import Extractor
from nst_tutorial.runs.inputs import load_pictures
from nst_tutorial.runs.schedule import SCALES, STEERABLE
from nst_tutorial.runs.steering import Steered, as_file
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.scales import SMALLEST_STAGE
from nst_tutorial.transfer import DivergedError, StyleTransfer
from nst_tutorial.widgets.path import Job, News, Painted, Stretch

NEWS_A_SECOND = 8.0  # at most, while it runs: more would flood the way to the browser
STRIDE = 10  # steps over which the picture's change is measured
FRAMES, FILM_BYTES = 60, 24e6  # of a film, at most
SLOW = 12.0  # steps a second, below which a picture is halved while a slider moves


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

    held: bool  # whether a slider is being moved
    extractor: Any  # None once it is closed, as `_show` is; of the others, each is None at times
    _show: Any
    _back: Any  # a `Painted`, or "start"
    _aim: Any
    _job: Any
    _content: Any
    _styles: Any
    _plan: Any
    _start: Any
    _image: Any
    _steered: Any
    _before: Any
    _thread: threading.Thread | None
    _path: tuple[Stretch, ...]
    _film: tuple[Painted, ...]
    _history: list[dict[str, Any]]
    _times: collections.deque[float]

    def __init__(self, job: Job, extractor: Extractor, show: Callable[[News], object]) -> None:
        self.extractor, self._show = extractor.alone(), show
        self._wish, self._stop = threading.Condition(), threading.Event()
        # Wishes, guarded by _wish:
        self._wanted, self._back, self._new = job, None, True
        self._older: tuple[Painted, ...] = ()
        self._live, self._singles, self._finished = False, 0, False
        self.held, self._aim = False, None
        self._thread = None
        # The thread's own:
        self._job = self._content = self._styles = self._plan = None
        self._start = self._image = self._steered = None
        self._step, self._planned, self._path, self._history = 0, 0, (), []
        self._film, self._every = (), 1
        self._times, self._told = collections.deque(maxlen=20), 0.0
        self._forget_change()

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

    def go_back(self, painted: Painted | None, film: tuple[Painted, ...] = ()) -> None:
        """Go back to an earlier picture and its settings, and pause; `film` led to it."""
        with self._asking():
            self._wanted = painted.job if painted else self._wanted
            self._back, self._older, self._new = painted or "start", film, True
            self._live, self._singles = False, 0

    def hold(self, held: bool) -> None:
        """Say whether a slider is being moved: until it rests, slow pictures are halved."""
        with self._asking():
            self.held = held
            halved = bool(self._steered) and self._steered.scale != 1
            self._new = self._new or (self._is_slow() if held else halved)

    def aim(self, job: Job, steps: int, show: Callable[[np.ndarray, bool], object]) -> None:
        """Paint, apart, what a job with other weights would make of the same start.

        Args:
            job: differs from what is painted in its weights alone.
            steps: how many.
            show: called with the picture every few steps, and whether it is finished; in the
                worker's thread.
        """
        with self._asking():
            self._aim, self._new = (job, steps, show), True

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

    @property
    def live(self) -> bool:
        """Whether it is to take steps, as soon as it can."""
        return self._live and not self._finished

    @property
    def busy(self) -> bool:
        """Whether there is something to do before the next wish."""
        return self._stop.is_set() or self._new or self._singles > 0 or self.live

    @property
    def transfer(self) -> StyleTransfer | None:
        """What takes the steps; None before the first, and once all is closed."""
        steered = self._steered  # which the thread may let go of
        return steered and steered.transfer

    @property
    def beginning(self) -> np.ndarray | None:
        """Where the picture starts, as it is shown."""
        return None if self._start is None else self._plan.finish(self._start)

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
                    self._prepare()
                    self._paint_aim()
                    self._gate(1)
                    self._run()
        except _ClosedError:
            return
        except Exception as error:  # whatever it is, the panel says so and lives on
            self._fail(error)

    def _forget(self):
        self._steered = self._content = self._styles = self._start = self._image = self._before = (
            None
        )
        self._path = self._film = self._older = ()
        self._thread, self._show, self.extractor = None, None, None  # with all its graphs
        gc.collect()  # an extractor and its compiled graphs refer to each other

    def _fail(self, error):
        known = isinstance(error, (NSTError, DivergedError))
        said = str(error) if known else f"{type(error).__name__}: {error}".splitlines()[0]
        with contextlib.suppress(Exception):  # the picture or the one who looks on may be broken
            self._image = self._steered.image if self._steered else self._image
            if self._step:
                self._restart(self._image)
        self._steered = None
        with self._wish:
            self._live, self._singles, self._finished, self._new = False, 0, False, True
            self._thread = self._aim = None
        with contextlib.suppress(Exception):
            self._tell("failed", said)

    def _take_over(self):
        """Make the latest wish the job at hand, with as little new as it needs."""
        with self._wish:
            job, back, self._new, self._back = self._wanted, self._back, False, None
            older, self._older = self._older, ()
        old, self._job = self._job, job
        if old is None or job.fixed != old.fixed:
            self._steered = None
            self._load(job)
        if back or old is None or job.origin != old.origin:
            self._place(back or "start", older)
        elif job != old:
            self._go_on_from(old)
        self._set_scale()

    def _load(self, job):
        content, style = job.content.source, job.style.source
        content, styles, _ = load_pictures(content, style, None, job.config)
        self._plan = plan = make_plan(content, styles, job.config.colors)
        start, _ = plan.start(content.shape, plan.content, plan.styles, None, job.config)
        self._content, self._styles, self._start = plan.content, plan.styles, start

    def _place(self, back, older):
        """Put the start, or an earlier picture, in place of the one at hand."""
        if self._steered:
            self._steered.change(self._job.config)
        if back == "start":
            self._image, self._step, self._path = self._start, 0, (Stretch(self._job, 0),)
            if self._steered:
                self._steered.start(self._start)
        else:
            self._step, self._path = back.step, back.path
            self._restart(back.image)
        led_here = () if back == "start" else back.history
        self._history = [row for row in led_here if row["step"] <= self._step]
        self._planned, self._finished = self._step + self._job.config.steps, False
        self._forget_change()
        self._film, self._every = older or (self._painted(),), 1

    def _restart(self, image):
        """Go on from a picture as a file would hold it."""
        if self._path[-1].halved:
            self._note("whole")
        self._note("restart")
        self._image = as_file(image).astype("float32")
        if self._steered:
            self._steered.start(self._image)

    def _go_on_from(self, old):
        """Take the step from one job to another, where the picture stays."""
        job, self._finished = self._job, False
        self._forget_change()
        if job.fixed == old.fixed:
            values = ((name, getattr(job.config, name)) for name in STEERABLE)
            changed = {k: value for k, value in values if value != getattr(old.config, k)}
            self._note(changed, dragged=0 < job.move == old.move)
            if self._steered:
                self._steered.change(job.config)
        elif self._step:
            self._image = as_file(self._image).astype("float32")  # `stylize` starts from files
            here = Stretch(job, self._step, self._image)
            unused = self._path[-1].begun == self._step and not self._path[-1].schedule
            self._path = (*self._path[: -1 if unused else None], here)
        else:
            self._path = (Stretch(job, 0),)

    def _set_scale(self):
        """Halve a slow picture while a slider is held; when it is let go, make it whole again."""
        if self._steered:
            what = "half" if self.held and self._is_slow() else "whole"
            if SCALES[what] != self._steered.scale:
                self._note(what)
                self._steered.apply(what)
                self._times.clear()

    def _is_slow(self):
        """Whether the picture is halved already, or is to be as soon as a slider is held."""
        if self._steered is None or not self._live or self._finished:
            return False
        shortest = min(self._start.shape[1:3])
        slow = 0 < self._rate() < SLOW and shortest >= 2 * SMALLEST_STAGE
        return self._steered.scale != 1 or slow

    def _prepare(self):
        """Have everything ready for a step: targets, and what is compiled at the first one."""
        if self._steered is None:
            self._tell("preparing")
            gc.collect()  # the targets before these
            image = self._image
            steered = Steered(self._content, self._styles, self.extractor, self._job.config, image)
            steered.run(None, 1)
            steered.start(image)
            self._steered = steered

    def _paint_aim(self):
        with self._wish:
            aim, self._aim = self._aim, None
        if aim:
            job, steps, show = aim
            self._tell("preparing")
            target = Steered(self._content, self._styles, self.extractor, job.config, self._start)
            taken = itertools.count(1)

            def call(terms):
                if self._stop.is_set():
                    raise _ClosedError
                if (step := next(taken)) % STRIDE == 0 and step < steps:
                    show(self._plan.finish(target.image), False)

            target.run(call, steps)
            show(self._plan.finish(target.image), True)

    def _run(self):
        """Take the steps of one run; it ends, or a wish ends it."""
        at, schedule = self._step - self._path[-1].begun, self._path[-1].schedule
        if at and not (schedule and schedule[-1][0] == at):
            self._note({})
        self._planned = self._step + self._job.config.steps
        self._told = 0.0  # the first picture of a run is always shown
        self._steered.run(self._after_step)
        with self._wish:
            self._finished, self._singles = True, 0

    def _note(self, what, dragged=False):
        """Add to the path what changes here; `dragged` if the same move changed it before."""
        self._path = (*self._path[:-1], self._path[-1].then(self._step, what, dragged))

    def _after_step(self, terms):
        self._step += 1
        self._times.append(time.perf_counter())
        self._history.append({"step": self._step, **_row(terms, self._job.config)})
        if self._step % STRIDE == 0:
            image = self._steered.image
            if self._before is not None:
                self._change = float(np.abs(image - self._before).mean())
            self._before = image
        if self._step % self._every == 0 and self._steered.scale == 1:
            self._image = self._steered.image
            self._film += (self._painted(as_file(self._image)),)
            if len(self._film) > min(FRAMES, FILM_BYTES // self._image.size):
                self._film, self._every = self._film[::2], 2 * self._every  # drop every other one
        overtaken = self._new and self._told  # what comes next is more worth showing
        if not overtaken and time.perf_counter() - self._told >= 1 / NEWS_A_SECOND:
            self._tell("running")
        if self._step < self._planned:
            self._gate(1)

    def _forget_change(self):
        self._before, self._change = None, float("inf")

    def _gate(self, steps):
        """Wait until steps may be taken, and count them off."""
        if not self.busy:
            self._times.clear()
            self._tell("done" if self._finished else "paused" if self._step else "ready")
        with self._wish:
            self._wish.wait_for(lambda: self.busy)
            if self._stop.is_set():
                raise _ClosedError
            if self._new:
                raise _ChangedError
            self._singles = max(self._singles - steps, 0)

    def _painted(self, image=None):
        image = self._image if image is None else image
        finish = self._plan.finish if self._plan else Painted.finish
        job = self._job or self._wanted
        path, planned = self._path, self._planned
        return Painted(job, image, self._step, path, planned, finish, self._history)

    def _tell(self, phase, message=""):
        if self._steered:
            self._image = self._steered.image
        self._told = time.perf_counter()
        rate, change = self._rate(), self._change
        self._show(News(phase, self._painted(), rate, change, self._history, self._film, message))

    def _rate(self):
        seconds = self._times[-1] - self._times[0] if len(self._times) > 1 else 0
        return (len(self._times) - 1) / seconds if seconds else 0.0


def _row(terms, config):
    """What each term adds to the total, and each style layer."""
    shares = layer_weights(config, terms["style"])
    layers = {
        layer: config.style_weight * shares[layer] * float(loss)
        for layer, loss in terms["style"].items()
    }
    weights = {term: getattr(config, f"{term}_weight") for term in LOSSES}
    return {**weighted(terms, config), "layers": layers, "weights": weights}
