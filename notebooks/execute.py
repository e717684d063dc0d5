"""Execute the lessons on fresh kernels and write their outputs back: `make notebooks`.

    python notebooks/execute.py [NAME ...]     # all, or those whose names begin so

Execution counts run 1..n. Widget views, widget state and timing metadata are dropped, and what
went to stderr is an error. Prints the seconds and the peak memory of each lesson.
"""

import sys
import time
from pathlib import Path

import nbformat
import psutil
from nbclient import NotebookClient

HERE = Path(__file__).parent
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


class MeasuringClient(NotebookClient):
    """Asks the kernel's process for its memory after every cell."""

    peak = 0

    async def async_execute_cell(self, *args, **kwargs):
        cell = await super().async_execute_cell(*args, **kwargs)
        kernels = psutil.Process().children(recursive=True)
        self.peak = max([self.peak, *(memory_of(process) for process in kernels)])
        return cell


def memory_of(process):
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def execute(path):
    """Run one notebook in its own folder and save it clean; return seconds and peak bytes."""
    notebook = nbformat.read(path, as_version=4)
    client = MeasuringClient(
        notebook, timeout=300, coalesce_streams=True, resources={"metadata": {"path": path.parent}}
    )
    started = time.perf_counter()
    client.execute()
    seconds = time.perf_counter() - started
    clean(notebook, path)
    nbformat.write(notebook, path)
    return seconds, client.peak


def clean(notebook, path):
    """Keep what a reader on the web needs, and nothing that differs from run to run."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {key: cell.metadata[key] for key in ("tags",) if cell.metadata.get(key)}
        if cell.cell_type == "code":
            cell.outputs = [kept(output, path) for output in cell.outputs]


def kept(output, path):
    if output.get("name") == "stderr":
        raise SystemExit(f"{path.name} wrote to stderr:\n{output['text']}")
    output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    if "metadata" in output:
        output.metadata = {}
    return output


def main(names):
    lessons = [*sorted(HERE.glob("[0-9]*.ipynb")), *sorted(HERE.glob("solutions/*.ipynb"))]
    for path in lessons:
        if not names or path.name.startswith(tuple(names)):
            seconds, peak = execute(path)
            print(f"{path.relative_to(HERE)}  {seconds:.0f} s  {peak / 2**30:.2f} GiB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
