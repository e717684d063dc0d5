"""The teacher's page: it names the lessons in order, their sections, and minutes that add up."""

import re
from pathlib import Path

import nbformat
import pytest

from nst_tutorial.study.measures import blind_pairs

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
MAY_BE_LEFT_OUT = ("Summary", "Exercises", "Next")

PAGE = (ROOT / "TEACHING.md").read_text("utf-8")
_, *PARTS = re.split(r"^## (?=\d\d · )", PAGE, flags=re.M)  # one a lesson
ROW = re.compile(r"^\| ([^|]+?) \| (\d+) \| [^|]+ \|$", re.M)

PAIRS = [*zip(LESSONS, PARTS, strict=False)]  # of unequal number: the first test says it
every_lesson = pytest.mark.parametrize(
    ("path", "part"), PAIRS, ids=[path.stem for path, _ in PAIRS]
)


def prose(path):
    cells = nbformat.read(path, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.sub(r"```.*?```", "", text, flags=re.S)


def title(path):
    return re.search(r"^# (.+)$", prose(path), re.M)[1]


def test_it_names_every_lesson_in_order():
    assert [part.splitlines()[0] for part in PARTS] == [title(path) for path in LESSONS]


@every_lesson
def test_its_sections_are_the_lessons(path, part):
    sections = re.findall(r"^## (.+)$", prose(path), re.M)
    named = [name for name, _ in ROW.findall(part)]
    due = [name for name in sections if name in named or name not in MAY_BE_LEFT_OUT]
    assert named == due


@every_lesson
def test_its_minutes_add_up_to_the_lessons(path, part):
    stated = int(re.search(r"\*\*Time\.\*\* (\d+) minutes", prose(path))[1])
    assert sum(int(minutes) for _, minutes in ROW.findall(part)) == stated
    assert f"**{stated} minutes.**" in part


@every_lesson
def test_it_asks_and_points_to_the_solutions(path, part):
    assert "**Ask the class.**" in part
    assert f"(notebooks/{path.name})" in part
    assert f"(notebooks/solutions/{path.stem}_solutions.ipynb)" in part
    answered = len(re.findall(r"^\d\. ", part, re.M))
    assert answered == len(re.findall(r"^### Exercise ", prose(path), re.M))


def test_the_page_for_ninety_minutes_names_headings_in_order_of_time():
    rows = re.findall(r"^\| (\d):(\d\d) \| (\d\d), (.+?) \|", PAGE, re.M)
    times = [60 * int(hours) + int(minutes) for hours, minutes, *_ in rows]
    assert times == sorted(times)
    assert times[0] == 0 < times[-1] < 90
    for *_, number, headings in rows:
        (path,) = (path for path in LESSONS if path.stem.startswith(number))
        for heading in headings.split("; "):
            assert re.search(rf"^## {re.escape(heading)}$", prose(path), re.M), heading


def test_lines_are_short_and_links_resolve():
    lines = [line for line in PAGE.splitlines() if not line.startswith("|")]
    assert [line for line in lines if len(line) > 100] == []
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_the_key_of_the_blind_test_on_paper():
    """The key that lesson 12 opens after the votes."""
    source = next(path for path in LESSONS if path.name.startswith("12")).read_text("utf-8")
    assert "blind_pairs(pairs, seed=12)" in source
    _, key = blind_pairs([("in steps", "at once")] * 8, seed=12)
    assert f"painting is: {', '.join(side for _, side in key)}." in PAGE
