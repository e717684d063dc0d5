"""The stage: what a visitor sees of the `Playground`, as traits and messages.

The browser's half is in the folder `stage`. The two share traits, which a page that is reloaded
finds again, and messages: from the browser `{"do": what, …}`, to it frames of the film and files.
A still picture beneath the panel is seen wherever its kernel is not.
"""

import base64
import contextlib
import html
import itertools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import anywidget
import numpy as np
import traitlets
from IPython.display import publish_display_data

from nst_tutorial.runtime.types import Array
from nst_tutorial.widgets.gallery import encoded
from nst_tutorial.widgets.path import Painted

FOLDER = Path(__file__).parent / "stage"
SCRIPTS = ("film", "charts", "picture", "gallery", "controls", "stage")  # one module, in this order
TERMS = ("step", "total", "content", "style", "tv")  # the columns of the curve
POINTS = 300  # of a curve, at most
FRAME = 256  # longest side of a frame, in pixels
STILL = """<figure class="nst-still" style="margin: 0">
<img src="data:image/jpeg;base64,{picture}" alt="{words}" style="width: 420px; max-width: 100%">
<figcaption>{words}. Run this cell to see the panel and paint on.</figcaption>
<style>.jp-OutputArea-child:not(:has(.nst-play)):has(+ * .nst-still) {{ display: none }}</style>
</figure>"""  # the last line hides JupyterLab's "Error displaying widget" just above it
MESSAGES = (  # what the browser may say; what it must say with it, the methods' types tell
    "play", "pause", "step", "reset", "undo", "keep", "hold", "release", "saw", "film", "choose",
    "upload", "remove", "back", "forget", "take", "gram", "preset", "challenge", "reveal", "apply",
)  # fmt: skip


class Panel(anywidget.AnyWidget):
    """Shows what it is told, and says what is done to it: by calling the method `on_…`.

    Subclasses have a method for each message: `on_play()`, `on_choose(role, index)` and so on, see
    `MESSAGES`. One that cannot be is ignored: the browser is not to be trusted more than a visitor.

    Jupyter says what the visitor does on one thread and runs cells on another, and a subclass may
    have a third. Whatever changes the panel takes its turn: ipywidgets is made for one thread.
    """

    _esm = "\n".join((FOLDER / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    _css = (FOLDER / "stage.css").read_text("utf-8")

    _setup = traitlets.Dict().tag(sync=True)
    _at = traitlets.Dict().tag(sync=True)
    _move = traitlets.Int().tag(sync=True)  # of the visitor's, that `_at` came of: drag or choice
    _gallery = traitlets.Dict().tag(sync=True)
    _chosen = traitlets.Dict().tag(sync=True)
    _now = traitlets.Dict().tag(sync=True)
    _picture = traitlets.Bytes().tag(sync=True)
    _photograph = traitlets.Bytes().tag(sync=True)
    _style = traitlets.Bytes().tag(sync=True)
    _curve = traitlets.Bytes().tag(sync=True)
    _marks = traitlets.List().tag(sync=True)
    _bars = traitlets.Dict().tag(sync=True)
    _kept = traitlets.List().tag(sync=True)
    _gram = traitlets.Dict().tag(sync=True)
    _challenge = traitlets.Dict().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._sent: tuple[Painted, ...] = ()
        self._displayed = False
        self._turn = threading.RLock()
        super().__init__(**traits)
        self.on_msg(self._hear)

    def _ipython_display_(self) -> None:
        """Show the panel, and beneath it a still, which the panel hides as long as it is there."""
        panel: Any = self._repr_mimebundle_()  # data and metadata
        with self._turn:
            publish_display_data(*panel)
            self._publish_still()
            self._displayed = True

    def show_still(self) -> None:
        """Renew the still, so that a notebook that is saved holds the picture now."""
        if self._displayed:
            self._publish_still(update=True)

    def _publish_still(self, **how):
        picture = base64.b64encode(self._picture or self._photograph).decode()
        words = html.escape(self._now["alt"] or "The playground")
        data = {"text/html": STILL.format(picture=picture, words=words), "text/plain": words}
        publish_display_data(data, transient={"display_id": self.model_id}, **how)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take traits from the browser."""
        with self._turn:
            super().set_state(sync_data)

    def _hear(self, _, message, buffers):
        do = message.get("do") if isinstance(message, dict) else None
        if do not in MESSAGES:
            return
        method = getattr(self, f"on_{do}")
        kinds = kinds_of(method)
        given = {name: message.get(name) for name in kinds}
        if all(isinstance(given[name], kind) for name, kind in kinds.items()):
            more = {"content": bytes(buffers[0])} if do == "upload" and buffers else {}
            lasts = do == "take"  # and changes nothing: meanwhile the painting goes on
            with contextlib.nullcontext() if lasts else self._turn:
                method(**given, **more)

    def show_film(self, film: tuple[Painted, ...], again: bool = False) -> None:
        """Send the frames that the browser has not got, or all of them, where it asks for them."""
        pairs = zip(self._sent, film, strict=False)
        alike = itertools.takewhile(lambda pair: pair[0] is pair[1], pairs)
        kept = 0 if again else sum(1 for _ in alike)
        if again or kept < max(len(film), len(self._sent)):
            new = film[kept:]
            frames = [{"step": one.step, "words": f"after {one.step} steps"} for one in new]
            pictures = [encoded(one.shown, longest=FRAME) for one in new]
            sent = {"from": kept, "frames": frames, "asked": again}
            self.send({"film": sent}, buffers=pictures)
            self._sent = film

    def hand_over(
        self, kind: str, name: str, mime: str, content: bytes, text: str = "", words: str = ""
    ) -> None:
        """Give the visitor a file to save, or a text to copy; `words` say what it paints."""
        taken = {"kind": kind, "name": name, "mime": mime, "text": text, "words": words}
        self.send({"take": taken}, buffers=[content])


def kinds_of(method: Callable) -> dict[str, Any]:
    """What a message must hold for a method: `{name: type}`; its bytes come beside it."""
    kinds = get_type_hints(method)
    return {name: kind for name, kind in kinds.items() if name not in ("content", "return")}


def as_curve(history: Sequence[dict[str, Any]]) -> bytes:
    """The terms of a run as the browser draws them: rows of float32."""
    rows = [*history[:: len(history) // POINTS + 1], *history[-1:]]
    table = np.array([[row[term] for term in TERMS] for row in rows], "<f4")
    return np.nan_to_num(table).tobytes()


def as_gray(matrix: Array, top: float, center: float = 0.0) -> bytes:
    """A matrix as bytes: `center` - `top` … `center` + `top` become 0 … 255, clipped."""
    share = (np.asarray(matrix) - center) / max(top, 1e-12)
    return np.clip(np.rint(127.5 + 127.5 * share), 0, 255).astype("uint8").tobytes()
