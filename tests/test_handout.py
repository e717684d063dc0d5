"""The handout: pages that need no network, linked to each other, with described figures."""

import re
import runpy
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

SCRIPT = Path(__file__).parent.parent / "notebooks" / "handout.py"


@pytest.fixture(scope="module")
def handout():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def pages(handout, tmp_path_factory):
    folder = tmp_path_factory.mktemp("handout")
    handout["main"](folder)
    pages = {path.name: without_code(path.read_text("utf-8")) for path in folder.glob("*.html")}
    return {name: BeautifulSoup(page, "html.parser") for name, page in pages.items()}


def without_code(page):
    """Colored code is most of a page, and takes most of the time to parse."""
    return re.sub(r"<(pre|style)\b.*?</\1>", "", page, flags=re.DOTALL)


def test_every_notebook_is_a_page(pages):
    notebooks = [*SCRIPT.parent.glob("[0-9]*.ipynb"), *SCRIPT.parent.glob("solutions/*.ipynb")]
    assert {*pages} == {"index.html", *(f"{path.stem}.html" for path in notebooks)}
    assert len(pages) > 10


def test_links_lead_to_pages_or_to_the_web(pages):
    for name, page in pages.items():
        for link in page.select("a[href]"):
            target = link["href"].split("#")[0]
            assert not target or target in pages or target.startswith("http"), (name, link)


def test_nothing_is_fetched(pages):
    for name, page in pages.items():
        assert not page.select("script, link[href], iframe"), name
        assert all(picture["src"].startswith("data:") for picture in page.select("img")), name


def test_figures_are_described(pages):
    pictures = [picture for page in pages.values() for picture in page.select("img")]
    assert len(pictures) > 30
    assert all(len(picture["alt"].split()) >= 3 for picture in pictures)


def test_formulas_are_drawn(pages):
    for name, page in pages.items():
        for code in page.select("code"):
            code.extract()
        assert "$" not in page.get_text(), name
    assert len(pages["04_gram_matrices.html"].select("math munder")) > 0


@pytest.mark.parametrize(
    ("markdown", "sentence"),
    [
        ("**Left**, `x` is [dark](a.md). Right is not.", "Left, x is dark."),
        ("It is 0.5 px. wide.\n\nMore.", "It is 0.5 px. wide."),
    ],
)
def test_the_first_sentence(handout, markdown, sentence):
    assert handout["first_sentence"](markdown) == sentence


def test_code_keeps_its_dollars(handout):
    formulas = {}
    text = handout["set_aside_formulas"]("`$HOME` and $x$ and ```\n$y$\n```", formulas)
    assert text == "`$HOME` and ⟦0⟧ and ```\n$y$\n```"
    assert "<math" in formulas["⟦0⟧"]
