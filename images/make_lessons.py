"""Paint the large pictures that the lessons show: `python images/make_lessons.py [NAME ...]`.

The lessons run small pictures live. Beside them stand these, large and converged, painted by the
same functions, one painter for each file `lessons/NAME.jpg`. At the end the README's thumbnails
are cut from the pictures that the lessons open with.
"""

import dataclasses
import functools
import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps
from scipy.ndimage import binary_opening, gaussian_filter, label

from make_gallery import CONFIG, HEIGHT, montage, opened, painted, save
from nst_tutorial import (
    TransferConfig,
    fast,
    load_extractor,
    load_image,
    match_colors,
    stylize,
    to_uint8,
)
from nst_tutorial.extractors import Extractor
from nst_tutorial.images import BGR_MEANS
from nst_tutorial.optimizers import Adam, Descent, FourierSeries
from nst_tutorial.plots import Figure, show_sheet
from nst_tutorial.plots import save as save_figure
from nst_tutorial.runtime.backend import ops, value_and_gradient
from nst_tutorial.runtime.download import vgg19_file

HERE = Path(__file__).parent
(HERE / "lessons").mkdir(exist_ok=True)
SIZE = 448
TAUGHT = ("astronaut.png", "coffee.png", "rocket.jpg")  # what lesson 09 learns a style from
HEIGHTS = {  # of the rows; else make_gallery's
    "04": 256, "08": 256, "08_panel": 547, "07_astronaut": 400, "10_memory": 400,
    "12_vote": 400, "12_pairs": 192,
}  # fmt: skip


def captioned(picture, words):
    """Enlarge a picture to the height of a row and write words into its lower left corner."""
    picture = picture.resize((round(HEIGHT * picture.width / picture.height), HEIGHT))
    write(picture, words, (12, HEIGHT - 10), "ls")
    return picture


def write(picture, words, place, anchor):
    """Write words on white into a picture; `anchor` says which of their corners is at the place."""
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(22)
    left, top, right, bottom = pen.textbbox(place, words, font, anchor)
    pen.rectangle((left - 7, top - 6, right + 7, bottom + 6), fill="white")
    pen.text(place, words, "black", font, anchor)


def paint_steps(extractor):
    """Lesson 00: a cup turning into stained glass, from the start to step 60."""
    pair, config = ("coffee.png", "stained_glass.jpg"), TransferConfig(size=384, steps=60)
    photo, glass = (load_image(HERE / name, config.size) for name in pair)
    seen = {0: match_colors(photo, glass)}
    keep = lambda step: seen.update({step.step: step.image})  # noqa: E731
    stylize(photo, glass, extractor, config, callback=keep)
    shown = [
        captioned(Image.fromarray(to_uint8(seen[step][0])), f"step {step}")
        for step in (0, 2, 20, 30, 40, 60)
    ]
    return [shown[:3], shown[3:]]


@dataclasses.dataclass(frozen=True)
class Careless(Extractor):
    """An extractor that is fed something else than the picture."""

    feed: Callable = lambda image: image

    def __call__(self, image):
        return super().__call__(self.feed(image))


def paint_mistakes(extractor):
    """Lesson 01: one transfer, whose network was fed rightly, and with three mistakes."""
    means, pair = BGR_MEANS[::-1], ("chelsea.png", "stained_glass.jpg")
    ways = {
        "as it should be": lambda x: x,
        "flip forgotten": lambda x: x[..., ::-1],
        "scaled to -1..1": lambda x: x / 127.5 - 1 + means,
        "scaled to 0..1": lambda x: x / 255,
    }
    fields = extractor.model, extractor.name, extractor.pooling, extractor.border
    photo, style = map(opened, pair)
    style = ImageOps.fit(style, photo.size)  # before its caption, which would be cut off
    shown = [captioned(photo, "photograph"), captioned(style, "style")]
    for name, feed in ways.items():
        careless = Careless(*fields, extractor.precision, feed=feed)
        shown.append(captioned(painted(*pair, careless, size=384, steps=60), name))
    return [shown[:3], shown[3:]]


def paint_smoothness(extractor):
    """Lesson 06: crops of two transfers, with more and more total variation."""
    weights = 0, 200, 2000, 20000
    rows = {  # where to look, at 384 pixels
        "glass": ("astronaut.png", "stained_glass.jpg", (152, 36, 248, 132)),
        "engraving": ("chelsea.png", "engraving.jpg", (102, 54, 198, 150)),
    }
    cells = [one for row in rows.values() for one in smoothness_row(*row, weights, extractor)]
    titles = ["the style", *(f"tv_weight {weight}" for weight in weights)]
    return show_sheet([*map(np.asarray, cells)], titles, len(titles), [*rows], width=18)


def smoothness_row(photograph, name, box, weights, extractor):
    style = opened(name)
    style.thumbnail((384, 384))
    row = [style.crop((100, 40, 196, 136))]
    for weight in weights:
        picture = painted(photograph, name, extractor, size=384, steps=60, tv_weight=float(weight))
        row.append(picture.crop(box))
    return row


def trio(photograph, style, extractor):
    """A photograph, a style picture, and the one painted in the other, at the defaults."""
    return [[opened(photograph), opened(style), painted(photograph, style, extractor)]]


def paint_transfer_cat(extractor):
    return trio("chelsea.png", "swirls.jpg", extractor)


def paint_transfer_rocket(extractor):
    return trio("rocket.jpg", "swirls.jpg", extractor)


def paint_transfer_glass(extractor):
    return trio("chelsea.png", "stained_glass.jpg", extractor)


def paint_transfer_astronaut(extractor):
    return trio("astronaut.png", "watercolour.jpg", extractor)


def paint_transfer_grid(extractor):
    """Lesson 07: figure 3 of the paper. Down, more style layers; across, a larger ratio."""
    layers = TransferConfig.style_layers
    rows = {"block 1": layers[:1], "blocks\n1–3": layers}
    ratios = {"α/β = 0.0025": 0.25, "α/β = 0.025": 2.5, "α/β = 0.25": 25}
    cells = [
        painted(
            "chelsea.png", "swirls.jpg", extractor,
            size=288, steps=60, style_layers=chosen, content_weight=weight,
        )
        for chosen in rows.values()
        for weight in ratios.values()
    ]  # fmt: skip
    return show_sheet([*map(np.asarray, cells)], [*ratios], 3, [*rows], width=15)


def paint_transfer_starts(extractor):
    """Lesson 07: the photograph, the style or noise as the start, after 200 iterations."""
    photo, cells = load_image(HERE / "chelsea.png", 224), {}
    for words, start in ("the photo", "content"), ("the style", "style"), ("noise", "noise"):
        config = dataclasses.replace(CONFIG, size=224, steps=200, scales=1, init=start)
        result = stylize(photo, HERE / "swirls.jpg", extractor, config)
        total, edges = result.history[-1]["total"], edges_kept(result.image, photo)
        cells[f"from {words}: total {total:.2f}, edges {edges:.2f}"] = result.image
    return show_sheet([*cells.values()], [*cells], 3, width=15)


def edges_kept(image, photo):
    """The correlation of two pictures' steepness, as lesson 07 measures it."""
    steepness = [np.hypot(*np.gradient(x[0].mean(-1))).ravel() for x in (image, photo)]
    return np.corrcoef(steepness)[0, 1]


def paint_limits_sky(extractor):
    """Lesson 10: a rocket in stained glass, and again with the sky left as it was."""
    rocket = opened("rocket.jpg")
    ground = Image.fromarray(np.uint8(255 * (1 - sky_of(np.asarray(rocket, float)))))
    glass, config = HERE / "stained_glass.jpg", TransferConfig(size=SIZE)
    kept = stylize(rocket, None, extractor, config, regions=[(ground, glass)])
    filled = painted("rocket.jpg", "stained_glass.jpg", extractor)
    return [[rocket, filled, Image.fromarray(to_uint8(kept.image[0]))]]


def sky_of(photograph):
    """The sky of the rocket, (H, W) in 0..1: where it is smooth, blue, and above the lamps."""
    edges = np.abs(photograph - gaussian_filter(photograph, (3, 3, 0))).mean(axis=-1)
    blue = photograph[..., 2] - photograph[..., 0]
    smooth = (gaussian_filter(edges, 2) < 4) & (gaussian_filter(blue, 2) > 12)
    smooth[375:] = False
    parts, _ = label(binary_opening(smooth, iterations=2))
    large = np.bincount(parts.ravel()) > 3000
    large[0] = False  # what is not sky
    return gaussian_filter(large[parts].astype(float), 1.5)


def paint_limits_colors(extractor):
    """Lesson 10: a cat in stained glass, in the style's colors and in its own."""
    (row,) = trio("chelsea.png", "stained_glass.jpg", extractor)
    return [[*row, painted("chelsea.png", "stained_glass.jpg", extractor, colors="match")]]


def paint_limits_memory(extractor):
    """Lesson 10: a portrait, its tiles shuffled, and noise given the portrait's Gram matrices."""
    portrait = opened("astronaut.png").crop((120, 10, 330, 220))
    tiles = np.asarray(portrait.resize((256, 256))).reshape(4, 64, 4, 64, 3).swapaxes(1, 2)
    order = np.random.default_rng(0).permutation(16)
    shuffled = tiles.reshape(16, 64, 64, 3)[order].reshape(4, 4, 64, 64, 3).swapaxes(1, 2)
    config = TransferConfig(size=256, content_weight=0.0, init="noise", steps=120)
    memory = stylize(portrait.resize((256, 256)), portrait, extractor, config)
    shuffled = Image.fromarray(shuffled.reshape(256, 256, 3))
    return [[portrait, shuffled, Image.fromarray(to_uint8(memory.image[0]))]]


@functools.cache
def cup(extractor, **settings):
    """Lesson 08: a cup in stained glass, from the photograph, with some settings changed."""
    settings = {"size": 288, "steps": 60, "init": "content", **settings}
    return painted("coffee.png", "stained_glass.jpg", extractor, **settings)


def cut_panel(_extractor):
    """Lesson 08: the panel in the middle of a run, from its film."""
    film = Image.open(HERE / "playground.webp")
    film.seek(42)
    return [[film.convert("RGB")]]


def paint_playground_content(extractor):
    row = {alpha: cup(extractor, content_weight=alpha) for alpha in (0.25, 2.5, 25.0)}
    return [[captioned(picture, f"content weight {alpha:g}") for alpha, picture in row.items()]]


def paint_playground_smooth(extractor):
    row = {gamma: cup(extractor, tv_weight=gamma) for gamma in (0.0, 200.0, 20000.0)}
    return [[captioned(picture, f"tv weight {gamma:g}") for gamma, picture in row.items()]]


def paint_playground_layers(extractor):
    """Lesson 08: the first style layer alone, all four, and the last alone."""
    chosen = {
        "block1_conv1 alone": (1.0, 0.0, 0.0, 0.0), "all four": None,
        "block3_conv4 alone": (0.0, 0.0, 0.0, 1.0),
    }  # fmt: skip
    return [
        [
            captioned(cup(extractor, content_weight=0.25, layer_weights=weights), words)
            for words, weights in chosen.items()
        ]
    ]


def paint_playground_starts(extractor):
    """Lesson 08: the photograph, and painted from it and from noise."""
    shown = {
        "the photograph": opened("coffee.png"), "from the photograph": cup(extractor),
        "from noise": cup(extractor, init="noise"),
    }  # fmt: skip
    return [[captioned(picture, words) for words, picture in shown.items()]]


def paint_playground_steered(extractor):
    """Lesson 08: a rocket, painted with the same weights all the way, and steered."""
    pair = HERE / "rocket.jpg", HERE / "woodblock_wave.jpg"
    config = TransferConfig(size=288, scales=1, optimizer="adam", steps=120, init="content")
    after_40 = [(40, {"style_weight": 1000.0}), (120, "stop")]
    row = [captioned(opened("rocket.jpg"), "the photograph")]
    for words, way in {"100 all the way": (), "1000 after step 40": after_40}.items():
        painting = stylize(*pair, extractor, config, schedule=way).image[0]
        row.append(captioned(Image.fromarray(to_uint8(painting)), f"style weight {words}"))
    return [row]


def paint_control_portrait(extractor):
    """Lesson 11: an astronaut, two masks, glass everywhere, and by regions with her face kept."""
    photograph, glass = "astronaut.png", HERE / "stained_glass.jpg"
    suit, behind = (HERE / "masks" / f"astronaut_{part}.png" for part in ("suit", "behind"))
    regions = [(suit, glass), (behind, HERE / "woodblock_wave.jpg")]
    shown = {
        "the photograph": opened(photograph), "": two_masks(opened(photograph), suit, behind),
        "glass everywhere": painted(photograph, glass, extractor),
        "by regions": by_regions(photograph, regions, extractor),
    }  # fmt: skip
    return [[captioned(picture, words) if words else picture for words, picture in shown.items()]]


def two_masks(photograph, suit, behind):
    """A dimmed photograph, with one mask in orange, the other in blue, and what each will be."""
    picture = Image.eval(photograph.convert("L").convert("RGB"), lambda level: level // 2)
    for mask, color in ((suit, "#e69f00"), (behind, "#0072b2")):
        share = Image.open(mask).resize(picture.size).point(lambda level: level * 6 // 10)
        picture.paste(Image.new("RGB", picture.size, color), mask=share)
    picture = captioned(picture, "suit: glass")
    write(picture, "behind: wave", (12, 12), "lt")
    return picture


EYES = 130, 50, 380, 190  # of a cat 448 pixels wide


def paint_control_eyes(extractor):
    """Lesson 11: a cat's eyes, and in swirls with both ways to keep her colors."""
    pair = "chelsea.png", "swirls.jpg"
    row = {kind: painted(*pair, extractor, colors=kind) for kind in ("match", "luminance")}
    row = {"the photograph": opened(pair[0]).resize(row["match"].size), **row}
    return [[captioned(picture.crop(EYES), words) for words, picture in row.items()]]


def paint_control_lamps(extractor):
    """Lesson 11: two masks, and a cat in swirls without them and with them."""
    photograph, style = opened("chelsea.png"), opened("swirls.jpg")
    y, x = np.ogrid[0 : 1 : photograph.height * 1j, 0 : 1 : photograph.width * 1j]
    left, right = (0.39, 0.365, 0.14, 0.09), (0.45, 0.7, 0.13, 0.06)
    eyes = sum(((y - a) / h) ** 2 + ((x - b) / w) ** 2 < 1 for a, b, h, w in (left, right)) * 1.0
    red, _, blue = np.moveaxis(np.asarray(style, float), -1, 0)
    lamps = gaussian_filter(1.0 * (red > blue), style.width / 128)
    night = [(eyes, style, lamps), (1 - eyes, style, 1 - lamps)]
    shown = [dimmed(photograph, eyes), ImageOps.fit(dimmed(style, lamps), photograph.size)]
    alone = painted("chelsea.png", "swirls.jpg", extractor)
    rows = [shown, [alone, by_regions("chelsea.png", night, extractor)]]
    words = [["mask: eyes", "mask: lamps"], ["one style", "by regions"]]
    return [list(map(captioned, *row)) for row in zip(rows, words, strict=True)]


def by_regions(photograph, regions, extractor):
    """One transfer by masks, as a picture, with whatever no mask covers kept."""
    config = TransferConfig(size=SIZE)
    result = stylize(HERE / photograph, None, extractor, config, regions=regions)
    return Image.fromarray(to_uint8(result.image[0]))


def dimmed(picture, mask):
    """A picture that is dark where its mask is 0."""
    return Image.fromarray(np.uint8(np.asarray(picture) * (0.4 + 0.6 * mask[..., None])))


REBUILT = [f"block{block}_conv2" for block in range(2, 6)]
MOMENTS = 10, 100, 600
FRAMES = 10, 30, 100, 300, 600


def paint_content_rebuilt(_extractor):
    """Lesson 03: a cat rebuilt from one layer's features alone: four rows of the film."""
    film, small = load_image(HERE / "lessons/03_film.jpg"), load_image(HERE / "chelsea.png", 192)
    cells = []
    for row in np.split(film, 8, axis=1)[1:5]:  # blocks 2 to 5 of `pocket`
        frames = dict(zip(FRAMES, np.split(row, len(FRAMES), axis=2), strict=True))
        cells += [*(frames[moment] for moment in MOMENTS), small]
    titles = [*(f"{moment} iterations" for moment in MOMENTS), "the photograph"]
    return show_sheet(cells, titles, len(titles), REBUILT, width=15)


def rebuilds(photo, layer, extractor, moments):
    """What a layer's features bring back of a photograph, after so many iterations each."""
    kept = {}

    def keep(step):  # a run that finds no way down ends early: its last picture stands for the rest
        kept.update((moment, step.image) for moment in moments if step.step <= moment)

    settings = {"init": "noise", "noise_std": 16, "scales": 1, "tv_weight": 0.5, "margin": 0}
    config = TransferConfig(layer, steps=moments[-1], **settings)
    stylize(photo, None, extractor, config, keep)
    return list(kept.values())


def paint_content_film(_extractor):
    """Lesson 03: frames of a rebuild from each block, by `pocket` and by VGG19's first three.

    Rows are blocks, first those of `pocket`; columns are `FRAMES`. The lesson cuts it apart.
    """
    if not vgg19_file().exists():
        return print("03_film stays as it is; it takes VGG19: nst-tutorial download vgg19")
    photo, rows = load_image(HERE / "chelsea.png", 192), []
    for name, blocks in (("pocket", range(1, 6)), ("vgg19", range(1, 4))):
        for layer in (f"block{block}_conv2" for block in blocks):
            made = rebuilds(photo, layer, load_extractor(name, [layer]), FRAMES)
            rows.append(np.concatenate(made, axis=2)[0])
    film = Image.fromarray(to_uint8(np.concatenate(rows)))
    return film.save(HERE / "lessons" / "03_film.jpg", quality=88)


def paint_content_layers(extractor):
    """Lesson 03: a cat in swirls; only the layer that holds its content differs."""
    layers = "block2_conv2", "block3_conv3", "block4_conv2", "block5_conv2"
    pair = "chelsea.png", "swirls.jpg"
    settings = {"size": 288, "steps": 100, "content_weight": 5, "init": "content"}
    made = {layer: painted(*pair, extractor, content_layers=layer, **settings) for layer in layers}
    fitted = [np.asarray(ImageOps.fit(opened(name), made["block2_conv2"].size)) for name in pair]
    first, second, *deep = ((name, np.asarray(one)) for name, one in made.items())
    cells = ("the photograph", fitted[0]), first, second, ("the style", fitted[1]), *deep
    return show_sheet([one for _, one in cells], [name for name, _ in cells], 3)


STROKES = {  # lesson 05: the style layers that are on, by name
    "block 1": ("block1_conv1",),
    "blocks 1 and 2": ("block1_conv1", "block2_conv1"),
    "blocks 1 to 3": ("block1_conv1", "block2_conv1", "block3_conv1"),
}


def paint_style_textures(extractor):
    """Lesson 05: three styles, and textures from noise with one, two and three layers."""
    endless, cells = load_extractor(layers=STROKES["blocks 1 to 3"], border="wrap"), []
    settings = {"size": 224, "steps": 120, "init": "noise", "noise_std": 16, "tv_weight": 10}
    for name in ("woodblock_wave.jpg", "stained_glass.jpg", "pointillism.jpg"):
        style = ImageOps.fit(opened(name), (224, 224))
        cells.append(np.asarray(style))
        for layers in STROKES.values():
            config = TransferConfig(style_layers=layers, **settings)
            cells.append(stylize(None, style, endless, config).image)
    return show_sheet(cells, ["the style", *STROKES], 4)


def paint_style_desk(extractor):
    """Lesson 05: one photograph, one style, and only one block's strokes; then all three."""
    layers = "block1_conv1", "block2_conv1", "block3_conv1"
    photo, style = opened("chelsea.png"), opened("stained_glass.jpg")
    cells = {"the photograph": np.asarray(photo), "the style": np.asarray(style)}
    cells["the style"] = np.asarray(ImageOps.fit(style, photo.size))
    for chosen in (*((layer,) for layer in layers), layers):
        name = f"only {chosen[0][:6]}" if len(chosen) == 1 else "all three"
        settings = {"size": 320, "steps": 80, "style_layers": chosen}
        cells[name] = np.asarray(painted("chelsea.png", "stained_glass.jpg", extractor, **settings))
    return show_sheet([*cells.values()], [*cells], 3)


WANTING = {  # layers, and four channels of each whose favorite pictures are striking
    "block1_conv2": (17, 7, 6, 30),
    "block2_conv2": (20, 39, 14, 37),
    "block3_conv1": (13, 65, 104, 117),
    "block4_conv2": (30, 19, 38, 0),
    "block5_conv2": (34, 40, 35, 44),
}


def paint_channels(extractor):
    """Lesson 02: what four channels of each block want to see, a column for each block."""
    network = load_extractor(border="wrap")
    columns = [favorites(network, layer, wanted) for layer, wanted in WANTING.items()]
    cells = [np.asarray(one) for row in zip(*columns, strict=True) for one in row]
    numbers = zip(*WANTING.values(), strict=True)
    titles = [f"{layer} · {n}" for row in numbers for layer, n in zip(WANTING, row, strict=True)]
    return show_sheet(cells, titles, len(WANTING))


def favorites(network, layer, channels, side=128, steps=120):
    """Pictures that excite one channel each, as lesson 02 makes them, all at once."""
    part, rng = network.select(layer), np.random.default_rng(0)
    chosen = np.eye(part.model.output[layer].shape[-1], dtype="float32")[list(channels)]

    def loss(x):
        answers = ops.cast(part(x)[layer], "float32") * chosen[:, None, None]
        answers = ops.mean(ops.sum(answers, -1), (1, 2))
        contrasts = ops.mean(ops.square((x - 127.5) / 48), (1, 2, 3))
        return ops.sum(contrasts / 2 - ops.log(answers + 0.01)), {"answers": answers}

    def shifted(x):
        shift = rng.integers(0, 8, 2)
        terms, gradient = eager(np.roll(x, shift, (1, 2)))
        return terms, np.roll(gradient, -shift, (1, 2))

    eager = value_and_gradient(loss)
    start = rng.normal(127.5, 8, (len(channels), side, side, 3)).astype("float32")
    climb = Descent(start, Adam(), series=FourierSeries(start.shape))
    for step in range(steps):
        climb.take(shifted, 8 * 0.1 ** (step / steps))
    return [Image.fromarray(to_uint8(one)) for one in np.array(climb.picture)]


def paint_tables(extractor):
    """Lesson 04: a window, a cup and a cat; below, what their Gram matrices alone give back."""
    names = "stained_glass.jpg", "coffee.png", "chelsea.png"
    settings = {"size": 320, "steps": 200, "init": "noise", "tv_weight": 100.0}
    results = [stylize(None, HERE / one, extractor, TransferConfig(**settings)) for one in names]
    return [
        [opened(one) for one in names],
        [Image.fromarray(to_uint8(result.image[0])) for result in results],
    ]


def paint_fast_blend(_extractor):
    """Lesson 09: a cup and two styles; below, what one network makes of it, and halfway."""
    network, cup = fast.load_network(), load_image(HERE / "coffee.png", SIZE)
    blends = ({"swirls": 1 - share, "stained_glass": share} for share in (0, 0.5, 1))
    row = [Image.fromarray(to_uint8(fast.apply(network, cup, blend)[0])) for blend in blends]
    return [[*map(opened, ("coffee.png", "swirls.jpg", "stained_glass.jpg"))], row]


def paint_fast_tissue(extractor):
    """Lesson 09: stained tissue, a cat, and the cat in the style that the network learned of it."""
    config = fast.TrainConfig(steps=400, size=64, coarse=0, ramp=0, learning_rate=0.02)
    grown, photos = fast.add_style(fast.load_network(), "tissue"), [HERE / name for name in TAUGHT]
    judge = extractor.select(config.content_layers + config.style_layers)
    grown, _ = fast.learn_style(grown, "tissue", HERE / "ihc.png", photos, judge, config)
    cat = load_image(HERE / "chelsea.png", 640)
    painted = Image.fromarray(to_uint8(fast.apply(grown, cat, "tissue")[0]))
    return [[opened("ihc.png"), opened("chelsea.png"), painted]]


def paint_measures_vote(extractor):
    """Lesson 12: a cat and a window; below, the one painted in the other by two painters."""
    pair = "chelsea.png", "stained_glass.jpg"
    at_once, slowly = both_painters(*map(opened, pair), "stained_glass", extractor, SIZE)
    return [[*map(opened, pair)], [captioned(at_once, "A"), captioned(slowly, "B")]]


def paint_measures_pairs(extractor):
    """Lesson 12: four photographs; glass in steps and at once, swirls in steps and at once."""
    rows = []
    for photograph in ("chelsea.png", "coffee.png", "astronaut.png", "rocket.jpg"):
        rows.append([])
        for style in ("stained_glass", "swirls"):
            squares = [ImageOps.fit(opened(n), (192, 192)) for n in (photograph, f"{style}.jpg")]
            rows[-1] += reversed(both_painters(*squares, style, extractor, 192))
    return rows


def both_painters(photograph, style, name, extractor, size):
    """One photograph painted by the shipped network at once, and by a transfer at the defaults."""
    at_once = fast.apply(fast.load_network(), load_image(photograph, size), name)
    slowly = stylize(photograph, style, extractor, TransferConfig(size=size)).image
    return [Image.fromarray(to_uint8(np.asarray(image)[0])) for image in (at_once, slowly)]


PAINTERS = {
    "02_channels": paint_channels,
    "04_tables": paint_tables,
    "03_film": paint_content_film,
    "03_layers": paint_content_layers,
    "03_rebuilt": paint_content_rebuilt,
    "05_desk": paint_style_desk,
    "05_textures": paint_style_textures,
    "00_steps": paint_steps,
    "01_mistakes": paint_mistakes,
    "06_smoothness": paint_smoothness,
    "07_cat": paint_transfer_cat,
    "07_rocket": paint_transfer_rocket,
    "07_glass": paint_transfer_glass,
    "07_astronaut": paint_transfer_astronaut,
    "07_grid": paint_transfer_grid,
    "07_starts": paint_transfer_starts,
    "08_panel": cut_panel,
    "08_content": paint_playground_content,
    "08_smooth": paint_playground_smooth,
    "08_layers": paint_playground_layers,
    "08_starts": paint_playground_starts,
    "08_steered": paint_playground_steered,
    "09_blend": paint_fast_blend,
    "09_tissue": paint_fast_tissue,
    "10_sky": paint_limits_sky,
    "10_colors": paint_limits_colors,
    "10_memory": paint_limits_memory,
    "11_portrait": paint_control_portrait,
    "11_eyes": paint_control_eyes,
    "11_lamps": paint_control_lamps,
    "12_vote": paint_measures_vote,
    "12_pairs": paint_measures_pairs,
}


def cut_thumbnails():
    """The right end, where the painting is, of each lesson's first picture."""
    (HERE / "lessons" / "thumbs").mkdir(exist_ok=True)
    for path in sorted(HERE.parent.glob("notebooks/[0-9]*.ipynb")):
        found = re.search(r"!\[[^]]*\]\((\S+?\.(?:jpg|webp))\)", path.read_text("utf-8"))
        picture = Image.open(path.parent / found[1])
        picture.seek(getattr(picture, "n_frames", 1) // 2)  # of a film, the middle
        small = ImageOps.fit(picture.convert("RGB"), (240, 150), centering=(1, 1))
        small.save(HERE / "lessons" / "thumbs" / f"{path.name[:2]}.jpg", quality=88)


def main(names):
    extractor = load_extractor()
    for name in names or PAINTERS:
        height = HEIGHTS.get(name, HEIGHTS.get(name[:2], HEIGHT))
        made = PAINTERS[name](extractor)
        if isinstance(made, Figure):  # a sheet with words
            save_figure(made, HERE / "lessons" / f"{name}.jpg", dpi=84)
        elif made:
            save(np.array(montage(made, height)), f"lessons/{name}.jpg")
        print(name, flush=True)
    cut_thumbnails()


if __name__ == "__main__":
    main(sys.argv[1:])
