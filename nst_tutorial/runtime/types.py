"""Names for annotations. Docstrings say the shapes and ranges, which no type does."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

Array = Any  # a NumPy array or a tensor: no one type covers those of all Keras' backends
Arrays = dict[str, Array]  # by name
Features = dict[str, Array]  # by layer
Terms = dict[str, Any]  # "content", "tv" and "total" numbers; under "style", one for each layer
Tree = dict[str, Any]  # dictionaries of dictionaries, with arrays or numbers at the end
Shape = tuple[int, ...]
Source = Any  # a picture, wherever it is: what `load_image` takes
PathLike = str | os.PathLike[str]


class FeatureExtractor(Protocol):
    """What a transfer needs of an `Extractor`, which has the docstrings."""

    @property
    def least_side(self) -> int: ...
    def __call__(self, image: Array) -> Features: ...
    def visit(self, image: Array, look: Callable[[str, Array], Any]) -> dict[str, Any]: ...
    def closed(self, image: Array) -> Array: ...
    def check_shape(self, shape: Shape) -> None: ...
    def select(self, layers: Sequence[str]) -> Self: ...
    def compile(
        self, function: Callable, *settings: Any, shape: Shape | None = None
    ) -> Callable: ...
    def feature_shape(self, layer: str, shape: Shape) -> Shape: ...
