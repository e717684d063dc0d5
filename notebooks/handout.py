"""Write the lessons as linked pages that need no network, to read or print: `make html`.

    python notebooks/handout.py [FOLDER]     # by default results/handout

Each lesson is one file: figures are inside it, described for who cannot see them by the sentence
that stands beneath them; formulas are MathML, which browsers draw themselves.
"""

import base64
import html
import mimetypes
import re
import sys
from pathlib import Path

import nbformat
from latex2mathml.converter import convert
from nbconvert import HTMLExporter

HERE = Path(__file__).parent
CODE_OR_FORMULA = re.compile(r"(```.*?```|`[^`]*`)|\$\$(.+?)\$\$|\$([^$]+?)\$", re.DOTALL)

PICTURE = re.compile(r"!\[([^]]*)\]\((?!attachment:)([^)]+)\)")
LINK_TO_FILE = re.compile(r"(?<!!)\[([^]]+)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")


def main(folder="results/handout"):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    exporter = HTMLExporter(template_name="handout", extra_template_basedirs=[str(HERE)])
    lessons = sorted(HERE.glob("[0-9]*.ipynb"))
    solutions = sorted(HERE.glob("solutions/*.ipynb"))
    for path in [*lessons, *solutions]:
        (folder / f"{path.stem}.html").write_text(page(path, exporter), encoding="utf-8")
    (folder / "index.html").write_text(contents(lessons, solutions), encoding="utf-8")
    print(f"{len(lessons)} lessons and their solutions: open {folder / 'index.html'}")


def page(path, exporter):
    """One notebook as a page, with its stored outputs."""
    notebook = nbformat.read(path, as_version=4)
    leave_colab_out(notebook)
    formulas = {}  # set aside: the converter of Markdown would take them apart
    describe_figures(notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            attach_pictures(cell, path.parent)
            cell.source = link_pages(set_aside_formulas(cell.source, formulas))
    title = first_heading(notebook)
    body, _ = exporter.from_notebook_node(
        notebook, {"metadata": {"name": title, "path": str(path.parent)}}
    )
    return re.sub(r"⟦\d+⟧", lambda mark: formulas[mark[0]], body)


def leave_colab_out(notebook):
    """Take out the link and the cell that only Colab needs."""
    notebook.cells = [cell for cell in notebook.cells if "google.colab" not in cell.source]
    notebook.cells[0].source = re.sub(r"\[Open in Colab\].*\n", "", notebook.cells[0].source)


def attach_pictures(cell, folder):
    """Put into a cell the files that its pictures are.

    nbconvert's own way takes none of another folder, and tears collapsed boxes apart.
    """
    for _, file in PICTURE.findall(cell.source):
        content = base64.b64encode((folder / file).read_bytes()).decode()
        kind = mimetypes.guess_type(file)[0]
        cell.setdefault("attachments", {})[Path(file).name] = {kind: content}
    cell.source = PICTURE.sub(
        lambda match: f"![{match[1]}](attachment:{Path(match[2]).name})", cell.source
    )


def describe_figures(cells):
    """Give each picture the first sentence of the text below it as its description."""
    for number, cell in enumerate(cells):
        below = next((c.source for c in cells[number + 1 :] if c.cell_type == "markdown"), "")
        for output in cell.get("outputs", []):
            if any(kind.startswith("image/") for kind in output.get("data", {})):
                output.metadata["alt"] = first_sentence(below)


def first_sentence(markdown):
    """The first sentence of a text, without its marks: `**`, backticks, headings, links."""
    words = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown.split("\n\n")[0])
    words = " ".join(re.sub(r"[*`$#]", "", words).split())
    return re.split(r"(?<=[.!?:])\s+(?=[A-Z])", words)[0]


def set_aside_formulas(markdown, formulas):
    """Put a mark in the place of each formula, and its MathML into `formulas`; code stays."""

    def mark(match):
        code, block, inline = match.groups()
        if code:
            return code
        name = f"⟦{len(formulas)}⟧"
        formulas[name] = convert(block or inline, display="block" if block else "inline")
        return name

    return CODE_OR_FORMULA.sub(mark, markdown)


def link_pages(markdown):
    """Link to pages what links to notebooks, to the contents what links to the README.

    Other files of the project are not in the handout: their names stay, without a link.
    """

    def linked(match):
        words, file, place = match.groups(default="")
        if file.endswith(".ipynb"):
            return f"[{words}]({Path(file).stem}.html{place})"
        return f"[{words}](index.html)" if file.endswith("README.md") else words

    return LINK_TO_FILE.sub(linked, markdown)


def first_heading(notebook):
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")


def contents(lessons, solutions):
    """The page that links to all: each lesson with its question."""
    rows = [f"<li>{link(path)}<br>{html.escape(question(path))}</li>" for path in lessons]
    answers = [f"<li>{link(path)}</li>" for path in solutions]
    return (
        '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Neural style transfer</title>'
        "<style>body{font:1.1rem/1.6 sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}"
        "li{margin:0.5rem 0}</style><h1>Neural style transfer</h1>"
        f"<ul>{''.join(rows)}</ul><h2>The exercises solved</h2><ul>{''.join(answers)}</ul></html>"
    )


def link(path):
    title = first_heading(nbformat.read(path, as_version=4))
    return f'<a href="{path.stem}.html">{html.escape(title)}</a>'


def question(path):
    first_cell = nbformat.read(path, as_version=4).cells[0].source
    return re.search(r"\*\*Question\.\*\*\s*(.+?)\n\n", first_cell, re.DOTALL)[1].replace("\n", " ")


if __name__ == "__main__":
    main(*sys.argv[1:])
