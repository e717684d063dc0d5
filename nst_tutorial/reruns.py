"""Make a picture again from what its PNG says of how it was made."""

from pathlib import Path

from nst_tutorial.errors import NSTError
from nst_tutorial.extractors import load_extractor
from nst_tutorial.inputs import load_pictures
from nst_tutorial.provenance import config_of, describe, differences, read
from nst_tutorial.transfer import stylize


def rerun(picture, content=None, styles=None, start=None, extractor=None, callback=None):
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
    sources = {
        "content": content or _found(origin["content"], picture),
        "styles": styles or [_found(style, picture) for style in origin["styles"]],
        "start": start or _found(origin["start"], picture),
    }
    settings = {name: made_by[name] for name in ("pooling", "border", "precision")}
    extractor = load_extractor(extractor or made_by["name"], _layers(origin), **settings)
    pictures = dict(zip(sources, load_pictures(*sources.values(), config), strict=True))
    if found := differences(origin, describe(config, extractor, sources, pictures)):
        raise NSTError(f"{picture} cannot be made again: {'; '.join(found)}.")
    return stylize(
        sources["content"], sources["styles"] or None, extractor, config, callback, sources["start"]
    )


def _layers(origin):
    """The layers that were computed: those of the terms that had a picture."""
    of_content = origin["config"]["content_layers"] if origin["content"] else []
    return of_content + (origin["config"]["style_layers"] if origin["styles"] else [])


def _found(record, picture):
    """Find an input by the name it had, from the working folder or beside the picture."""
    if record is None:
        return None
    if not record["name"]:
        raise NSTError(f"{picture} was made of pictures without a file; name the files to take.")
    beside = Path(picture).parent / record["name"]
    return beside if beside.exists() and not Path(record["name"]).exists() else record["name"]
