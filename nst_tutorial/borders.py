"""Borders: a picture continued beyond its edge by its mirror image."""

from nst_tutorial.backend import keras, ops


def mirror_to_multiple(x, multiple):
    """Continue a picture by its mirror image until both sides are multiples, half on each side.

    Pooling drops an odd last row or column: no loss would see it, and stripes would stay there.
    """
    missing = [-side % multiple for side in x.shape[-3:-1]]
    if not any(missing):
        return x
    return ops.pad(x, ((0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)), mode="reflect")


class ReflectionPadding(keras.layers.Layer):
    """Continue a picture by its mirror image, one pixel on each side."""

    def call(self, x):
        return ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")

    def compute_output_shape(self, shape):
        return (shape[0], *(side and side + 2 for side in shape[1:3]), shape[3])
