"""The form of the lessons: what a reader may rely on in every one of them."""

import ast
import copy
import itertools
import re
import runpy
import statistics
from pathlib import Path

import nbformat
import pytest

import nst_tutorial
from nst_tutorial import plots

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
LESSONS = sorted(FOLDER.glob("[0-9]*.ipynb"))
SOLUTIONS = sorted(FOLDER.glob("solutions/*.ipynb"))
COLAB = runpy.run_path(str(FOLDER / "colab.py"))
prepare, repository = COLAB["prepare"], COLAB["repository"]
ABSOLUTE = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|Users|work)/\w|\b[A-Z]:\\")


def names(paths):
    return [path.stem for path in paths]


every_lesson = pytest.mark.parametrize("path", LESSONS, ids=names(LESSONS))
every_notebook = pytest.mark.parametrize(
    "path", LESSONS + SOLUTIONS, ids=names(LESSONS + SOLUTIONS)
)


def cells(path, kind=None):
    every = nbformat.read(path, as_version=4).cells
    return [cell for cell in every if kind in (None, cell.cell_type)]


def own_cells(path):
    """All but the one that Colab needs."""
    return [cell for cell in cells(path) if "google.colab" not in cell.source]


def tags(cell):
    return cell.metadata.get("tags", [])


def text(path):
    return "\n\n".join(cell.source for cell in cells(path, "markdown"))


def headings(path):
    prose = re.sub(r"```.*?```", "", text(path), flags=re.S)
    return [(len(marks), title) for marks, title in re.findall(r"^(#+) (.+)$", prose, re.M)]


def test_there_are_lessons_and_each_has_its_solutions():
    assert names(LESSONS)
    assert names(SOLUTIONS) == [f"{name}_solutions" for name in names(LESSONS)]


# Form -------------------------------------------------------------------------------------------


@every_lesson
def test_skeleton(path):
    first = cells(path)[0].source
    for part in ("# ", "**Question.**", "**Time.**", "**You will be able to**"):
        assert part in first, part
    titles = [title for level, title in headings(path) if level == 2]
    assert titles[-3:] == ["Summary", "Exercises", "Next"]
    summary = text(path).split("## Summary")[1].split("##")[0]
    assert 3 <= len(re.findall(r"^- ", summary, re.M)) <= 5
    number = path.stem[:2]
    assert first.startswith(f"# {number} · ")


@every_notebook
def test_headings_are_in_order(path):
    levels = [level for level, _ in headings(path)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@every_lesson
def test_cell_budget(path):
    code = [cell for cell in own_cells(path) if cell.cell_type == "code"]
    lines = sorted(len(cell.source.splitlines()) for cell in code)
    words = len(re.sub(r"^\|.*$", "", text(path), flags=re.M).split())  # tables are not prose
    assert 15 <= len(code) <= 38
    assert statistics.median(lines) <= 6
    assert lines[int(0.9 * (len(lines) - 1))] <= 15
    assert lines[-1] <= 25
    assert 40 <= words / len(code) <= 105


@every_lesson
def test_at_most_two_code_cells_in_a_row(path):
    kinds = "".join(cell.cell_type[0] for cell in own_cells(path))
    assert "ccc" not in kinds


@every_lesson
def test_three_to_five_exercises_that_say_so(path):
    exercises = [cell for cell in cells(path, "code") if "exercise" in tags(cell)]
    numbered = [title for _, title in headings(path) if title.startswith("Exercise ")]
    assert 3 <= len(numbered) <= 5
    assert len(exercises) >= 3
    for cell in exercises:
        assert "not written yet" in cell.source
        assert "not written yet" in "".join(shown(output) for output in cell.outputs)


def shown(output):
    return output.get("text", "") or output.get("data", {}).get("text/plain", "")


@every_lesson
def test_it_opens_in_colab(path):
    """Link and first cell are what `notebooks/colab.py` writes, with README's address."""
    notebook = nbformat.read(path, as_version=4)
    before = copy.deepcopy(notebook)
    prepare(notebook, path.name, repository())
    assert notebook == before


@every_lesson
def test_the_solutions_answer_every_exercise(path):
    solved = headings(FOLDER / "solutions" / f"{path.stem}_solutions.ipynb")
    for _, title in headings(path):
        if title.startswith("Exercise "):
            number = title.split(":")[0]
            assert any(found.startswith(number) for _, found in solved), title


@every_lesson
def test_a_sentence_beneath_every_figure(path):
    every = cells(path)
    for cell, after in itertools.pairwise(every):
        if any(is_picture(output) for output in cell.get("outputs", [])):
            assert after.cell_type == "markdown", cell.source
            assert not after.source.startswith("#"), after.source


def is_picture(output):
    return any(kind.startswith("image/") for kind in output.get("data", {}))


@every_lesson
def test_nothing_is_defined_that_the_package_has(path):
    public = set(nst_tutorial.__all__) | {name for name in dir(plots) if name.startswith("show_")}
    for cell in cells(path, "code"):
        if "exercise" not in tags(cell):
            nodes = ast.walk(ast.parse(cell.source))
            defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
            assert not public & defined, cell.source


# Outputs ----------------------------------------------------------------------------------------


@every_notebook
def test_it_was_executed_once_from_top_to_bottom(path):
    code = [cell for cell in cells(path, "code") if cell.source.strip()]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


@every_notebook
def test_outputs_are_clean(path):
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    for cell in cells(path, "code"):
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", output["text"]
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})


@every_notebook
def test_figures_are_not_compared(path):
    for cell in cells(path, "code"):
        if any(is_picture(output) for output in cell.outputs):
            assert "nbval-ignore-output" in tags(cell), cell.source


@every_notebook
def test_it_is_small_and_names_no_place_of_one_machine(path):
    assert path.stat().st_size <= 1_000_000
    for cell in cells(path):
        shown = "".join(str(output.get("text", "")) for output in cell.get("outputs", []))
        assert not ABSOLUTE.search(cell.source + shown), cell.source


@every_notebook
def test_links_resolve(path):
    for target in re.findall(r"\]\(([^)]+)\)", text(path)):
        if not target.startswith(("http", "#")):
            assert (path.parent / target.split("#")[0]).exists(), target


# The tables of README and docs ------------------------------------------------------------------


def first_cell(path, pattern):
    return re.search(pattern, cells(path)[0].source, re.M)[1]


def test_the_readmes_table_is_the_folders():
    row = r'^\| <img src="(\S+)".*?> \| \[(.+)\]\(notebooks/(\S+)\.ipynb\) \| (.+) \| (\d+) \|$'
    rows = re.findall(row, (ROOT / "README.md").read_text("utf-8"), re.M)
    assert [row[2] for row in rows] == names(LESSONS)
    for path, (picture, title, _, question, minutes) in zip(LESSONS, rows, strict=True):
        assert (ROOT / picture).exists()
        assert title == first_cell(path, "^# (.+)$")
        assert question == first_cell(path, r"\*\*Question\.\*\* (.+)$")
        assert minutes == first_cell(path, r"\*\*Time\.\*\* (\d+)")


def test_what_a_lesson_costs_is_said():
    row = r"^\| \[(\d\d)\]\(\.\./notebooks/(\S+)\.ipynb\) \| (.+) \| (\d+) s, (\S+) GiB \|$"
    rows = re.findall(row, (ROOT / "docs" / "lessons.md").read_text("utf-8"), re.M)
    assert [row[1] for row in rows] == names(LESSONS)
    for number, stem, modules, seconds, memory in rows:
        assert number == stem[:2]
        package = ROOT / "nst_tutorial"
        for module in modules.split(", "):
            assert (package / f"{module}.py").exists() or (package / module).is_dir()
        assert int(seconds) <= 45
        assert float(memory) <= 1.5
