"""Studies: cells and keys, what runs and what does not run again, the sheet, the cluster."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from painters import dot
from PIL import Image

from nst_tutorial import NSTError, Study, TransferConfig, rerun, save_image, stylize
from nst_tutorial.__main__ import main

ROOT = Path(__file__).parent.parent
CONFIG = TransferConfig(size=64, steps=2, scales=1)
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
    monkeypatch.setattr("nst_tutorial.provenance.PACKAGES", ())
    assert keys("cat.png", "stripes.png") == same
    others = [
        keys("spots.png", "stripes.png"),
        keys("cat.png", "spots.png"),
        keys("cat.png", ["stripes.png", "spots.png"]),
        keys("cat.png", None),
        keys("cat.png", "stripes.png", extractor="pocket"),
        keys("cat.png", "stripes.png", config=TransferConfig(size=65, steps=2, scales=1)),
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
    ],
)
def test_mistakes(here, grid, words):
    with pytest.raises(NSTError, match=words):
        Study("photo.png", "stripes.png", grid, CONFIG, "random")


def test_a_cells_picture_is_stylizes(here, photograph):
    grid = {"style": {"one": "stripes.png", "two": ["stripes.png", "spots.png"]}}
    one = Study("photo.png", None, grid, CONFIG, "random").run()
    assert one.failures == {}
    for cell in one.cells:
        stylize("photo.png", cell.values["style"], "random", CONFIG).save("by_hand.png")
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
    one = study({"size": [4, 64]}).run()
    ((key, sentence),) = one.failures.items()
    assert key == one.cells[0].key
    assert sentence.startswith("a picture of 4×3 is too small for block5_conv1")
    assert list(one.table()["state"]) == [sentence, "finished"]
    assert one.run(paint=dot).failures == {}


def test_a_run_that_diverges_is_a_sentence_and_no_picture(here):
    one = study({"style_weight": [100.0, 1e39]}).run()
    assert "weighted sum of the losses is no longer a number" in one.failures[one.cells[1].key]
    assert len(contents(here / "study")) == 2


def test_other_errors_say_their_kind(here):
    def broken(cell, pictures):
        raise ZeroDivisionError("of a kind")

    assert set(study().run(paint=broken).failures.values()) == {"ZeroDivisionError: of a kind"}


def test_other_weights_on_a_worker_are_noticed(here, monkeypatch):
    one = study({"seed": [0]})
    monkeypatch.setattr("nst_tutorial.cells.weights_hash", lambda name, precision: "other")
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
        ({"style_weight": [10, 0]}, ["α/β = 2", "α/β = nan"]),
        ({"style_weight": [10], "content_weight": [5]}, ["β = 10"]),
        ({"tv_weight": [0.5]}, ["γ = 0.5"]),
        ({"tv_exponent": [2]}, ["tv exponent = 2"]),
        ({"style_layers": [("block1_conv1", "block2_conv2")]}, ["block1_conv1\nblock2_conv2"]),
        ({"layer_weights": [(1, 0.5, 0, 0, 0)]}, ["1 : 0.5 : 0 : 0 : 0"]),
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


def test_the_table(here):
    table = study().run(paint=dot).table()
    assert list(table["content_weight"]) == [2, 2, 20, 20, 200, 200]
    assert list(table["total"]) == [1, 100] * 3
    assert set(table["state"]) == {"finished"}
    assert list(study(folder="none").table()["state"]) == ["waiting"] * 6


def test_the_losses_are_the_last_steps(here):
    row = study({"seed": [0]}).run().table().iloc[0]
    last = stylize("photo.png", "stripes.png", "random", CONFIG).history[-1]
    assert (row["total"], row["content"]) == (last["total"], last["content"])
    assert row["style block3_conv1"] == last["style"]["block3_conv1"]


def test_in_a_notebook_the_sheet_fills_up(here, monkeypatch):
    from nst_tutorial import study as module

    shown = []

    class Handle:
        update = staticmethod(shown.append)

    def display(figure, display_id):
        shown.append(figure)
        return Handle()

    monkeypatch.setattr(module, "_in_notebook", lambda: True)
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
    assert one.config == TransferConfig(size=64, steps=1)
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
    assert one.labels[0] == ["α/β = 0.02", "α/β = 0.2", "α/β = 2"]
    assert one.labels[1] == ["block 1", "blocks 1–3", "blocks 1–5"]
    assert one.config == TransferConfig(size=96, scales=1, steps=10)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("grid = [", "is no TOML"),
        ("[grid]\nseed = [1]\n[bogus]\n", "says 'bogus'; known are config, content,"),
        ("[grid]\nseed = [1]\n[config]\nsteeps = 3\n", "says 'steeps'"),
        ("content = 'photo.png'", "has no \\[grid\\]"),
        ("content = 'none.png'\n[grid]\nseed = [1]", "none.png does not exist"),
        (None, "cannot be read"),
    ],
)
def test_mistakes_in_a_file(here, text, words):
    if text is not None:
        (here / "s.toml").write_text(text)
    with pytest.raises(NSTError, match=words):
        Study.read("s.toml")


def test_the_command(here, capsys):
    (here / "figure.toml").write_text(TOML)
    assert main(["study", "figure.toml"]) == 0
    assert "2 of 2 cells are finished" in capsys.readouterr().out
    with Image.open(here / "figure" / "sheet.png") as sheet:
        assert sheet.width == 2400
    (here / "figure.toml").write_text(TOML.replace("size = 64", "size = 8"))
    assert main(["study", "figure.toml", "-o", "sheet.pdf"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("0 of 2 cells")
    assert "too small" in said.err
    assert (here / "sheet.pdf").read_bytes().startswith(b"%PDF")


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
