"""Studies: a grid of settings, each cell painted once, here or on a cluster; one sheet of all.

A study's folder is all its state: `KEY.png` is a finished cell, which holds its settings as every
saved picture does, and `KEY.json` beside it the losses after its last step.
"""

import contextlib
import dataclasses
import functools
import importlib.util
import itertools
import json
import sys
import time
from pathlib import Path

from tqdm import tqdm

from nst_tutorial.cells import Cell, attempt, paint_cell, picture_of, traits_of
from nst_tutorial.cluster import spread
from nst_tutorial.errors import NSTError, needed
from nst_tutorial.files import replacing
from nst_tutorial.grids import INPUTS, labels_of, read_toml, values_of
from nst_tutorial.images import load_image
from nst_tutorial.records import TransferConfig

ACROSS = 8  # pictures beside each other at most, where one field alone is varied
BETWEEN_SHEETS = 3  # seconds at least from one live sheet to the next


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

    def __init__(self, content, style, grid, config=None, extractor=None, folder="study"):
        self.config, self.folder = config or TransferConfig(), Path(folder)
        self.grid = {field: values_of(field, values) for field, values in grid.items()}
        self.labels = [labels_of(field, grid, self.config) for field in grid]
        if not grid:
            raise NSTError("the grid varies nothing; give it a field and a list of values.")
        self.pictures, self.failures = {}, {}  # {sha256: Picture}, {key: sentence}
        self._read_once = functools.cache(self._read)
        fixed = {"content": content, "style": style, "extractor": extractor}
        self.cells = [
            self._cell(fixed, values) for values in itertools.product(*self.grid.values())
        ]

    @classmethod
    def read(cls, path):
        """Read a study from a TOML file; see `grids.read_toml`."""
        return cls(**read_toml(path))

    def run(self, client=None, threads=1, paint=paint_cell):
        """Paint what is not finished; after any interruption, call it again.

        Args:
            client: a Dask `Client`, or a scheduler's address; None to work in this process.
            threads: that each worker computes with. A picture's last bits depend on it: with the
                same number, and the same kind of processor, all workers give the same bytes.
            paint: what paints a cell; see `cells.paint_cell`.

        Returns:
            the study. Of a cell that failed, `.failures` has the reason; the next run tries again.

        Raises:
            NSTError: the scheduler is gone, or `distributed` is not installed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        waiting = {cell.key: cell for cell in self.cells if not self.finished(cell)}
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

    def finished(self, cell):
        """Whether a cell's picture is there."""
        return self._file(cell.key, ".png").exists()

    def sheet(self, width=12.0, title=None):
        """Draw all cells: the grid's first field runs across, the others down.

        Args:
            width: of the figure, in inches; `savefig("sheet.pdf", dpi=200)` prints well on A3.
            title: above it.
        """
        plots = needed("nst_tutorial.plots", "lab")
        across, *down = self.labels
        size = max(16, int(200 * width / len(across)))  # pixels: 200 an inch
        shown = [self._shown(cell, size) for cell in self.cells]
        if not down:
            return plots.show_sheet(shown, across, ACROSS, width=width, title=title)
        rows = len(shown) // len(across)
        shown = [one for row in range(rows) for one in shown[row::rows]]  # row by row
        names = ["\n".join(names) for names in itertools.product(*down)]
        return plots.show_sheet(shown, across, len(across), names, width, title)

    def table(self):
        """Return a pandas frame, one row a cell: its values, its state, its last losses."""
        return needed("pandas", "lab").DataFrame(map(self._row, self.cells))

    def _cell(self, fixed, values):
        values = dict(zip(self.grid, values, strict=True))
        settings = {field: value for field, value in values.items() if field not in INPUTS}
        config = dataclasses.replace(self.config, **settings)
        content, style, name = (values.get(field, fixed[field]) for field in INPUTS)
        styles = style if isinstance(style, (list, tuple)) else [style]
        content, *styles = (self._hash(source) for source in (content, *styles))
        name, *traits = traits_of(name, config.optimizer)
        return Cell(values, config, content, tuple(filter(None, styles)), name, tuple(traits))

    def _hash(self, source):
        """Take a picture in, and return its hash; a file is read once for all cells."""
        if source is None:
            return None
        return (self._read_once if isinstance(source, (str, Path)) else self._read)(source)

    def _read(self, source):
        picture = picture_of(source)
        return self.pictures.setdefault(picture.sha256, picture).sha256

    def _file(self, key, suffix):
        return self.folder / f"{key}{suffix}"

    def _keep(self, key, png, said):
        """Write a cell, its picture last, which makes it finished; or note why there is none."""
        if png is None:
            self.failures[key] = said
            return
        for suffix, data in ((".json", json.dumps(said).encode()), (".png", png)):
            with replacing(self._file(key, suffix)) as file:
                file.write(data)

    def _shown(self, cell, size):
        """What the sheet has of a cell: its picture, or why there is none, or nothing yet."""
        if self.finished(cell):
            return load_image(self._file(cell.key, ".png"), size)
        return self.failures.get(cell.key, "")

    def _row(self, cell):
        done = self.finished(cell)
        state = "finished" if done else self.failures.get(cell.key, "waiting")
        losses = json.loads(self._file(cell.key, ".json").read_bytes()) if done else {}
        return {**cell.values, "state": state, "key": cell.key, **losses}


@contextlib.contextmanager
def _watched(study, count):
    """Show progress and time left; yield what to call after each cell.

    In a notebook the sheet fills up, elsewhere a bar grows.
    """
    if count and _in_notebook() and importlib.util.find_spec("matplotlib"):
        live = _LiveSheet(study, count)
        try:
            yield live.show
        finally:
            live.handle.update(study.sheet())
    else:
        with tqdm(total=count, unit="cell", desc=study.folder.name, delay=1e-6) as bar:
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


def _in_notebook():
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
