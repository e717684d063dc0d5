"""Conventions: what a weight means in another implementation, and known recipes as they were run.

No two implementations divide their losses alike, so a weight means nothing without the divisors.
Those stand in `known`, as data; here is what can be asked of them.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nst_tutorial.config import LOSSES, TransferConfig, layer_weights, weighted
from nst_tutorial.conventions.known import CONVENTIONS
from nst_tutorial.conventions.recipes import SETTINGS
from nst_tutorial.extractors import Extractor, load_extractor
from nst_tutorial.images import load_image
from nst_tutorial.losses import mean_gram_matrix
from nst_tutorial.objective import Objective, content_divisor, style_divisor, variation
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.settings import argument, number
from nst_tutorial.runtime.types import Source
from nst_tutorial.scales import resize

TERMS = ("content", "style")
WEIGHTS = {term: number(0.0) for term in (*TERMS, "tv")}
WEIGHTS["tv_exponent"] = number(2.5, above=True, most=100)


def recipe(name: str) -> TransferConfig:
    """Take a well-known implementation's settings, to be run as its author ran it.

    Args:
        name: one of `CONVENTIONS`, but for "johnson", which trains a network.

    Returns:
        a `TransferConfig`; what it cannot say stands in a comment of the convention. All of them
        but "paper" take their network's own pooling, and all pad it with zeros.

    Raises:
        NSTError: an unknown name, or one that has no run to repeat.

    Taught in: 05_style_loss.
    """
    if _known(name).trains:
        raise NSTError(f"{name} trains a network and has no recipe for a picture; try keras_io.")
    return _settings_of(name)


def evaluate_as(
    name: str, generated: Source, content: Source, style: Source, extractor: Extractor | str
) -> dict[str, float]:
    """Return what an implementation would print: its terms, weighted by its own weights.

    Args:
        name: one of `CONVENTIONS`.
        generated, content, style: anything `load_image` takes, or arrays `(1, H, W, 3)`, RGB, any
            numbers. The style picture is squashed to the others' shape where the author does so.
        extractor: an `Extractor`, or a name for `load_extractor`.

    Returns:
        `{"content": float, "style": float, "tv": float, "total": float}`; the total is their sum.
        Where the convention is `inexact` they are its formulas on the extractor at hand.

    Raises:
        NSTError: an unknown name, or pictures that do not fit.

    Taught in: 05_style_loss.
    """
    config = _settings_of(name)
    image, content, style = map(_picture, (generated, content, style))
    if config.style_resize == "squash":
        style = resize(style, image.shape)
    network = _ready(extractor, config.content_layers + config.style_layers)
    objective = Objective(content, [style], network, config, image.shape)
    return weighted(objective(image, objective.weights(config))[1], config)


def convert_weights(
    weights: Mapping[str, Any] | None,
    source: str,
    target: str,
    content: Source,
    style: Source,
    extractor: Extractor | str,
    nearest: bool = False,
) -> dict[str, Any]:
    r"""Say what weights mean in another implementation's units: the same gradient, so one picture.

    A term is a sum over a divisor, so its weight grows as its divisor does: $w' = w d' / d$.

    Args:
        weights: `{"content": α, "style": β, "tv": γ}` as the source takes them, each 0 if left
            out. α may be `{layer: α}` and β `{layer: weight}` where the layers are not the
            source's own; a total variation of any exponent has one more, "tv_exponent" (2.5).
            None: the source's own weights.
        source, target: names of `CONVENTIONS`.
        content, style: the pictures, as for `evaluate_as`; the one painted has the content's shape.
        extractor: an `Extractor`, or a name for `load_extractor`.
        nearest: where nothing gives the same gradient, give the nearest instead: its formulas on
            the extractor at hand; total variation of the same value for the content picture.

    Returns:
        the same kind of dictionary, in the target's units: for `apply_weights`. A single number
        where the target's own layers and their shares fit, else one for each layer.

    Raises:
        NSTError: no weights give the same gradient; why, and what to do.

    Taught in: 05_style_loss.
    """
    one, other = _known(source), _known(target)
    _demand_same_network(source, target, nearest)
    weights = _own_weights(source) if weights is None else _checked(weights)
    alphas = _by_layer(weights.get("content", 0.0), source, "content")
    betas = _by_layer(weights.get("style", 0.0), source, "style")
    content, style = map(_picture, (content, style))
    network = _ready(extractor, (*alphas, *betas))
    P, S = network(content), network(style)
    if any(betas.values()) and not nearest:
        _demand_same_shares(one, other, {layer: (P[layer], S[layer]) for layer in betas})
    for layer in alphas:
        alphas[layer] *= _ratio(content_divisor, P[layer], one, other)
    for layer in betas:
        shapes = P[layer].shape[1:], content.shape
        betas[layer] *= _ratio(style_divisor, mean_gram_matrix(S[layer]), one, other, *shapes)
    return {
        "content": _as_one_number(alphas, target, "content"),
        "style": _as_one_number(betas, target, "style"),
        **_convert_variation(weights, one, other, content, nearest),
    }


def apply_weights(config: TransferConfig, weights: Mapping[str, Any]) -> TransferConfig:
    """Give a config the weights that `convert_weights` returned, and the layers they are for."""
    if not isinstance(config, TransferConfig):
        raise NSTError(f"config is {config!r}; it must be a TransferConfig.")
    weights = _checked(weights)
    alphas, betas = (_by_layer(weights.get(term, 0), config.convention, term) for term in TERMS)
    total = sum(betas.values())
    return dataclasses.replace(
        config,
        content_layers=tuple(alphas),
        style_layers=tuple(betas),
        content_weight=sum(alphas.values()),
        style_weight=total,
        layer_weights=tuple(beta / total for beta in betas.values()) if total else None,
        tv_weight=weights.get("tv", 0.0),
        tv_exponent=weights.get("tv_exponent", config.tv_exponent),
    )


def _checked(weights):
    """Read weights as `convert_weights` takes and gives them; what is no such thing is refused."""
    if not isinstance(weights, Mapping) or not weights.keys() <= set(WEIGHTS):
        raise NSTError(f"weights are {weights!r}; give a dictionary with {', '.join(WEIGHTS)}.")
    return {term: _checked_weight(term, weight) for term, weight in weights.items()}


def _checked_weight(term, weight):
    if term in TERMS and isinstance(weight, Mapping):
        return {layer: argument(f"{term} {layer}", WEIGHTS[term], w) for layer, w in weight.items()}
    return argument(term, WEIGHTS[term], weight)


def _known(name):
    if not isinstance(name, str) or name not in CONVENTIONS:
        raise NSTError(f"there is no convention {name!r}; there are {', '.join(CONVENTIONS)}.")
    return CONVENTIONS[name]


def _settings_of(name):
    plain: dict[str, Any] = {"scales": 1, "margin": 0.0, "init": "content"}
    settings = {} if _known(name).relative else plain | SETTINGS[name]
    return TransferConfig(convention=name, **settings)


def _picture(source):
    """Numbers as they are; else whatever `load_image` takes."""
    shape = tuple(getattr(source, "shape", ()))
    if len(shape) != 4 or shape[::3] != (1, 3):
        return load_image(source)
    return np.asarray(source, "float32")


def _ready(extractor, layers):
    if not isinstance(extractor, Extractor):
        return load_extractor(extractor, layers, precision="float32")
    return extractor.select(layers).cast("float32")


def _own_weights(name):
    config = _settings_of(name)
    weights = {term: getattr(config, f"{term}_weight") for term in LOSSES}
    return weights | {"tv_exponent": config.tv_exponent}


def _shares(name, term):
    """A convention's own layers of a term, and what one number weighs each with."""
    config = _settings_of(name)
    layers = getattr(config, f"{term}_layers")
    return layer_weights(config, layers) if term == "style" else dict.fromkeys(layers, 1.0)


def _by_layer(weight, name, term):
    if isinstance(weight, Mapping):
        return dict(weight)
    return {layer: weight * share for layer, share in _shares(name, term).items()}


def _as_one_number(weights, name, term):
    shares = _shares(name, term)
    if set(weights) != set(shares):
        return weights
    numbers = [weights[layer] / share for layer, share in shares.items()]
    same = all(math.isclose(number, numbers[0], rel_tol=1e-5) for number in numbers)
    return numbers[0] if same else weights


def _ratio(divisor, target, one, other, *shapes):
    return divisor(target, other, *shapes) / divisor(target, one, *shapes)


def _demand_same_network(source, target, nearest):
    for name in (source, target):
        reason = CONVENTIONS[name].inexact
        if reason and source != target and not nearest:
            raise NSTError(
                f"no weights make {source} and {target} pull alike: {name} differs beyond weights "
                f"({reason}); nearest=True takes its formulas to the extractor at hand."
            )


def _demand_same_shares(one, other, features):
    """G/g − A/a is the other's up to a factor only where g : a is the same."""
    for layer, (P, S) in features.items():
        shares = [c.gram(*S.shape[1:]) / c.gram(*P.shape[1:]) for c in (one, other)]
        if not math.isclose(*shares, rel_tol=1e-9):
            raise NSTError(
                f"at {layer} the two divide the Gram matrix of a style picture of another size "
                "differently, so no weights give one gradient; resize the style to the content's "
                "shape first, or take nearest=True."
            )


def _convert_variation(weights, one, other, content, nearest):
    """The weight of total variation, with its exponent where the target's is free."""
    gamma, given = weights.get("tv", 0.0), weights.get("tv_exponent", 2.5)
    beta, others = one.exponent or given, other.exponent or one.exponent or given
    same = (one.variation, beta) == (other.variation, others)
    alike = same and (one.variation == "squares" or one.pixel == other.pixel)
    if gamma and not (alike or nearest):
        raise NSTError(
            f"no weight makes the two total variations alike ({_say_variation(one, beta)}, and "
            f"{_say_variation(other, others)}): set tv to 0, or take nearest=True."
        )
    image = np.asarray(content, "float32")
    values = [float(variation(image, c, b)[0]) for c, b in ((one, beta), (other, others))]
    if not gamma or not values[1]:
        return {"tv": 0.0, "tv_exponent": others}
    return {"tv": gamma * values[0] / values[1], "tv_exponent": others}


def _say_variation(convention, exponent):
    power = f"exponent {exponent:g}" if convention.variation == "squares" else "of |dx| and |dy|"
    return f"{convention.variation}, {power}"
