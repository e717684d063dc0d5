"""What is taken home from the playground: the picture, its film, and the code that paints it."""

import dataclasses
import io
import json
import re
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from nst_tutorial.extractors import Extractor
from nst_tutorial.images import to_uint8
from nst_tutorial.runs.inputs import gather, grid_of, load, prepare_extractor
from nst_tutorial.runs.provenance import describe
from nst_tutorial.runs.run import Result
from nst_tutorial.runs.schedule import count_steps
from nst_tutorial.widgets.path import Painted

FILMS = {"webp": {"quality": 80}, "gif": {}}
SAID = {  # of a schedule's words, for those who read the code
    "half": "at half the size from here on, as while a slider moved",
    "whole": "at the whole size again",
    "restart": "rounded to whole numbers, as files hold them; the optimizer forgets",
}
FRAME, LAST = 80, 1500  # milliseconds that each frame is seen, and the last


def name_of(painted: Painted) -> str:
    """A name for its file: `chelsea-swirls-150`."""
    names = painted.job.content.name, painted.job.style.name, str(painted.step)
    stems = (re.sub(r"\W+", "_", Path(name).stem)[:40] for name in names)
    return "-".join(stems)


def as_png(painted: Painted, extractor: Extractor) -> bytes:
    """A picture as a PNG, with all that `rerun` needs to paint it again.

    Where the style was changed on the way, its start is a picture that has no file: `rerun` asks
    for it then, and the code of `as_code` makes it.
    """
    stretch = _stretches(painted)[-1]
    job, config = stretch.job, stretch.job.config
    sources = gather(job.content.source, job.style.source, stretch.start)
    sources["schedule"] = stretch.schedule
    extractor = prepare_extractor(
        extractor, config, sources["content"], sources["styles"], stretch.schedule
    )
    pictures = load(sources, config, grid_of(extractor))
    named = {"content": _file(job.content), "styles": [_file(job.style)]}
    origin = describe(config, extractor, sources | named, pictures)
    made_by = extractor.name, extractor.precision
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "painted.png"
        Result(np.asarray(painted.shown), [], config, *made_by, origin=origin).save(path)
        return path.read_bytes()


def as_film(frames: tuple[Painted, ...], kind: str) -> bytes:
    """The frames of a run as a film, a WebP or GIF that repeats for ever."""
    first, *others = (Image.fromarray(to_uint8(frame.shown)) for frame in frames)
    file, durations = io.BytesIO(), [FRAME] * len(others) + [LAST]
    first.save(
        file, kind, save_all=True, append_images=others, duration=durations, loop=0, **FILMS[kind]
    )
    return file.getvalue()


def as_code(painted: Painted, extractor: Extractor) -> str:
    """The cell that paints a picture again, to the byte, along the way that led to it."""
    stretches = _stretches(painted)
    calls = [line for number, one in enumerate(stretches) for line in _call(one, number)]
    names = ("pooling", "border", "precision")
    settings = [f"{name}={_quoted(getattr(extractor, name))}" for name in names]
    return "\n".join([
        *_notes(stretches),
        "from nst_tutorial import TransferConfig, load_extractor, stylize",
        "",
        f"extractor = load_extractor({', '.join([_quoted(extractor.name), *settings])})",
        *calls,
        'result.save("painted.png")',
    ])  # fmt: skip


def _stretches(painted):
    """The stretches of the way to a picture, each with the stop at its end where it needs one."""
    ends = [stretch.begun for stretch in painted.path[1:]] + [painted.step]
    return [_stopped(stretch, end) for stretch, end in zip(painted.path, ends, strict=True)]


def _stopped(stretch, end):
    steps = end - stretch.begun
    if steps == count_steps(stretch.schedule, stretch.job.config):
        return stretch
    return dataclasses.replace(stretch, schedule=(*stretch.schedule, (steps, "stop")))


def _file(picture):
    """What a picture's file is called; an upload's, what it was called where it came from."""
    return Path(picture.name) if isinstance(picture.source, bytes) else picture.source


def _notes(stretches):
    pictures = dict.fromkeys(
        picture for one in stretches for picture in (one.job.content, one.job.style)
    )
    for picture in pictures:
        if isinstance(picture.source, bytes):
            yield f"# Put your picture {picture.name} beside this notebook, as the panel has it:"
            yield '# "My photograph, so that the code finds it" under "Take home" saves it.'


def _call(stretch, number):
    """The lines that paint one stretch; every one but the first goes on from the one before."""
    job, schedule = stretch.job, stretch.schedule
    values = ((field, getattr(job.config, field.name)) for field in dataclasses.fields(job.config))
    given = [f"    {f.name}={_quoted(value)}," for f, value in values if value != f.default]
    yield "\n".join(["config = TransferConfig(", *given, ")"])
    if schedule:
        words = [what for _, what in schedule if isinstance(what, str)]
        said = (f'    # "{word}": {said}' for word, said in SAID.items() if word in words)
        entries = (f"    ({step}, {_quoted(what)})," for step, what in schedule)
        yield "\n".join(["schedule = [  # after so many steps", *said, *entries, "]"])
    start = ", start=result.image" if number else ""
    steered = ", schedule=schedule" if schedule else ""
    pictures = f"{_source(job.content)}, {_source(job.style)}"
    yield f"result = stylize({pictures}, extractor, config{start}{steered})"


def _source(picture):
    """A file by its name; an array by the name that the playground's argument has."""
    file = _file(picture)
    is_file = isinstance(file, str) or hasattr(file, "__fspath__")
    return _quoted(str(file)) if is_file else picture.name


def _quoted(value):
    """Python's own form of a value, with the double quotes of the lessons."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_quoted(k)}: {_quoted(v)}' for k, v in value.items())}}}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
