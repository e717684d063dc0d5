"""The lessons' figures. Each returns the Figure; the last line of a notebook's cell shows it.

Pictures are `(1, H, W, 3)` or `(H, W, 3)`, RGB, 0..255. Text is large enough for a projector.
"""

import io
import itertools
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import figure
from matplotlib.ticker import MaxNLocator

from nst_tutorial.images import to_uint8
from nst_tutorial.runtime.errors import NSTError, printable
from nst_tutorial.runtime.files import replace_file, shown
from nst_tutorial.runtime.types import Array, PathLike

SIZE = 13  # points, of all text
COLOR_MAP = "viridis"
TERMS = {  # as in the playground and in the diagrams
    "total": ("black", "-"), "content": ("#0072b2", "--"),
    "style": ("#d55e00", ":"), "tv": ("#009e73", "-."),
}  # fmt: skip
OTHERS = (  # colors of Okabe and Ito and dashes, told apart without either
    ("#0072b2", "-"), ("#d55e00", "--"), ("#009e73", "-."), ("#cc79a7", ":"), ("#56b4e9", "-"),
    ("#e69f00", "--"), ("black", "-."),
)  # fmt: skip
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".pdf", ".svg")  # of sheets
MOST_PIXELS = 16_000  # on a side of a sheet, which every one of these can hold
LONGEST_LINE, MOST_LINES = 40, 16  # characters and lines of a label
LONGEST_SENTENCE = 300  # where there is no picture
STEEPEST = 3  # height of a sheet's row, in widths of a picture


class Figure(figure.Figure):
    """A figure that shows itself once, in any notebook, without pyplot's global state."""

    def add_subplot(self, *args: Any, **settings: Any) -> Any:
        """Axes whose numbers and labels are as large as all other words."""
        axis = super().add_subplot(*args, **settings)
        axis.tick_params(labelsize=SIZE, which="both")
        axis.xaxis.label.set_size(SIZE)
        axis.yaxis.label.set_size(SIZE)
        return axis

    def _repr_png_(self):
        return self._encoded("png")

    def _encoded(self, kind, **settings):
        encoded = io.BytesIO()
        self.savefig(encoded, format=kind, dpi=72, **settings)
        return encoded.getvalue()


class Photographs(Figure):
    """The same as JPEG: pictures with grain would make a notebook too large as PNG."""

    _repr_png_ = None  # type: ignore[assignment]  # so that IPython asks for the JPEG

    def _repr_jpeg_(self):
        return self._encoded("jpeg", pil_kwargs={"quality": 90})


def show_images(
    images: Sequence[Array] | dict[str, Array],
    titles: Sequence[str] | None = None,
    columns: int = 4,
    width: float = 12.0,
) -> Figure:
    """Show pictures side by side, each with its title.

    Args:
        images: list of pictures, or `{title: picture}`.
        titles: one for each, where `images` is a list.
        columns: at most so many beside each other.
        width: of the figure, in inches.
    """
    names, pictures = _named(titles, images)
    shapes = [np.shape(image)[-3:-1] for image in pictures]
    aspect = max(height / wide for height, wide in shapes)
    axes = _grid(len(pictures), columns, width, aspect, Photographs)
    for axis, image, title in zip(axes, pictures, names, strict=True):
        axis.imshow(to_uint8(np.asarray(image)))
        axis.set_title(title, fontsize=SIZE)
    return axes[0].figure


def show_sheet(
    cells: Sequence[Array | str],
    titles: Sequence[str],
    columns: int,
    names: Sequence[str] | None = None,
    width: float = 12.0,
    title: str | None = None,
) -> Figure:
    """Show a contact sheet: pictures in a grid whose rows and columns are named.

    Args:
        cells: row by row: pictures, or a sentence where there is none.
        titles: of the columns; or, without `names`, one for each cell.
        columns: beside each other, at most.
        names: of the rows.
        width: of the figure, in inches; text becomes smaller where there are many columns.
        title: of the whole.
    """
    shapes = [np.shape(cell)[-3:-1] for cell in cells if not isinstance(cell, str)] or [(1, 1)]
    aspect = min(STEEPEST, max(height / wide for height, wide in shapes))
    axes = _grid(len(cells), columns, width, aspect, Photographs)
    if names:  # they stand beside the pictures, and no title stands between two rows
        tall = len(names) * (width / (columns + 0.5) * aspect + 0.05) + 0.6
        axes[0].figure.set_size_inches(width, tall)
    size = min(SIZE, 8 * width / columns)
    for axis, cell in zip(axes, cells, strict=True):
        _fill(axis, cell, aspect, size)
    for axis, words in zip(axes, titles, strict=False):  # the first row's, if there are names
        axis.set_title(_label(words), fontsize=size, parse_math=False)
    for axis, name in zip(axes[::columns], names or [], strict=False):
        axis.set_axis_on()
        axis.set(xticks=[], yticks=[], frame_on=False)
        axis.set_ylabel(
            _label(name), fontsize=size, rotation=0, ha="right", va="center", parse_math=False
        )
    axes[0].figure.suptitle(title and _label(title), fontsize=SIZE, parse_math=False)
    return axes[0].figure


def save(figure: figure.Figure, path: PathLike, dpi: float = 200) -> None:
    """Save a figure to a file that is whole or not there.

    Args:
        path: where to; it ends in one of `ENDINGS`.
        dpi: pixels per inch, or fewer where a side would have more than `MOST_PIXELS`.

    Raises:
        NSTError: the ending is none of these, or the file cannot be written.
    """
    kind = check_ending(path)
    dpi = min(dpi, MOST_PIXELS / max(figure.get_size_inches()))
    with replace_file(path) as file:
        figure.savefig(file, format=kind, dpi=dpi)


def check_ending(path: PathLike) -> str:
    """Return the kind of file, as matplotlib names it, that a path's ending stands for.

    Raises:
        NSTError: it is none of `ENDINGS`.
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise NSTError(
            f"{shown(path)} has no ending that sheets are saved with; choose one of "
            f"{', '.join(ENDINGS)}."
        )
    return ending[1:]


def show_maps(
    features: Array,
    channels: Sequence[int] = range(8),
    titles: Sequence[str] | None = None,
    columns: int = 4,
    width: float = 12.0,
) -> Figure:
    """Show single channels of a layer's features as gray pictures, each with a scale of its own.

    Args:
        features: `(1, H, W, N)` or `(H, W, N)`.
        channels: which of the N.
        titles: one for each; by default the channel's number.
    """
    features = np.asarray(features, "float32").reshape(np.shape(features)[-3:])
    titles = titles or [f"channel {channel}" for channel in channels]
    height, wide = features.shape[:2]
    axes = _grid(len(titles), columns, width, height / wide)
    for axis, channel, title in zip(axes, channels, titles, strict=True):
        axis.imshow(features[..., channel], cmap="gray", interpolation="nearest")
        axis.set_title(title, fontsize=SIZE)
    return axes[0].figure


def show_matrices(
    matrices: Sequence[Array] | dict[str, Array],
    titles: Sequence[str] | None = None,
    columns: int = 4,
    width: float = 12.0,
) -> Figure:
    """Show matrices as heat maps on one color scale: brighter is larger.

    Args:
        matrices: list of 2-D arrays, or `{title: array}`.
        titles: one for each, where `matrices` is a list.
    """
    titles, matrices = _named(titles, matrices)
    matrices = [np.squeeze(np.asarray(matrix, "float32")) for matrix in matrices]
    top = max(matrix.max() for matrix in matrices)
    low = min(matrix.min() for matrix in matrices)
    axes = _grid(len(matrices), columns, width, 1.0)
    for axis, matrix, title in zip(axes, matrices, titles, strict=True):
        drawn = axis.imshow(matrix, cmap=COLOR_MAP, vmin=low, vmax=top, interpolation="nearest")
        axis.set_title(title, fontsize=SIZE)
    axes[0].figure.colorbar(drawn, ax=axes, shrink=0.8).ax.tick_params(labelsize=SIZE)
    return axes[0].figure


def show_bars(
    values: dict[str, float], ylabel: str, width: float = 9.0, log: bool = False
) -> Figure:
    """Draw one bar for each name: `{name: number}`, the number written on top."""
    axis = _chart(width, 3.6, log)
    bars = axis.bar(list(values), list(values.values()), color=mpl.colormaps[COLOR_MAP](0.35))
    axis.bar_label(bars, fmt="{:.3g}", fontsize=SIZE - 1)
    axis.set_ylabel(ylabel)
    axis.margins(y=0.15)
    return axis.figure


def show_curves(
    curves: dict[str, Any], xlabel: str, ylabel: str, width: float = 11.0, log: bool = False
) -> Figure:
    """Draw curves: `{name: numbers}`, or `{name: (x, y)}`; a legend names several."""
    axis = _chart(width, 4.2, log)
    counted = "step" in xlabel or "iteration" in xlabel
    axis.xaxis.set_major_locator(MaxNLocator(integer=counted, steps=[1, 2, 5, 10]))
    for (name, numbers), other in zip(curves.items(), itertools.cycle(OTHERS), strict=False):
        x, y = numbers if isinstance(numbers, tuple) else (range(1, len(numbers) + 1), numbers)
        color, line = TERMS.get(name, other)
        axis.plot(x, y, line, color=color, label=name, linewidth=3 if line == ":" else 2)
    axis.set(xlabel=xlabel, ylabel=ylabel)
    axis.grid(alpha=0.3)
    if len(curves) > 1:
        axis.legend(fontsize=SIZE - 1, loc="upper left", bbox_to_anchor=(1.01, 1))
    return axis.figure


def show_loss(history: Sequence[dict[str, Any]]) -> Figure:
    """Draw a result's history: the total and its terms, before their weights, by step."""
    style = [sum(row["style"].values()) / max(len(row["style"]), 1) for row in history]
    terms = {term: [row[term] for row in history] for term in TERMS} | {"style": style}
    curves = {
        name: [value if value > 1e-6 else np.nan for value in values]  # a start at the content
        for name, values in terms.items()
        if max(values) > 0
    }
    return show_curves(curves, "step", "loss, relative units", log=True)


def _fill(axis, cell, aspect, size):
    """Draw a picture, or the words that stand for it on gray."""
    if not isinstance(cell, str):
        axis.imshow(to_uint8(np.asarray(cell)))
        return
    axis.imshow(np.full((1, 1, 3), 235, "uint8"), extent=(0, 1, 0, aspect))
    words = textwrap.fill(_shortened(cell, LONGEST_SENTENCE), 26)
    axis.text(
        0.5, aspect / 2, words, fontsize=0.6 * size, ha="center", va="center", parse_math=False
    )


def _label(words):
    """Return words that may come from any name, as a sheet has room for them.

    They are drawn with `parse_math=False`: a name may hold a dollar sign.
    """
    lines = words.split("\n")
    lines = [*lines[: MOST_LINES - 1], "…"] if len(lines) > MOST_LINES else lines
    return "\n".join(_shortened(line, LONGEST_LINE) for line in lines)


def _shortened(words, most):
    words = printable(words)
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _named(titles, items):
    """Take titles from a dictionary's keys, or one empty title for each where there are none."""
    if isinstance(items, dict):
        return list(items), list(items.values())
    return titles or [""] * len(items), items


def _chart(width, height, log):
    """One set of axes whose vertical scale is logarithmic where asked for."""
    axis = Figure(figsize=(width, height), layout="constrained").subplots()
    if log:
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(_between_powers)
    return axis


def _between_powers(value, _):
    """Label 0.2, 0.5, 2, 5, 20 … on a logarithmic axis: few enough to read."""
    return f"{value:g}" if f"{value:e}"[0] in "25" else ""


def _grid(count, columns, width, aspect, kind=Figure):
    """Axes without frames for `count` pictures, row by row."""
    columns = min(columns, count)
    rows = -(-count // columns)
    height = rows * (width / columns * aspect + 0.35)
    drawing = kind(figsize=(width, height), layout="constrained")
    axes = drawing.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
        axis.set_anchor("N")  # titles of a row stand level
    return axes[:count]
