"""The `Playground`: a panel that paints while its sliders are moved.

What is seen is `stage`'s business, how a picture is made that of `worker`, and what is taken home
`souvenir`'s. Here the three meet: on the worker's thread in `_show`, else on whichever thread
Jupyter calls `on_…`.
"""

import atexit
import dataclasses
import time
import weakref
from typing import Any

import numpy as np
import traitlets

from nst_tutorial.config import TransferConfig
from nst_tutorial.extractors import Extractor, load_extractor
from nst_tutorial.losses import gram_matrix
from nst_tutorial.runs.inputs import load_pictures
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import PathLike, Source
from nst_tutorial.widgets import souvenir
from nst_tutorial.widgets.controls import (
    CHALLENGES,
    PRESETS,
    configured,
    controls_for,
    in_words,
    values_of,
)
from nst_tutorial.widgets.gallery import Gallery, encoded
from nst_tutorial.widgets.path import Before, Job, News, Painted
from nst_tutorial.widgets.stage import Panel, as_curve, as_gray
from nst_tutorial.widgets.words import (
    as_sum,
    described,
    found_it,
    in_lines,
    in_short,
    marks,
    said,
    status,
)
from nst_tutorial.widgets.worker import Worker

FIRST = TransferConfig(size=256, optimizer="adam", scales=1, steps=150, init="content")
ALONE = 120.0  # seconds without anyone looking, after which a run is paused
AIM = 60  # steps to the picture that a challenge asks for
FOUND = 0.15  # share of the way from photograph to target that may be missing
UNDOS, LOST, KEPT = 50, 6, 24  # as many moves, pictures that they took away, and kept ones
NOTHING = {
    "phase": "preparing", "status": "", "note": "", "alt": "", "step": 0, "planned": 0,
    "upload_side": 1024, "live": False, "can_undo": False, "ended": "", "sum": "",
}  # fmt: skip


class Playground(Panel):
    """A panel that paints while its sliders are moved. Show it by putting it last in a cell.

    There is one at a time: a new one ends the one before it, as `close()` does. Then its thread has
    stopped, its memory is free, and its last picture stays on the page.

    Args:
        content: anything `load_image` takes; by default the first bundled photograph.
        style: anything `load_image` takes; by default the first bundled style.
        extractor: an `Extractor` with all layers, a name for `load_extractor`, or None for its
            default.
        config: where the controls stand at first; one size is painted at a time (`scales=1`).
        images: the folder of bundled pictures.

    Raises:
        NSTError: a picture or a setting cannot be used.

    Taught in: 08_playground.
    """

    def __init__(
        self,
        content: Source | None = None,
        style: Source | None = None,
        extractor: Extractor | PathLike | None = None,
        config: TransferConfig | None = None,
        images: PathLike = "../images",
    ) -> None:
        close_latest()
        if not isinstance(extractor, Extractor):
            extractor = load_extractor(extractor)
        self._extractor = extractor
        self._config = dataclasses.replace(config or FIRST, scales=1)
        self._quiet, self._mistake = False, ""
        self.news: News | None = None  # what the worker showed last
        self._drawn = self._looked = self._unseen = 0.0
        self._past: list[Before] = []  # what each move found, the latest last
        self._moved, self._moves = None, 0  # the visitor's move as the browser counts, and as we do
        self._keepsakes: list[Painted] = []
        self._goal: Any = None
        self._watched: str | None = None
        self._grams: dict[Any, np.ndarray] = {}
        self.controls = controls_for(extractor, self._config)
        self.gallery = Gallery(images, {"content": content, "style": style})
        super().__init__(
            _setup=self._described(),
            _at=self._places(self._config),
            _now=NOTHING,
        )
        self._show_gallery()
        self.worker = Worker(self.job(), extractor, self._show)
        _open.append(weakref.ref(self))
        self.worker.paint(self.job())

    def __repr__(self) -> str:
        return "Playground: run this cell in Jupyter to see the panel."

    def job(self) -> Job:
        """What the controls ask for now.

        Raises:
            NSTError: these settings cannot be, such as layer weights that are all 0.
        """
        values = {name: one.options[self._at[name]] for name, one in self.controls.items()}
        chosen = self.gallery.chosen
        config = configured(self._config, values)
        return Job(chosen["content"], chosen["style"], config, self._moves)

    def set(self, **values: Any) -> None:
        """Move controls from a cell: `playground.set(style_weight=300)`.

        Raises:
            NSTError: there is no such control, or it has no such position.
        """
        for name, value in values.items():
            if name not in self.controls:
                raise NSTError(
                    f"there is no control {name!r}; there are {', '.join(self.controls)}."
                )
            if value not in self.controls[name].options:
                offered = ", ".join(map(in_words, self.controls[name].options))
                raise NSTError(f"{name} has no position {value!r}; it has {offered}.")
        with self._turn:
            self._moved = None  # a move of its own
            self._at = {**self._at, **self._places_of(values)}

    def close(self) -> None:
        """End the thread and free its memory. The last picture and a sentence stay on the page."""
        if "worker" in self.__dict__:  # else it was refused before it was made
            self._end("This panel was closed: run its cell again to paint.")

    def _end(self, sentence):
        self.worker.close()  # in no turn: it waits for the thread, which may wait for one
        with self._turn:
            self.news, self._goal, self._sent, self._keepsakes = None, None, (), []
            self._past.clear()
            self._grams.clear()
            if not self._now["ended"]:
                self._say(phase="paused", live=False, note="", ended=sentence)
                self.show_still()

    # What is done to the controls: on whichever thread Jupyter calls it ---------------------------

    @traitlets.validate("_at")
    def _check(self, proposal):
        """Refuse positions that are none, whoever sent them."""
        for name, one in self.controls.items():
            place = proposal["value"].get(name)
            if not (isinstance(place, int) and 0 <= place < len(one.options)):
                raise traitlets.TraitError(f"{name} has no position {place!r}")
        return {name: proposal["value"][name] for name in self.controls}

    @traitlets.observe("_at")
    def _changed(self, change=None):
        if not self._quiet and "worker" in self.__dict__:
            goes_on, self._moved = self._moved == self._move, self._move
            self._ask(None if goes_on else Before(change.old, dict(self.gallery.chosen)))

    def _ask(self, before=None):
        """Ask the worker for what the controls say; a new move can be undone to what was before."""
        try:
            if before:
                self._remember(before)
            job = self.job()
            if before and self.news and job.origin != self.news.painted.job.origin:
                self._past[-1] = self._with_picture(before)
            self.worker.paint(job)
            self._refuse("")
        except NSTError as error:
            self._refuse(str(error))

    def _refuse(self, sentence):
        with self._turn:
            self._mistake = sentence
            self._say(note=self._mistake or said(self.news), can_undo=bool(self._past))

    def on_play(self) -> None:
        self._looked = time.perf_counter()
        self.worker.run()

    def on_pause(self) -> None:
        self.worker.pause()

    def on_step(self) -> None:
        self.worker.step()

    def on_hold(self) -> None:
        self.worker.hold(True)

    def on_release(self) -> None:
        self.worker.hold(False)

    def on_saw(self) -> None:
        self._looked, self._unseen = time.perf_counter(), 0.0

    def on_film(self) -> None:
        self.show_film(self.news.film if self.news else (), again=True)

    def on_reset(self) -> None:
        self._remember_picture()
        self.worker.reset()

    def on_preset(self, index: int) -> None:
        if 0 <= index < len(PRESETS):
            self.set(**self._preset(PRESETS[index]))

    def _preset(self, preset):
        return {"init": self._config.init, **preset.values}

    # Pictures -------------------------------------------------------------------------------------

    def on_choose(self, role: str, index: int) -> None:
        self._try_picture(lambda: self.gallery.choose(role, index))

    def on_upload(self, role: str, name: str, content: bytes = b"") -> None:
        self._try_picture(lambda: self.gallery.add(role, name, content))

    def on_remove(self, role: str, index: int) -> None:
        self._try_picture(lambda: self.gallery.remove(role, index))

    def _try_picture(self, do):
        before = Before(self._at, dict(self.gallery.chosen))
        try:
            do()
        except NSTError as error:
            return self._refuse(str(error))
        self._show_gallery()
        self._ask(before if before.chosen != self.gallery.chosen else None)

    def _show_gallery(self):
        self._gallery, self._chosen = self.gallery.described(), self.gallery.places()
        self._photograph = self.gallery.picture("content", 512)
        self._style = self.gallery.picture("style", 320)

    # Back and forth -------------------------------------------------------------------------------

    def on_keep(self, frame: int | None = None) -> None:
        painted = self._found(frame, None)
        if painted and painted.image is not None:
            names = [one.name for one in self.controls.values() if one.group == "main"]
            main = {name: getattr(painted.job.config, name) for name in (*names, "size")}
            kept = {
                "label": f"step {painted.step}",
                "words": f"{described(painted)}: {in_lines(main)}",
                "picture": encoded(painted.shown),
            }
            self._keepsakes = [*self._keepsakes, painted][-KEPT:]
            self._kept = [*self._kept, kept][-KEPT:]

    def on_forget(self, kept: int) -> None:
        if 0 <= kept < len(self._keepsakes):
            del self._keepsakes[kept]
            self._kept = [one for place, one in enumerate(self._kept) if place != kept]

    def on_back(self, frame: int | None = None, kept: int | None = None) -> None:
        painted = self._found(frame, kept)
        if self.news and painted and painted.image is not None:
            film = self.news.film if frame is not None else ()
            film = tuple(one for one in film if one.step <= painted.step)
            self._remember_picture()
            self._go_back(painted, film)
            self.on_play()

    def on_undo(self) -> None:
        while self._past:
            before = self._past.pop()
            if before.painted:
                return self._go_back(before.painted, before.film)
            if before != Before(self._at, self.gallery.chosen):  # else it ended where it began
                self._put(before.at, before.chosen)
                return self._ask()

    def _with_picture(self, before):
        """What there was, the picture included, if it has begun."""
        if self.news and self.news.painted.step:
            return dataclasses.replace(before, painted=self.news.painted, film=self.news.film)
        return before

    def _remember_picture(self):
        before = self._with_picture(Before(self._at, dict(self.gallery.chosen)))
        if before.painted:
            self._remember(before)

    def _remember(self, before):
        """Note what there was; of the oldest, forget what would need too much memory."""
        self._moves += 1
        past = [*self._past, before][-UNDOS:]
        lost = [place for place, one in enumerate(past) if one.painted]
        self._past = past[lost[-LOST] :] if len(lost) > LOST else past

    def _found(self, frame, kept):
        """The picture that a visitor means: a frame, by its step; a kept one; or the one now."""
        if not self.news:
            return None
        if kept is not None:
            return dict(enumerate(self._keepsakes)).get(kept)
        frames = sorted(self.news.film, key=lambda one: abs(one.step - (frame or 0)))
        return self.news.painted if frame is None else frames[0] if frames else None

    def _go_back(self, painted, film=()):
        job = painted.job
        self._put(self._places(job.config), {"content": job.content, "style": job.style})
        self.worker.go_back(painted, film)

    def _put(self, at, chosen):
        """Put the controls and the pictures where they were: a move of its own."""
        self._quiet, self._moved, self._moves = True, None, self._moves + 1
        try:
            self._at = at
            for role, picture in chosen.items():
                self.gallery.show(role, picture)
        finally:
            self._quiet = False
        self._show_gallery()

    # Take home ------------------------------------------------------------------------------------

    def on_take(
        self,
        kind: str,
        format: str | None = None,
        frame: int | None = None,
        kept: int | None = None,
    ) -> None:
        painted, news = self._found(frame, kept), self.news
        if news is None or painted is None or painted.image is None:
            return
        try:
            if kind == "code":
                text, words = souvenir.as_code(painted, self._extractor), described(painted)
                self.hand_over(kind, "painted.py", "text/x-python", text.encode(), text, words)
            elif kind == "png":
                content = souvenir.as_png(painted, self._extractor)
                self.hand_over(kind, f"{souvenir.name_of(painted)}.png", "image/png", content)
            elif kind == "film" and format in souvenir.FILMS:
                content = souvenir.as_film(news.film, format)
                name = f"{souvenir.name_of(painted)}.{format}"
                self.hand_over(kind, name, f"image/{format}", content)
            elif kind == "upload" and isinstance(painted.job.content.source, bytes):
                picture = painted.job.content
                self.hand_over(kind, picture.name, "application/octet-stream", picture.source)
        except NSTError as error:
            self._refuse(str(error))

    # The mathematics, and challenges --------------------------------------------------------------

    def on_gram(self, layer: str | None) -> None:
        self._watched = layer if layer in self._config.style_layers else None
        self._gram = {}
        if self._watched and self.news:
            self._show_grams(self.news.painted, self._watched)

    def _show_grams(self, painted, layer):
        """Show the Gram matrices of picture and style, divided by the number of positions."""
        extractor, job = self._extractor.select(layer), painted.job
        key = job.style, job.config.size, job.config.style_scale, layer
        if key not in self._grams:
            _, (style,), _ = load_pictures(job.content.source, job.style.source, None, job.config)
            self._grams = {key: _mean_gram(extractor, style, layer)}
        style, picture = self._grams[key], _mean_gram(extractor, painted.image, layer)
        top, apart = _most(style), _most(picture - style)
        self._gram = {
            "layer": layer,
            "n": len(style),
            "top": top,
            "apart": apart,
            "picture": as_gray(2 * picture, top, top),
            "style": as_gray(2 * style, top, top),
            "difference": as_gray(picture - style, apart),
            "words": "Picture and style differ by "
            f"{np.linalg.norm(picture - style) / np.linalg.norm(style):.0%} of the style's; "
            "the difference has a scale of its own, and white is alike.",
        }

    def on_challenge(self, index: int | None) -> None:
        self._goal = None
        if index is None or not 0 <= index < len(CHALLENGES):
            self._challenge = {}
            return
        secret, job = CHALLENGES[index], self.job()
        self._challenge = {
            "name": secret.name, "target": b"", "start": None, "goal": None, "distance": None,
            "best": None, "found": "", "answer": "",
        }  # fmt: skip
        config = dataclasses.replace(job.config, **secret.values)
        aimed = dataclasses.replace(job, config=config)
        self.worker.aim(aimed, AIM, lambda image, done: self._aim(secret, image, done))

    def on_reveal(self) -> None:
        if secret := self._secret():
            self._challenge = {**self._challenge, "answer": in_short(secret.values)}

    def on_apply(self) -> None:
        if secret := self._secret():
            self.set(**secret.values)

    def _secret(self):
        """The settings of the challenge that is on, if one is."""
        named = {one.name: one for one in CHALLENGES}
        return named.get(self._challenge.get("name", ""))

    def _aim(self, secret, image, done):
        with self._turn:
            if self._challenge.get("name") == secret.name:
                start = float(np.abs(self.worker.beginning - image).mean())
                aim = {"target": encoded(image), "start": start, "goal": FOUND * start}
                self._challenge = {**self._challenge, **aim}
                self._goal = (secret, image) if done else None

    def _measure(self, painted):
        """Say how far the picture is from what the challenge asks for, in gray levels."""
        (secret, target), challenge = self._goal, self._challenge
        if painted.image is None or painted.image.shape != target.shape:
            return
        distance = float(np.abs(painted.shown - target).mean())
        best, found = challenge["best"], challenge["found"]
        best = distance if best is None else min(best, distance)
        if not (found or challenge["answer"]) and distance < challenge["goal"]:
            found = found_it(painted, secret.values)
        measured = {"distance": distance, "best": best, "found": found}
        self._challenge = {**self._challenge, **measured}

    # What the worker shows: on its thread ---------------------------------------------------------

    def _show(self, news):
        with self._turn:
            self.news, painted, now = news, news.painted, time.perf_counter()
            rests = news.phase != "running"
            self._look_after(now, rests)
            if painted.image is not None and (rests or not self._unseen or now - self._unseen > 1):
                self._unseen = self._unseen or now
                self._picture = encoded(painted.shown)
            if rests or now - self._drawn > 0.5:
                self._drawn = now
                self._show_numbers(news)
            if self._goal:  # at each news: a fast run comes near it and is past it in half a second
                self._measure(painted)
            self._say(
                phase=news.phase,
                status=status(news),
                note=self._mistake or said(news),
                alt=described(painted),
                step=painted.step,
                planned=painted.planned,
                upload_side=2 * painted.job.config.size,
                live=self.worker.live,
                can_undo=bool(self._past),
                sum=as_sum(news.history),
            )
            if rests and news.phase != "preparing":
                self.show_still()

    def _say(self, **words):
        """Tell the browser how things stand."""
        self._now = {**self._now, **words}

    def _look_after(self, now, rests):
        """Pause a run that nobody has looked at for a while."""
        if rests:
            self._looked = now
        elif now - self._looked > ALONE:
            self._mistake = "Paused, since nobody was looking. Press Play to go on."
            self.worker.pause()

    def _show_numbers(self, news):
        self._curve = as_curve(news.history)
        self._bars = dict(news.history[-1]["layers"]) if news.history else {}
        self._marks = marks(news.painted)
        self.show_film(news.film)
        if self._watched and news.painted.image is not None:
            self._show_grams(news.painted, self._watched)

    def _described(self):
        presets = [
            {"name": one.name, "help": one.help, "at": self._places_of(self._preset(one))}
            for one in PRESETS
        ]
        challenges = [{"name": one.name, "help": one.help} for one in CHALLENGES]
        return {
            "controls": [one.described() for one in self.controls.values()],
            "layers": list(self._config.style_layers),
            "presets": presets,
            "challenges": challenges,
        }

    def _places(self, config):
        values = values_of(config)
        return self._places_of({name: values[name] for name in self.controls})

    def _places_of(self, values):
        return {name: self.controls[name].options.index(value) for name, value in values.items()}


def _mean_gram(extractor, image, layer):
    features = np.asarray(extractor(np.asarray(image, "float32"))[layer], "float32")
    return np.asarray(gram_matrix(features))[0] / np.prod(features.shape[1:3])


def _most(matrix):
    """A large value of a matrix, by its size; one in a hundred is larger."""
    return max(float(np.quantile(np.abs(matrix), 0.99)), 1e-12)


_open: list[weakref.ref] = []  # a weak reference to the panel that is open


def close_latest() -> None:
    """End the playground that is open, if any: Jupyter does not say when a cell is run anew."""
    while _open:
        if panel := _open.pop()():
            panel._end("Another panel was opened, and there is one at a time: this one rests.")


@atexit.register
def _end_thread():
    """At the end of the process only the thread is ended: no browser is told of widgets then."""
    for panel in filter(None, (reference() for reference in _open)):
        panel.worker.close()
