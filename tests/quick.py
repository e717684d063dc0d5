"""Settings for tests that paint: layers whose graph compiles three times as fast as the default.

All pictures of one size share one graph of the `extractor` fixture, so that tests with `QUICK`
compile it once altogether.
"""

from nst_tutorial import TransferConfig

SHALLOW = {"content_layers": ("block2_conv1",), "style_layers": ("block1_conv1", "block2_conv1")}
PLAIN = {"scales": 1, "margin": 0, "optimizer": "adam", "init": "content"}
QUICK = TransferConfig(**SHALLOW, **PLAIN, size=64, steps=6)
OPTIONS = ["--content-layers", "block2_conv1", "--style-layers", "block1_conv1", "block2_conv1"]
