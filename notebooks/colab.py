"""Write into every lesson how it is opened in Colab: `python notebooks/colab.py`.

A link below the title, and a first cell that fetches the course there and does nothing elsewhere.
The repository's address is taken from README.md, where alone the maintainer fills it in.
"""

import re
from pathlib import Path

import nbformat

HERE = Path(__file__).parent
LINK = re.compile(r"\n\n\[Open in Colab\].*")
FIRST = """\
import os
import subprocess
import sys

if "google.colab" in sys.modules:  # there, fetch the course; elsewhere nothing happens
    fetch = "git clone --depth 1 {address} nst"
    install = "pip install -q --no-deps ./nst anywidget psygnal 'keras>={keras}'"
    subprocess.run(fetch + " && " + install, shell=True, check=True)
    os.chdir("nst/notebooks")"""


def repository():
    """The repository's address, as README.md has it."""
    readme = (HERE.parent / "README.md").read_text("utf-8")
    return re.search(r"^\[repository\]: (\S+)$", readme, re.M)[1]


def oldest_keras():
    """The oldest Keras that the package allows; Colab may have an older one."""
    pyproject = (HERE.parent / "pyproject.toml").read_text("utf-8")
    return re.search(r'"keras>=([\d.]+)', pyproject)[1]


def link(name, address):
    """In words: behind a firewall a badge would be a broken picture."""
    place = address.replace("https://github.com", "https://colab.research.google.com/github")
    return f"\n\n[Open in Colab]({place}/blob/main/notebooks/{name})"


def prepare(notebook, name, address):
    """Put link and first cell into a notebook, in place of earlier ones."""
    title, *rest = LINK.sub("", notebook.cells[0].source).split("\n", 1)
    notebook.cells[0].source = "\n".join([title + link(name, address), *rest])
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if "google.colab" not in code[0].source:
        code.insert(0, nbformat.v4.new_code_cell())
        notebook.cells.insert(notebook.cells.index(code[1]), code[0])
    code[0].source = FIRST.format(address=address, keras=oldest_keras())
    for count, cell in enumerate(code, 1):  # the first prints nothing, so that it need not be run
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"


def main():
    for path in sorted(HERE.glob("[0-9]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        prepare(notebook, path.name, repository())
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
