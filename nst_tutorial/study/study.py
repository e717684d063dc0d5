"""Studies: a grid of settings, each cell painted once, here or on a cluster; one sheet of all.

A study's folder is all its state: `KEY.png` is a finished cell, which holds its settings as every
saved picture does, and `KEY.json` beside it the losses after its last step.
"""

import contextlib
import dataclasses
import importlib.util
import itertools
import numbers
import os
import reprlib
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from nst_tutorial.config import TransferConfig
from nst_tutorial.images import load_image
from nst_tutorial.runtime.errors import NSTError, printable
from nst_tutorial.runtime.extras import import_extra
from nst_tutorial.runtime.files import check_output, make_folder, replace_file, shown
from nst_tutorial.runtime.types import Array, PathLike, Source
from nst_tutorial.study.cells import (
    Cell,
    Paint,
    Parcel,
    attempt,
    losses_of,
    pack,
    paint_cell,
    traits_of,
)
from nst_tutorial.study.cluster import spread
from nst_tutorial.study.grids import INPUTS, labels_of, named, read_grid, read_toml

if TYPE_CHECKING:
    from nst_tutorial.plots import Figure

ACROSS = 8  # pictures beside each other at most, where one field alone is varied
BETWEEN_SHEETS = 3  # seconds at least from one live sheet to the next
MOST_ON_SHEET = 1000  # cells; matplotlib needs minutes for so many
MOST_THREADS = 4096

Measure = Callable[[Array, Array | None, Array | None], float]  # painted, style, photograph


class Study:
    """A grid of settings: each combination is a cell, and each cell a picture.

    Args:
        content, style: as `stylize` takes them.
        grid: `{field: [value, …]}`, or `{field: {label: value, …}}` for labels of your own. A
            field is one of `TransferConfig`'s, or `"content"`, `"style"` or `"extractor"`.
        config: a `TransferConfig` for what the grid leaves alone, or None for its defaults.
        extractor: a name or file for `load_extractor`, which each worker calls; None: its default.
        folder: where the cells are kept. Cells that are there already are finished.

    Raises:
        NSTError: an unknown field, a value that cannot be, or a picture that cannot be read.

    Taught in: 07_full_transfer.
    """

    def __init__(
        self,
        content: Source | None,
        style: Source | None,
        grid: Mapping[str, Any],
        config: TransferConfig | None = None,
        extractor: PathLike | None = None,
        folder: PathLike = "study",
    ) -> None:
        self.config, self.folder = _config_of(config), _folder_of(folder)
        self.grid = read_grid(grid)
        self.labels = [
            labels_of(field, grid, values, self.config) for field, values in self.grid.items()
        ]
        self.pictures: dict[str, Parcel] = {}  # by their hashes
        self.failures: dict[str, str] = {}  # {key: sentence}
        self.inputs: list[PathLike | None] = []  # the files that it is made from
        fixed = {"content": content, "style": style, "extractor": extractor}
        fixed = {field: self._take(field, fixed[field]) for field in fixed.keys() - self.grid}
        varied = [
            [(field, value, self._take(field, value)) for value in values]
            for field, values in self.grid.items()
        ]
        self.cells = [self._cell(fixed, chosen) for chosen in itertools.product(*varied)]

    @classmethod
    def read(cls, path: PathLike) -> "Study":
        """Read a study from a TOML file; see `grids.read_toml`."""
        arguments = read_toml(path)
        with named(path):
            one = cls(**arguments)
        one.inputs.append(path)
        return one

    def run(self, client: Any = None, threads: int = 1, paint: Paint = paint_cell) -> "Study":
        """Paint what is not finished; after any interruption, call it again.

        Args:
            client: a Dask `Client`, or a scheduler's address; None to work in this process.
            threads: that each worker computes with. A picture's last bits depend on it: with the
                same number, and the same kind of processor, all workers give the same bytes.
            paint: what paints a cell; see `cells.paint_cell`.

        Returns:
            the study. Of a cell that failed, `.failures` has the reason; the next run tries again.

        Raises:
            NSTError: the folder cannot be written to, the scheduler is gone, or `distributed` is
                not installed. What is finished stays finished.
        """
        if not (isinstance(threads, numbers.Integral) and 1 <= threads <= MOST_THREADS):
            raise NSTError(f"threads is {threads}; it must be from 1 to {MOST_THREADS}.")
        waiting = {cell.key: cell for cell in self.cells if not self.finished(cell)}
        if waiting:
            make_folder(self.folder)
            check_output(self._file(next(iter(waiting)), ".png"))
        self.failures = {}
        if client is None:
            tried = ((key, attempt(paint, cell, self.pictures)) for key, cell in waiting.items())
        else:
            tried = spread(client, waiting.values(), self.pictures, paint, threads, self.folder)
        with contextlib.closing(tried), _watched(self, len(waiting)) as show:
            for key, (png, said) in tried:
                self._keep(key, png, said)
                show()
        return self

    def finished(self, cell: Cell) -> bool:
        """Whether a cell's picture and losses are there, and whole."""
        return losses_of(self.folder, cell.key) is not None

    def progress(self) -> str:
        """Say how far it is: `"3 of 6 cells"`."""
        return f"{sum(map(self.finished, self.cells))} of {len(self.cells)} cells"

    def sheet(self, width: float = 12.0, title: str | None = None) -> "Figure":
        """Draw all cells: the grid's first field runs across, the others down.

        Args:
            width: of the figure, in inches; `savefig("sheet.pdf", dpi=200)` prints well on A3.
            title: above it.

        Raises:
            NSTError: matplotlib is not installed, or there are more cells than a sheet can show.
        """
        plots = import_extra("nst_tutorial.plots", "lab")
        self._check_number()
        across, *down = self.labels
        size = max(16, int(200 * width / len(across)))  # pixels: 200 an inch
        shown = [self._shown(cell, size) for cell in self.cells]
        if not down:
            return plots.show_sheet(shown, across, ACROSS, width=width, title=title)
        rows = len(shown) // len(across)
        shown = [one for row in range(rows) for one in shown[row::rows]]  # row by row
        names = ["\n".join(names) for names in itertools.product(*down)]
        return plots.show_sheet(shown, across, len(across), names, width, title)

    def save_sheet(self, path: PathLike) -> None:
        """Draw the sheet and save it; see `check_sheet`."""
        import_extra("nst_tutorial.plots", "lab").save(self.sheet(), path)

    def check_sheet(self, path: PathLike) -> None:
        """Find out, before any cell is painted, whether the sheet can be drawn and saved.

        Raises:
            NSTError: there are too many cells, `plots.save` knows no such file, or it would take
                the place of a cell or an input, or cannot be written.
        """
        plots = import_extra("nst_tutorial.plots", "lab")
        self._check_number()
        plots.check_ending(path)
        check_output(path, self.inputs)
        place = Path(path).resolve()
        if place.parent == self.folder.resolve() and place.stem in {one.key for one in self.cells}:
            raise NSTError(f"{shown(path)} is one of the cells; give the sheet another name.")

    def table(self, measures: Mapping[str, Measure] | None = None) -> Any:
        """Return a pandas frame, one row per cell: its values, its state, its last losses.

        Args:
            measures: `{name: function}`, a column each. A function is given a finished cell's
                picture, its style (of several, the first) and its photograph, None where there is
                none, each `(1, H, W, 3)` at the picture's size, and returns a number.
        """
        rows = [self._row(cell) | self._measured(cell, measures or {}) for cell in self.cells]
        return import_extra("pandas", "lab").DataFrame(rows)

    def _cell(self, fixed, chosen):
        """Make one cell of the `(field, value, value as taken in)` that were chosen for it."""
        taken = fixed | {field: one for field, _, one in chosen}
        content, styles, name = (taken.pop(field) for field in INPUTS)
        if not (content or styles):
            raise NSTError("neither a content nor a style picture was given; give at least one.")
        config = dataclasses.replace(self.config, **taken)
        name, *traits = traits_of(name, config.optimizer)
        values = {field: value for field, value, _ in chosen}
        return Cell(values, config, content, styles, name, tuple(traits))

    def _take(self, field, value):
        """Take a value in, once for all cells: of pictures, their hashes."""
        if field == "content":
            return self._hash(value)
        if field == "style":
            styles = value if isinstance(value, (list, tuple)) else [value]
            return tuple(self._hash(style) for style in styles if style is not None)
        if field == "extractor":
            self.inputs.append(value)
            return _name_of(value)
        return value

    def _hash(self, source):
        """Take a picture in, and return its hash."""
        if source is None:
            return None
        picture = pack(source)
        self.inputs.append(picture.name)
        return self.pictures.setdefault(picture.sha256, picture).sha256

    def _file(self, key, suffix):
        return self.folder / f"{key}{suffix}"

    def _check_number(self):
        if len(self.cells) > MOST_ON_SHEET:
            raise NSTError(
                f"a sheet shows at most {MOST_ON_SHEET} cells, and this study has "
                f"{len(self.cells)}; Study.run paints them without one, and the table has them all."
            )

    def _keep(self, key, png, said):
        """Write a cell, its picture last, which makes it finished; or note why there is none."""
        if png is None:
            self.failures[key] = said
            return
        for suffix, data in ((".json", said.encode()), (".png", png)):
            with replace_file(self._file(key, suffix)) as file:
                file.write(data)

    def _shown(self, cell, size):
        """What the sheet has of a cell: its picture, or why there is none, or nothing yet."""
        if not self.finished(cell):
            return self.failures.get(cell.key, "")
        try:
            return load_image(self._file(cell.key, ".png"), size)
        except NSTError as error:
            return str(error)

    def _row(self, cell):
        losses = losses_of(self.folder, cell.key)
        state = self.failures.get(cell.key, "waiting") if losses is None else "finished"
        return {**cell.values, "state": state, "key": cell.key, **(losses or {})}

    def _measured(self, cell, measures):
        """A finished cell's `{name: number}`."""
        if not measures or not self.finished(cell):
            return {}
        painted = load_image(self._file(cell.key, ".png"))
        style, photograph = (
            sha and load_image(self.pictures[sha].data, max(painted.shape[1:3]))
            for sha in (next(iter(cell.styles), None), cell.content)
        )
        return {name: measure(painted, style, photograph) for name, measure in measures.items()}


def _config_of(config):
    if not isinstance(config, TransferConfig | None):
        raise NSTError(f"config is {reprlib.repr(config)}; give a TransferConfig, or None.")
    return config or TransferConfig()


def _folder_of(folder):
    if not isinstance(folder, str | os.PathLike) or "\0" in os.fspath(folder):
        raise NSTError(f"folder is {reprlib.repr(folder)}; give a folder's name.")
    return Path(folder)


def _name_of(extractor):
    if not isinstance(extractor, str | os.PathLike | None):
        raise NSTError(
            f"extractor is {reprlib.repr(extractor)}; give a name or a file of weights, which "
            "each worker can load."
        )
    return extractor and os.fspath(extractor)


@contextlib.contextmanager
def _watched(study, count):
    """Show progress and time left; yield what to call after each cell.

    In a notebook the sheet fills up, elsewhere a bar grows.
    """
    small = count > 0 and len(study.cells) <= MOST_ON_SHEET
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if small and hasattr(shell, "kernel") and importlib.util.find_spec("matplotlib"):
        live = _LiveSheet(study, count)
        try:
            yield live.show
        finally:
            live.handle.update(study.sheet())
    else:
        name = printable(study.folder.name)
        with tqdm(total=count, unit="cell", desc=name, delay=1e-6, file=sys.stderr) as bar:
            yield bar.update


class _LiveSheet:
    """The sheet in a notebook's cell, drawn again as cells are finished."""

    def __init__(self, study, count):
        from IPython.display import display

        self.study, self.count, self.done = study, count, 0
        self.began = self.drawn = time.monotonic()
        self.handle = display(study.sheet(title=f"{count} cells to paint"), display_id=True)

    def show(self):
        self.done, now = self.done + 1, time.monotonic()
        if now - self.drawn < BETWEEN_SHEETS:
            return
        left = (now - self.began) / self.done * (self.count - self.done)
        title = f"{self.done} of {self.count} cells, {tqdm.format_interval(left)} left"
        self.handle.update(self.study.sheet(title=title))
        self.drawn = time.monotonic()
