"""What goes into a transfer: the pictures at their sizes, the first of them, and the extractor."""

import numpy as np

from nst_tutorial.errors import NSTError
from nst_tutorial.extractors import Extractor, load_extractor, smallest_side
from nst_tutorial.images import load_image
from nst_tutorial.records import TransferConfig
from nst_tutorial.scales import resize, scaled


def load_pictures(content, style, start, config):
    """Load content (or None), the list of styles, and the start (or None)."""
    styles = listed(style)
    if not isinstance(config, TransferConfig):
        raise NSTError(f"config is {config!r}; it must be a TransferConfig.")
    if content is None and not styles:
        raise NSTError("neither a content nor a style picture was given; give at least one.")
    content = None if content is None else load_image(content, config.size)
    styles = [_style(picture, content, config) for picture in styles]
    return content, styles, None if start is None else load_image(start)


def _style(picture, content, config):
    """A style picture as the config resizes it; with no content there is nothing to squash to."""
    if config.style_resize == "own":
        return load_image(picture)
    if config.style_resize == "squash" and content is not None:
        return np.clip(resize(load_image(picture), content.shape), 0, 255)
    longest = config.size if content is None else max(content.shape)
    return load_image(picture, config.style_size or longest)


def listed(style):
    """One style picture, several or none, as a list."""
    return [] if style is None else list(style) if isinstance(style, (list, tuple)) else [style]


def starting_picture(shape, content, styles, start, config):
    """Make the first picture, and name the one whose detail comes back as it is enlarged."""
    if start is None and config.init == "content" and content is not None:
        return resize(content, shape), content
    if start is None and config.init == "style" and styles:
        start = styles[0]
    if start is not None:
        return np.clip(resize(start, shape), 0, 255), None
    noise = np.random.default_rng(config.seed).normal(127.5, config.noise_std, shape)
    return np.clip(noise, 0, 255).astype("float32"), None


def at_scale(scale, content, styles, deepest):
    """Scale content and styles alike, and no style below what the `deepest` layer needs."""
    least = smallest_side(deepest)
    styles = [resize(style, scaled(style.shape, scale, least)) for style in styles]
    return None if content is None else resize(content, scaled(content.shape, scale)), styles


def ready(extractor, config, content, styles):
    """Load the extractor if it is a name, with no layer more than needed.

    L-BFGS measures curvature by differences of gradients, which bfloat16's rounding drowns: its
    line search finds no way down. It gets float32.
    """
    content_layers = () if content is None else config.content_layers
    layers = content_layers + (config.style_layers if styles else ())
    if not isinstance(extractor, Extractor):
        extractor = load_extractor(extractor, layers)
    extractor = extractor.select(layers)
    return extractor.cast("float32") if config.optimizer == "lbfgs" else extractor
