"""`explore`: sliders on a function that returns a Figure."""

import html
import io
import threading
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets
from ipywidgets import Layout
from matplotlib.figure import Figure
from PIL import Image

from nst_tutorial import plots
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.widgets.controls import in_words

DPI = 72  # of a figure as it is shown; it is drawn with twice as many dots
WIDE = 1.9  # times as wide as high: figures whose strip is a column


class Seen(widgets.Image):
    """A picture as wide as its place allows, with `tooltip` for those who do not see it.

    The browser's half of ipywidgets 8.1 shows a tooltip only where there is a description too.
    """

    description = traitlets.Unicode("").tag(sync=True)


class Explorer(widgets.VBox):
    """Sliders on a function that returns a Figure; see `explore`."""

    def __init__(
        self, function: Callable, choices: dict[str, list[Any]], start: dict[str, Any], strip: int
    ) -> None:
        self._function, self._lock = function, threading.Lock()
        self._seen: dict[tuple, tuple[bytes, int]] = {}
        self.sliders = {
            name: _slider(name.replace("_", " "), options, start[name])
            for name, options in choices.items()
        }
        self.picture, self.note = Seen(layout=Layout(width="100%")), widgets.HTML()
        for one in self.sliders.values():
            one.observe(self._changed, "value")
        layout = Layout(width="100%", overflow="hidden")  # Lab's boxes are 4 pixels too wide
        super().__init__([*self.sliders.values(), self.note, self.picture], layout=layout)
        self._still = self._strip(choices, start, strip) if strip else b""
        self._changed()

    def __repr__(self) -> str:
        return "Sliders: run this cell in Jupyter to move them."

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The sliders; and where no kernel runs, a strip of what they show."""
        shown = super()._repr_mimebundle_(**kwargs)
        data = shown[0] if isinstance(shown, tuple) else shown
        if self._still and data:
            data["image/jpeg"] = self._still
        return shown

    def close(self) -> None:
        """Take the panel off the page, with what it remembers."""
        self._seen = {}
        for part in (*self.sliders.values(), self.note, self.picture):
            part.close()
        super().close()

    def _changed(self, change=None):
        with self._lock:
            values = {name: one.value for name, one in self.sliders.items()}
            said = ", ".join(f"{name} {in_words(value)}" for name, value in values.items())
            self.note.value = _spoken(f"working on {said} …")
            key = tuple(values.values())
            try:
                if key not in self._seen:
                    self._seen[key] = _drawn(self._function(**values))
                self.picture.value, width = self._seen[key]
                self.picture.layout.max_width = f"{width}px"
                self.picture.tooltip = said
                self.note.value = _spoken(said)
            except Exception as error:  # shown, so that the panel lives on
                known = isinstance(error, NSTError)
                self.note.value = _spoken(
                    str(error) if known else f"{type(error).__name__}: {error}"
                )

    def _strip(self, choices, start, count):
        """Draw what the first slider shows at up to so many positions: a row, or rows if wide."""
        (name, options), *_ = choices.items()
        places = np.unique(np.linspace(0, len(options) - 1, count).round().astype(int))
        pictures = {}
        for option in (options[place] for place in places):
            values = {**start, name: option}
            figure = self._function(**values)
            self._seen[tuple(values.values())] = _drawn(figure)
            caption = f"{name.replace('_', ' ')} {in_words(option)}"
            axes = getattr(figure, "axes", [])
            if len(axes) == 1:  # its title, where it says more, becomes part of the caption
                title = axes[0].get_title()
                caption = caption if title in caption else f"{caption}\n{title}"
                axes[0].set_title("")
            tile = Image.open(io.BytesIO(_drawn(figure)[0]))
            pictures[caption] = np.asarray(tile.convert("RGB"))
        height, width = max(picture.shape[:2] for picture in pictures.values())
        columns = 1 if width > WIDE * height else len(pictures)
        return _drawn(plots.show_images(pictures, columns=columns))[0]


def explore(
    function: Callable, start: dict[str, Any] | None = None, strip: int = 0, **choices: Iterable
) -> Explorer:
    """Put a slider on each argument of a function, and show the Figure that it returns.

        explore(reconstruct, layer=LAYERS, seed=range(3))

    What was seen once is remembered, so that sliding back takes no time.

    Args:
        function: called with one value of each choice; returns a Figure of `plots`.
        start: `{argument: value}`, where sliders stand at first; else at the first value.
        strip: how many positions of the first slider a page shows that has no kernel, such as the
            web's; each is drawn at once. 0: none.
        choices: for each argument, the values to choose from. Numbers are put in order, so that
            right is always more; names stay as they are.

    Returns:
        the panel; put it last in a cell.

    Raises:
        NSTError: `start` names no argument or none of its values.
    """
    given = {name: list(options) for name, options in choices.items()}
    first = {name: options[0] for name, options in given.items()} | (start or {})
    for name, value in first.items():
        if value not in given.get(name, ()):
            raise NSTError(f"start says {name}={value!r}, which is not among the choices.")
    for options in given.values():
        if all(isinstance(option, (int, float)) for option in options):
            options.sort()
    return Explorer(function, given, first, strip)


def _slider(label, options, value):
    return widgets.SelectionSlider(
        options=[(in_words(option), option) for option in options], value=value,
        tooltip=f"Choose {label}.", description=label, continuous_update=False,
        style={"description_width": "105px"}, layout=Layout(width="auto"),
    )  # fmt: skip


def _drawn(figure):
    """Return a figure as a file with twice the dots that it takes on the page, and its width."""
    kind = "jpeg" if getattr(figure, "_repr_jpeg_", None) else "png"
    if isinstance(figure, Figure):
        file = io.BytesIO()
        figure.savefig(file, format=kind, dpi=2 * DPI)
        return file.getvalue(), round(DPI * figure.get_figwidth())
    drawn = getattr(figure, f"_repr_{kind}_")()
    return drawn, Image.open(io.BytesIO(drawn)).width


def _spoken(words):
    """A line that is read aloud when it changes."""
    return f'<div role="status" style="min-height: 1.35em">{html.escape(words)}</div>'
