"""Make a picture again from what its PNG says of how it was made."""

import dataclasses
from collections.abc import Callable, Sequence

from nst_tutorial.extractors import load_extractor
from nst_tutorial.runs.inputs import grid_of, load
from nst_tutorial.runs.progress import Step
from nst_tutorial.runs.provenance import (
    config_of,
    describe,
    differences,
    inputs_of,
    read,
    regions_of,
    schedule_of,
)
from nst_tutorial.runs.run import Result, run
from nst_tutorial.runs.schedule import layers_of
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import shown
from nst_tutorial.runtime.types import PathLike, Source


def rerun(
    picture: PathLike,
    content: Source | None = None,
    styles: Sequence[Source] | None = None,
    start: Source | None = None,
    extractor: PathLike | None = None,
    callback: Callable[[Step], object] | None = None,
) -> Result:
    """Make a picture again: on the same machine and versions, to the same bytes.

    Args:
        picture: a PNG that `Result.save` wrote. Its inputs are looked for by the names they had,
            from the working folder and beside the picture.
        content, styles, start: files to take instead, which must hold the same pictures.
        extractor: a name or a file of weights to take instead, which must hold the same ones.
        callback: called with a `Step` after each step.

    Returns:
        a `Result`.

    Raises:
        NSTError: an input is missing or another one: the sentence says which.
    """
    origin = read(picture)
    config, made_by = config_of(origin), origin["extractor"]
    sources = inputs_of(origin, picture, content, styles, start)
    # The layers that were computed: those of the terms that had a picture.
    layers = layers_of(schedule_of(origin), config) if origin["content"] else ()
    layers += config.style_layers if origin["styles"] else ()
    settings = {name: made_by[name] for name in ("pooling", "border", "precision")}
    loaded = load_extractor(extractor or made_by["name"], layers, **settings)
    pictures = load(sources, config, grid_of(loaded))
    if found := differences(origin, describe(config, loaded, sources, pictures)):
        raise NSTError(f"{shown(picture)} cannot be made again: {'; '.join(found)}.")
    loaded = dataclasses.replace(loaded, name=made_by["name"])
    return run(_names(origin), pictures, loaded, config, callback, like=origin)


def _names(origin):
    """The names that the pictures had, wherever they are now: the same words are the same bytes."""
    content, start = (record and record["name"] for record in (origin["content"], origin["start"]))
    styles = [record["name"] for record in origin["styles"]]
    masks = [region["mask"]["name"] for region in regions_of(origin)]
    on_styles = [region["style_mask"] for region in regions_of(origin)]
    return {
        "content": content,
        "styles": styles,
        "start": start,
        "masks": masks,
        "style_masks": [record and record["name"] for record in on_styles],
        "schedule": schedule_of(origin),
    }
