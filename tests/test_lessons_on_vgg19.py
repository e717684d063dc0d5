"""Every lesson also runs on VGG19 in its full size; here with random numbers for weights."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from test_weights import write_h5

from nst_tutorial.runtime.weights import LAYERS, VGG19_WIDTHS, random_weights

LESSONS = sorted((Path(__file__).parent.parent / "notebooks").glob("[0-9]*.ipynb"))


@pytest.fixture(scope="module")
def vgg19_file(tmp_path_factory):
    drawn = random_weights(VGG19_WIDTHS, LAYERS, seed=0)
    return write_h5(tmp_path_factory.mktemp("weights") / "vgg19.h5", drawn)


@pytest.mark.long
@pytest.mark.filterwarnings("default")  # Jupyter's own
@pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])
def test_a_lesson_runs_on_vgg19(path, vgg19_file, monkeypatch):
    monkeypatch.setenv("NST_EXTRACTOR", "vgg19")
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(vgg19_file))
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": path.parent}}
    executed = NotebookClient(notebook, timeout=900, resources=resources).execute()
    assert all(cell.execution_count for cell in executed.cells if cell.cell_type == "code")
