"""Studies: cells and keys, what runs and what does not run again, the sheet, the cluster."""

import dataclasses
import errno
import io
import os
import shutil
import signal
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from painters import dot
from PIL import Image

from nst_tutorial import (
    NSTError,
    Study,
    TransferConfig,
    load_image,
    plots,
    rerun,
    save_image,
    stylize,
)
from nst_tutorial.__main__ import main
from nst_tutorial.extractors import load_extractor
from nst_tutorial.runtime import machine
from nst_tutorial.runtime.weights import POCKET_FILE
from nst_tutorial.study import cells
from nst_tutorial.study import study as module

ROOT = Path(__file__).parent.parent
CONFIG = TransferConfig(
    size=64,
    steps=2,
    scales=1,
    content_layers=("block1_conv2",),
    style_layers=("block1_conv1", "block2_conv1"),
)
WEIGHTS = {"content_weight": [2, 20, 200], "tv_weight": [1, 100]}


@pytest.fixture
def here(tmp_path, monkeypatch, photograph, painting):
    monkeypatch.chdir(tmp_path)
    save_image("photo.png", photograph)
    save_image("stripes.png", painting)
    save_image("spots.png", painting[:, ::-1] / 2)
    return tmp_path


def study(grid=None, config=CONFIG, folder="study", **more):
    return Study("photo.png", "stripes.png", grid or WEIGHTS, config, "random", folder, **more)


def counting(paint=dot):
    """A painter that notes the keys of the cells it is given."""

    def noting(cell, pictures):
        noting.keys.append(cell.key)
        return paint(cell, pictures)

    noting.keys = []
    return noting


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# Cells --------------------------------------------------------------------------------------------


def test_cells_are_all_combinations(here):
    cells = study().cells
    assert [tuple(cell.values.values()) for cell in cells] == [
        (2, 1), (2, 100), (20, 1), (20, 100), (200, 1), (200, 100)
    ]  # fmt: skip
    assert {cell.config.size for cell in cells} == {64}
    assert len({cell.key for cell in cells}) == 6


def keys(*arguments, **more):
    arguments = arguments or ("photo.png", "stripes.png")
    more = {"config": CONFIG, "extractor": "random", **more}
    return [cell.key for cell in Study(*arguments, more.pop("grid", {"seed": [0]}), **more).cells]


def test_a_key_is_of_what_goes_in(here, photograph, monkeypatch):
    same = keys()
    os.rename("photo.png", "cat.png")
    assert keys("cat.png", "stripes.png") == same
    assert keys(photograph, "stripes.png") == same
    assert keys(None, None, grid={"content": ["cat.png"], "style": {"my": "stripes.png"}}) == same
    assert keys("cat.png", ["stripes.png"]) == same
    assert keys("cat.png", "stripes.png", folder="elsewhere") == same
    monkeypatch.setattr("nst_tutorial.runs.provenance.PACKAGES", ())
    assert keys("cat.png", "stripes.png") == same
    others = [
        keys("spots.png", "stripes.png"),
        keys("cat.png", "spots.png"),
        keys("cat.png", ["stripes.png", "spots.png"]),
        keys("cat.png", None),
        keys("cat.png", "stripes.png", extractor="pocket"),
        keys("cat.png", "stripes.png", config=dataclasses.replace(CONFIG, size=65)),
    ]
    assert len({*map(tuple, others), tuple(same)}) == 7


def test_a_number_is_the_same_however_it_is_written(here):
    one, other = {"style_weight": [1, 100]}, {"style_weight": np.logspace(0, 2, 2)}
    assert keys(grid=one) == keys(grid=other)
    assert keys(grid={"seed": np.arange(2)}) == keys(grid={"seed": [0, 1]})


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"alpha": [1]}, "cannot vary 'alpha'; choose from content, style, extractor, content_la"),
        ({"style_weight": [1, -1]}, "style_weight is -1"),
        ({"style_layers": "block1_conv1"}, "give a list"),
        ({"seed": []}, "give a list"),
        ({"seed": 3}, "give a list"),
        ({"content": ["none.png"]}, "none.png does not exist"),
        ({"extractor": ["resnet"]}, "no extractor 'resnet'"),
        ({}, "varies nothing"),
        (None, "varies nothing"),
        ({"seed": None}, "give a list"),
        ({"seed": np.array(3)}, "give a list"),
        ({"seed": (seed for seed in (1, 2))}, "give a list"),
        ({"seed": range(10**9)}, "at most 100000"),
        ({"seed": range(1000), "steps": range(1, 1001)}, "1000000 cells; a study has at most"),
        ({3: [1]}, "cannot vary 3"),
        ({"steps": [None]}, "steps is None"),
        ({"style_layers": [3]}, "style_layers is 3"),
        ({"content": [None], "style": [None]}, "neither a content nor a style"),
        ({"content": [object()]}, "neither a picture nor|a picture is"),
        ({"extractor": [["random"]]}, "extractor is \\['random'\\]; give a name"),
    ],
)
def test_mistakes(here, grid, words):
    with pytest.raises(NSTError, match=words):
        Study("photo.png", "stripes.png", grid, CONFIG, "random")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"config": {"steps": 3}}, "give a TransferConfig"),
        ({"folder": None}, "give a folder's name"),
        ({"folder": "a\0b"}, "give a folder's name"),
        ({"extractor": 3}, "extractor is 3; give a name"),
    ],
)
def test_mistakes_beside_the_grid(here, more, words):
    with pytest.raises(NSTError, match=words):
        Study("photo.png", "stripes.png", **{"grid": {"seed": [1]}, "extractor": "random"} | more)


@pytest.mark.parametrize("threads", [0, -3, 1.5, None, "two"])
def test_threads_that_cannot_be(here, threads):
    with pytest.raises(NSTError, match="threads is"):
        study().run(threads=threads)
    assert not (here / "study").exists()


def test_numpys_numbers_are_pythons(here):
    grid = {"seed": np.arange(2), "style_weight": np.float32([1, 2]), "clip": [np.True_]}
    values = [cell.values for cell in study(grid).cells]
    assert {type(one["seed"]) for one in values} == {int}
    assert {type(one["style_weight"]) for one in values} == {float}
    assert values[0]["clip"] is True


def test_an_array_is_taken_in_once_for_all_cells(here, photograph, monkeypatch):
    taken = []
    take = module.pack
    monkeypatch.setattr(module, "pack", lambda one: taken.append(one) or take(one))
    Study(photograph, "stripes.png", {"seed": range(5)}, CONFIG, "random")
    assert len(taken) == 2


def test_a_cells_picture_is_stylizes(here, photograph):
    grid = {"style": {"one": "stripes.png", "two": ["stripes.png", "spots.png"]}}
    one = Study("photo.png", None, grid, CONFIG, "random").run()
    assert one.failures == {}
    extractor = load_extractor("random", CONFIG.content_layers + CONFIG.style_layers)
    for cell in one.cells:
        stylize("photo.png", cell.values["style"], extractor, CONFIG).save("by_hand.png")
        made = (here / "study" / f"{cell.key}.png").read_bytes()
        assert made == (here / "by_hand.png").read_bytes()
    rerun(here / "study" / f"{cell.key}.png").save("again.png")  # found by their names
    assert (here / "again.png").read_bytes() == made


# Running ------------------------------------------------------------------------------------------


def test_no_finished_cell_runs_again(here):
    paint = counting()
    study().run(paint=paint)
    assert len(paint.keys) == 6
    study().run(paint=paint)
    study({**WEIGHTS, "tv_weight": [100, 1000]}).run(paint=paint)  # three of the six are known
    assert len(paint.keys) == len(set(paint.keys)) == 9


def test_equal_cells_run_once(here):
    paint = counting()
    one = study({"seed": [1, 1, 1]}).run(paint=paint)
    assert len(paint.keys) == 1
    assert list(one.table()["state"]) == ["finished"] * 3


def test_an_interrupted_study_goes_on(here):
    def interrupted(cell, pictures):
        if len(noting.keys) == 3:
            raise KeyboardInterrupt
        return dot(cell, pictures)

    noting = counting(interrupted)
    one = study()
    with pytest.raises(KeyboardInterrupt):
        one.run(paint=noting)
    assert list(one.table()["state"]) == ["finished"] * 2 + ["waiting"] * 4
    paint = counting()
    one.run(paint=paint)
    assert len(paint.keys) == 4
    study(folder="undisturbed").run(paint=dot)
    assert contents(here / "study") == contents(here / "undisturbed")


def test_ctrl_c_within_a_cell_saves_no_half_painted_one(here, monkeypatch):
    from nst_tutorial import transfer

    run = transfer.StyleTransfer.run

    def interrupt(self, *arguments):
        run(self, *arguments)
        signal.raise_signal(signal.SIGINT)
        run(self, *arguments)

    monkeypatch.setattr(transfer.StyleTransfer, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        study().run()
    assert contents(here / "study") == {}


def test_a_failed_cell_leaves_the_rest_and_is_tried_again(here):
    one = study({"size": [3, 64]}).run()
    ((key, sentence),) = one.failures.items()
    assert key == one.cells[0].key
    assert sentence.startswith("a picture of 3×2 is too small for block2_conv1")
    assert list(one.table()["state"]) == [sentence, "finished"]
    assert one.run(paint=dot).failures == {}


def test_a_run_that_diverges_is_a_sentence_and_no_picture(here):
    config = dataclasses.replace(CONFIG, convention="paper", init="noise")
    one = study({"content_weight": [20.0, 1e30]}, config).run()
    assert "weighted sum of the losses is no longer a number" in one.failures[one.cells[1].key]
    assert len(contents(here / "study")) == 2


def test_other_errors_say_their_kind(here):
    def broken(cell, pictures):
        raise ZeroDivisionError("of a kind")

    assert set(study().run(paint=broken).failures.values()) == {"ZeroDivisionError: of a kind"}


@pytest.mark.parametrize("made", [None, (b"no PNG", {}), (b"", {}), ("PNG", {}), 3])
def test_a_painter_that_returns_no_picture_fails_its_cells(here, made):
    one = study({"seed": [1, 2]}).run(paint=lambda cell, pictures: made)
    assert len(one.failures) == 2
    assert contents(here / "study") == {}


@pytest.mark.parametrize("losses", [None, {"total": float("nan")}, {"total": "low"}, {1: object()}])
def test_losses_that_cannot_be_kept_fail_the_cell(here, losses):
    one = study({"seed": [1]}).run(paint=lambda *given: (dot(*given)[0], losses))
    assert len(one.failures) == 1


def test_a_worker_that_computes_with_other_threads_says_so(here):
    cell = study({"seed": [1]}).cells[0]
    extractor_loaded, threads = "tensorflow" in sys.modules, machine.threads()
    assert extractor_loaded
    png, sentence = cells.attempt_on_worker(threads + 1, here, dot, cell, {})
    assert png is None
    assert sentence.startswith(f"this worker already computes with {threads} threads")


# What lies in the folder --------------------------------------------------------------------------


def spoil_png(folder, key, how):
    place = folder / f"{key}.png"
    data = place.read_bytes()
    place.unlink()
    if how == "folder":
        place.mkdir()
    elif how == "jpeg":
        Image.new("L", (8, 8)).save(place, "JPEG")
    else:
        middle = len(data) // 2
        flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        place.write_bytes({"short": data[:-20], "empty": b"", "flipped": flipped}[how])


@pytest.mark.parametrize("how", ["short", "empty", "flipped", "jpeg"])
def test_a_damaged_picture_is_painted_again(here, how):
    study().run(paint=dot)
    whole = contents(here / "study")
    key = study().cells[2].key
    spoil_png(here / "study", key, how)
    one = study()
    assert list(one.table()["state"]) == ["finished"] * 2 + ["waiting"] + ["finished"] * 3
    assert len(one.sheet().axes) == 6
    paint = counting()
    one.run(paint=paint)
    assert paint.keys == [key]
    assert contents(here / "study") == whole


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"total": "low"}', '{"total": NaN}', "[" * 9999]
)
def test_damaged_losses_are_computed_again(here, text):
    key = study().run(paint=dot).cells[2].key
    (here / "study" / f"{key}.json").write_text(text)
    paint = counting()
    assert study().run(paint=paint).table()["total"][2] == 1
    assert paint.keys == [key]


def test_a_worker_too_paints_a_damaged_cell_again(here):
    one = study({"seed": [1]}).run(paint=dot)
    arguments = machine.threads(), one.folder, dot, one.cells[0], one.pictures
    assert cells.attempt_on_worker(*arguments) is None
    spoil_png(one.folder, one.cells[0].key, "short")
    assert cells.attempt_on_worker(*arguments)[0]


def test_a_folder_in_a_cells_place_is_a_sentence(here):
    one = study({"seed": [1]}).run(paint=dot)
    spoil_png(one.folder, one.cells[0].key, "folder")
    assert list(one.table()["state"]) == ["waiting"]
    with pytest.raises(NSTError, match="is a folder"):
        one.run(paint=dot)


@pytest.mark.parametrize("folder", ["photo.png", "photo.png/below", "n" * 300])
def test_a_folder_that_cannot_be_is_said_before_the_first_cell(here, folder):
    paint = counting()
    with pytest.raises(NSTError, match=r"is a file; give|cannot be made"):
        study(folder=folder).run(paint=paint)
    assert paint.keys == []


def test_a_full_disk_stops_the_study_and_keeps_what_is_finished(here, monkeypatch):
    fsync, written = os.fsync, []

    def full(handle):
        written.append(handle)
        if len(written) > 5:  # in the third cell's picture
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    one, paint = study(), counting()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(NSTError, match="No space left on device"):
            one.run(paint=paint)
    assert len(paint.keys) == 3
    assert one.progress() == "2 of 6 cells"
    assert one.run(paint=paint).progress() == "6 of 6 cells"
    assert len(paint.keys) == 7


def test_other_weights_on_a_worker_are_noticed(here, monkeypatch):
    one = study({"seed": [0]})
    monkeypatch.setattr("nst_tutorial.study.cells.weights_hash", lambda name, precision: "other")
    assert "other weights" in str(one.run().failures)


# Sheet and table ----------------------------------------------------------------------------------


def words(figure):
    return [axis.get_title() for axis in figure.axes], [axis.get_ylabel() for axis in figure.axes]


def test_the_sheets_axes_are_the_fields(here):
    layers = {"few": ["block1_conv1"], "two": ["block1_conv1", "block2_conv1"]}
    one = study({"content_weight": [2, 20], "style_layers": layers, "seed": [1, 2]})
    titles, names = words(one.run(paint=dot).sheet())
    assert titles == ["α/β = 0.02", "α/β = 0.2", *[""] * 6]
    assert names[::2] == ["few\nseed = 1", "few\nseed = 2", "two\nseed = 1", "two\nseed = 2"]
    shades = [axis.images[0].get_array()[0, 0, 0] for axis in one.sheet().axes]
    assert shades == [2, 20] * 4  # content_weight runs across


@pytest.mark.parametrize(
    ("grid", "labels"),
    [
        ({"style_weight": [10, 0]}, ["α/β = 0.25", "α/β = nan"]),
        ({"style_weight": [10], "content_weight": [5]}, ["β = 10"]),
        ({"tv_weight": [0.5]}, ["γ = 0.5"]),
        ({"tv_exponent": [2]}, ["tv exponent = 2"]),
        ({"style_layers": [("block1_conv1", "block2_conv2")]}, ["block1_conv1\nblock2_conv2"]),
        ({"layer_weights": [(1, 0.5)]}, ["1 : 0.5"]),
        ({"init": ["noise"]}, ["init: noise"]),
        ({"style": ["spots.png", np.zeros((8, 8, 3))]}, ["spots", "style 2"]),
        ({"extractor": ["random", "pocket"]}, ["random", "pocket"]),
    ],
)
def test_labels(here, grid, labels):
    assert study(grid).labels[0] == labels


def test_the_sheet_shows_what_failed_and_what_waits(here):
    one = study({"seed": range(9)})
    cell = one.cells[1]
    one.failures[cell.key] = "a picture of 4×3 is too small for block5_conv1, which needs more."
    figure = one.sheet()
    said = [" ".join(axis.texts[0].get_text().split()) for axis in figure.axes[:9]]
    assert said == ["", one.failures[cell.key], *[""] * 7]
    assert words(figure)[0][:9] == [f"seed = {seed}" for seed in range(9)]  # two rows


NAMES = ["a$^$.jpg", "$", r"$\frac$", "\x1b[31m red", "\n\n", "long " * 200, "\udcff", "{", "_^%#"]


@pytest.mark.parametrize("where", ["across", "down"])
def test_names_are_drawn_as_they_are(here, where):
    named = {"steps": {name: steps for steps, name in enumerate(NAMES, 1)}}
    one = study(named if where == "across" else {"seed": [1]} | named)
    one.failures = {cell.key: name for cell, name in zip(one.cells, NAMES, strict=True)}
    figure = one.sheet(title=NAMES[0])
    plots.save(figure, "sheet.png", dpi=20)
    drawn = [line for axis in figure.axes for line in axis.get_title().split("\n")]
    drawn += [line for axis in figure.axes for line in axis.get_ylabel().split("\n")]
    assert NAMES[0] in drawn
    assert all(len(line) <= 40 and line.isprintable() for line in drawn)


def test_a_dollar_sign_stays_one(here):
    assert words(study({"seed": {"a$^$.jpg": 1}}).sheet())[0] == ["a$^$.jpg"]


def test_a_very_tall_picture_leaves_a_sheet_that_can_be_saved(here):
    def tall(cell, pictures):
        encoded = io.BytesIO()
        Image.new("L", (2, 4000)).save(encoded, "PNG")
        return encoded.getvalue(), {}

    study({"seed": [1]}).run(paint=tall).save_sheet("sheet.png")
    with Image.open("sheet.png") as sheet:
        assert max(sheet.size) <= 16_000


def test_a_sheet_of_too_many_cells_is_refused(here):
    one = study({"seed": range(1001)})
    for draw in (one.sheet, lambda: one.check_sheet("sheet.png")):
        with pytest.raises(NSTError, match="at most 1000 cells, and this study has 1001"):
            draw()


def test_the_table(here):
    table = study().run(paint=dot).table()
    assert list(table["content_weight"]) == [2, 2, 20, 20, 200, 200]
    assert list(table["total"]) == [1, 100] * 3
    assert set(table["state"]) == {"finished"}
    assert list(study(folder="none").table()["state"]) == ["waiting"] * 6


def test_the_table_has_measures(here):
    """Of finished cells; they are given the pictures at the painted one's size."""
    grid = {"style": ["stripes.png", None], "size": [16, 32]}
    one = Study("photo.png", None, grid, CONFIG, "random").run()
    (one.folder / f"{one.cells[-1].key}.png").unlink()
    sides = lambda *images: sum(x is not None and max(x.shape) for x in images)  # noqa: E731
    table = one.table({"sides": sides, "mean": lambda painted, *_: float(painted.mean())})
    assert table["sides"].tolist()[:3] == [3 * 16, 3 * 32, 2 * 16]
    assert table["sides"].isna().tolist() == [False, False, False, True]
    painted = load_image(one.folder / f"{one.cells[0].key}.png")
    assert table["mean"][0] == painted.mean()
    assert "sides" not in one.table()


def test_the_losses_are_the_last_steps(here):
    row = study({"seed": [0]}).run().table().iloc[0]
    last = stylize("photo.png", "stripes.png", "random", CONFIG).history[-1]
    assert (row["total"], row["content"]) == (last["total"], last["content"])
    assert row["style block2_conv1"] == last["style"]["block2_conv1"]


def test_in_a_notebook_the_sheet_fills_up(here, monkeypatch):
    shown = []

    class Handle:
        update = staticmethod(shown.append)

    def display(figure, display_id):
        shown.append(figure)
        return Handle()

    monkeypatch.setattr(
        "IPython.get_ipython", lambda: types.SimpleNamespace(kernel="of a notebook")
    )
    monkeypatch.setattr(module, "BETWEEN_SHEETS", 0)
    monkeypatch.setattr("IPython.display.display", display)
    study().run(paint=dot)
    titles = [figure.get_suptitle() for figure in shown]
    assert titles[0] == "6 cells to paint"
    assert titles[-1] == ""
    assert [title[:12] for title in titles[1:-1]] == [f"{n} of 6 cells" for n in range(1, 7)]
    empty = [sum(bool(axis.texts) for axis in figure.axes) for figure in shown]
    assert empty == [6, 5, 4, 3, 2, 1, 0, 0]


# Files and the command line -----------------------------------------------------------------------

TOML = """
content = "photo.png"
style = "stripes.png"
extractor = "random"
[config]
size = 64
steps = 1
content_layers = ["block1_conv1"]
[grid]
content_weight = [2, 20]
[grid.style_layers]
"blocks 1, 2" = ["block1_conv1", "block2_conv1"]
"""


def test_a_study_from_a_file(here, monkeypatch):
    (here / "figure.toml").write_text(TOML)
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")
    one = Study.read("../figure.toml")
    assert one.labels == [["α/β = 0.02", "α/β = 0.2"], ["blocks 1, 2"]]
    assert one.config == TransferConfig(size=64, steps=1, content_layers="block1_conv1")
    assert one.cells[1].config.style_layers == ("block1_conv1", "block2_conv1")
    assert one.folder.resolve() == here / "figure"


def test_files_in_the_grid_lie_beside_the_study(here, monkeypatch):
    (here / "in").mkdir()
    for name in ("photo.png", "stripes.png", "spots.png"):
        os.rename(name, here / "in" / name)
    (here / "in" / "s.toml").write_text(
        'folder = "out"\n[grid]\nstyle = ["stripes.png", "spots.png"]\nextractor = ["random"]\n'
        'content = {cat = "photo.png"}\n'
    )
    one = Study.read("in/s.toml")
    assert one.cells[0].values["style"] == os.path.join("in", "stripes.png")
    assert (one.labels, str(one.folder)) == (
        [["stripes", "spots"], ["random"], ["cat"]],
        os.path.join("in", "out"),
    )


def test_the_lessons_grid_is_there_as_a_file():
    one = Study.read(ROOT / "notebooks" / "figure3.toml")
    assert one.labels[0] == ["α/β = 0.0025", "α/β = 0.025", "α/β = 0.25"]
    assert one.labels[1] == ["block 1", "blocks 1–3"]
    assert one.config == TransferConfig(size=96, scales=1, steps=25)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("grid = [", "is no TOML"),
        (
            "[grid]\nseed = [1]\n[bogus]\n",
            "it must not contain {'bogus'}.*; it may have content",
        ),
        ("[grid]\nseed = [1]\n[config]\nsteeps = 3\n", "config must not contain {'steeps'}"),
        ("content = 'photo.png'", "it must contain \\['grid'\\]"),
        ("content = 'none.png'\n[grid]\nseed = [1]", "s.toml: none.png does not exist"),
        (None, "s.toml does not exist"),
        ("", "is empty"),
        (b"\xff\xfe[\0g\0", "is no TOML"),
        (b"[grid]\nseed = ['\xe9']", "is no TOML"),
        ("[grid]", "used: grid"),
        ("grid = 3", "grid must be object"),
        ("grid = [[]]", "used: grid"),
        ("grid.seed = 1", "used: grid.seed"),
        ("grid.seed = []", "the grid's seed is \\[\\]; give a list"),
        ("grid.seed = {}", "the grid's seed is {}; give a list"),
        ("grid.seed = [{a = 1}]", "used: grid.seed\\[0\\]"),
        ("grid.seed = [[[1]]]", "used: grid.seed\\[0\\]"),
        ("grid.seed = [2024-01-01]", "used: grid.seed\\[0\\]"),
        ("grid.seed = [nan]", "s.toml: seed is nan"),
        ("grid.seed = [-1]", "s.toml: seed is -1"),
        ("grid.seed = [0.5, true]", "s.toml: seed is 0.5"),
        ("grid.seed = [inf]", "must be smaller than"),
        ("grid.seed = [0x" + "f" * 3900 + "]", "must be smaller than"),
        ("grid.seed = [" + "9" * 3900 + "]", "must be smaller than"),
        ("grid.seed = [1]\nconfig.size = 'large'", "s.toml: size is 'large'"),
        ("grid.seed = [1]\nconfig.steps = 100_000_000_000_000", "s.toml: steps is 100000000000000"),
        ("grid.seed = [1]\nconfig.size = 07:32:00", "used: config.size"),
        ("grid.seed = [1]\nstyle = []", "used: style "),
        ("grid.seed = [1]\nstyle = [['stripes.png']]", "used: style "),
        ("grid.seed = [1]\nfolder = ''", "used: folder "),
        ("grid.seed = [1]\nfolder = 3", "used: folder "),
        ('grid.seed = [1]\nfolder = "a\\u0000b"', "used: folder "),
        ("grid.seed = [1]\nextractor = ['random']", "used: extractor "),
        ("grid.seed = [1]", "s.toml: neither a content nor a style"),
        ("grid.content = ['photo.png/x']", "photo.png/x"),
        ("grid.content = ['.']", "is a folder"),
        ("a = " + "[" * 3900, "is no TOML"),
        (".".join("a" * 1900) + " = 1", "s.toml"),
        (".".join("a" * 3000) + " = 1", "put a long list on several lines"),
        ("# " * 1_000_000, "is too long"),
        (
            "[grid]\nseed = [\n" + "1,\n" * 1000 + "]\nsteps = [\n" + "1,\n" * 1000 + "]",
            "1000000 cells",
        ),
    ],
)
def test_mistakes_in_a_file(here, text, words):
    if text is not None:
        (here / "s.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(NSTError, match=words):
        Study.read("s.toml")


FIELDS = ["content", "style", "extractor", "folder", "config", "grid"]
FIELDS += [field.name for field in dataclasses.fields(TransferConfig)]
WORDS = ["true", "2024-01-01", "07:32:00", "nan", "-inf", "'adam'", "'block1_conv1'", "'photo.png'"]
SCALARS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(str),
    st.sampled_from(WORDS),
    st.text("ab.$/\t ☃", max_size=9).map("'{}'".format),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3).map(", ".join).map("[{}]".format)
)
LINES = st.builds(
    "{}{} = {}".format, st.sampled_from(["", "grid.", "config."]), st.sampled_from(FIELDS), VALUES
)


@given(lines=st.lists(LINES, min_size=1, max_size=4))
@hypothesis_settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_document_is_a_study_or_one_sentence(here, lines):
    start = ["content = 'photo.png'", "extractor = 'random'", "grid.seed = [1]"]
    (here / "any.toml").write_text("\n".join([*start, *lines]), "utf-8")
    try:
        one = Study.read(here / "any.toml")
    except NSTError:
        return
    assert 1 <= len(one.cells) <= 3**4


def test_the_command(here, capsys):
    (here / "figure.toml").write_text(TOML)
    assert main(["study", "figure.toml"]) == 0
    assert "2 of 2 cells are finished" in capsys.readouterr().out
    with Image.open(here / "figure" / "sheet.png") as sheet:
        assert sheet.width == 2400
    (here / "figure.toml").write_text(TOML.replace("size = 64", "size = 3"))
    assert main(["study", "figure.toml", "-o", "sheet.pdf"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("0 of 2 cells")
    assert "too small" in said.err
    assert (here / "sheet.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    "output", ["photo.png", "stripes.png", "spots.png", "weights.npz", "figure.toml", "link.png"]
)
def test_a_sheet_takes_no_inputs_place(here, capsys, output):
    (here / "link.png").symlink_to("photo.png")
    shutil.copy(POCKET_FILE, here / "weights.npz")
    grid = TOML + "[grid.style]\na = ['stripes.png', 'spots.png']\n"
    (here / "figure.toml").write_text(grid.replace('"random"', '"weights.npz"'))
    before = contents(here)
    assert main(["study", "figure.toml", "-o", output]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert contents(here) == before


def test_a_sheet_takes_no_cells_place(here, capsys):
    (here / "figure.toml").write_text(TOML)
    key = Study.read("figure.toml").cells[1].key
    (here / "figure").mkdir()
    assert main(["study", "figure.toml", "-o", f"figure/{key}.png"]) == 2
    assert "is one of the cells" in capsys.readouterr().err
    assert contents(here / "figure") == {}


def test_the_usual_sheet_takes_no_inputs_place(here, capsys):
    os.rename("photo.png", "sheet.png")
    before = (here / "sheet.png").read_bytes()
    (here / "figure.toml").write_text('folder = "."' + TOML.replace("photo.png", "sheet.png"))
    assert main(["study", "figure.toml"]) == 2
    assert "is one of the inputs" in capsys.readouterr().err
    assert (here / "sheet.png").read_bytes() == before
    assert len(contents(here)) == 4  # no cell was painted


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_request_to_end_keeps_the_finished_cells(here, monkeypatch, capsys, name):
    from nst_tutorial import transfer

    run, number = transfer.StyleTransfer.run, getattr(signal, name)
    begun = []

    def interrupt(self, *arguments):
        begun.append(self)
        if len(begun) == 2:
            signal.raise_signal(number)
        run(self, *arguments)

    monkeypatch.setattr(transfer.StyleTransfer, "run", interrupt)
    (here / "figure.toml").write_text(TOML.replace("steps = 1", "steps = 1\nscales = 1"))
    assert main(["study", "figure.toml"]) == 128 + number
    said = capsys.readouterr().err
    assert "1 of 2 cells are finished and kept; the same command goes on with the others." in said
    assert len(list((here / "figure").glob("*.png"))) == 1


def test_a_broken_standard_error_ends_no_study(here, monkeypatch):
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

        def fileno(self):
            return file.fileno()

    (here / "figure.toml").write_text(TOML)
    with (here / "stderr").open("w") as file:
        monkeypatch.setattr(sys, "stderr", Broken())
        assert main(["study", "figure.toml"]) == 0
    assert (here / "figure" / "sheet.png").exists()


def test_mistakes_on_the_command_line(here, capsys):
    (here / "figure.toml").write_text(TOML)
    assert main(["study", "none.toml"]) == 2
    assert main(["study", "figure.toml", "-o", "no/sheet.png"]) == 2
    assert main(["study", "figure.toml", "-o", "sheet.doc"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.startswith("nst-tutorial: ") for line in said] == [True] * 3
    assert not (here / "figure").exists()


# Without the extras -------------------------------------------------------------------------------


def test_without_the_cluster_extra(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(NSTError, match=r"distributed is missing; .*pip install -e '\.\[cluster\]'"):
        study().run("tcp://127.0.0.1:8786")
    assert study().run(paint=dot).failures == {}


@pytest.mark.parametrize(("module", "call"), [("pandas", "table"), ("matplotlib", "sheet")])
def test_without_the_lab_extra(here, monkeypatch, module, call):
    monkeypatch.delitem(sys.modules, "nst_tutorial.plots", raising=False)
    monkeypatch.delattr("nst_tutorial.plots", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NSTError, match=rf"{module} is missing; .*'\.\[lab\]'"):
        getattr(study().run(paint=dot), call)()
