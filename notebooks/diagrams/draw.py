"""Draw the lessons' diagrams, `notebooks/diagrams/*.svg`: `python notebooks/diagrams/draw.py`.

One language in all: the photograph is blue, the style orange, the picture being painted purple,
and each loss has the color that it has in the playground's charts. A solid arrow goes forward, a
dashed one is the gradient on its way back. Words are marked up a little: `*x*` is a letter of a
formula, `_{l}` a subscript, `**word**` is bold. Only the thumbnails need Pillow.
"""

import base64
import io
import itertools
import math
import re
from html import escape
from pathlib import Path

from PIL import Image, ImageOps

from nst_tutorial.config import TransferConfig

HERE = Path(__file__).parent
IMAGES = HERE.parent.parent / "images"
WIDTH = 1000  # of every diagram; as wide as a notebook's column

INK, SOFT, PAPER, RULE, GRAY = "#1d2126", "#565d66", "#fbfaf6", "#d8d3c7", "#e9e7e1"
PHOTO, STYLE, PAINTED, TV = "#0072b2", "#c44f00", "#7a3b96", "#00795a"
PALE = {PHOTO: "#e0eef8", STYLE: "#fce7d8", PAINTED: "#efe3f5", TV: "#dcf2ea", INK: GRAY}

CAT, CUP = "chelsea.png", "coffee.png"
PAINTED_CUP = "colors.jpg", (458, 0, 902, 300)  # the second of its four pictures
PAINTED_CAT = "lessons/07_cat.jpg", (764, 0, 1214, 300)  # the last of its three pictures
DEFAULTS = TransferConfig()

# all of one width, or narrower, so that no line grows out of its box on another machine
FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans Condensed', sans-serif"

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" \
width="{width}" height="{height}" role="img" aria-labelledby="title desc">
<title id="title">{title}</title>
<desc id="desc">{desc}</desc>
<style>
text {{ font-family: {fonts}; }}
.m {{ font-family: "Times New Roman", Times, serif; font-style: italic; font-size: 1.15em; }}
.b {{ font-weight: 700; }}
</style>
<rect x="1" y="1" width="{right}" height="{bottom}" rx="14" fill="{paper}" stroke="{rule}"/>
{body}
</svg>
"""


def main():
    for draw in (loop, vgg19, gram, total, fast):
        path = HERE / f"{draw.__name__}.svg"
        path.write_text(draw(), "utf-8")
        print(f"{path.name:10} {path.stat().st_size / 1024:4.0f} kB")


def diagram(height, title, desc, *parts):
    body = "\n".join(parts)
    colors = {"paper": PAPER, "rule": RULE}
    size = {"width": WIDTH, "height": height, "right": WIDTH - 2, "bottom": height - 2}
    return SVG.format(title=title, desc=desc, body=body, fonts=FONTS, **colors, **size)


# The language: words, boxes, arrows, pictures.


def words(x, y, text, anchor="middle", color=INK, size=17):
    """Write a line, or several separated by line breaks, from the baseline y downwards."""
    lines = [
        f'<text x="{x:g}" y="{y + 1.3 * size * n:g}" text-anchor="{anchor}" '
        f'fill="{color}" font-size="{size}">{marked_up(line)}</text>'
        for n, line in enumerate(text.split("\n"))
    ]
    return "\n".join(lines)


def marked_up(line):
    """Turn the markup of a line into spans; what follows a raised or lowered one is level again."""
    spans, shift = [], 0
    for piece in re.split(r"(\*\*.+?\*\*|\*.+?\*|[_^]\{.+?\})", line):
        if not piece:
            continue
        settings, inner = (f' dy="{-shift}"' if shift else ""), piece
        shift = 0
        if piece.startswith("**"):
            settings, inner = f'{settings} class="b"', piece[2:-2]
        elif piece.startswith("*"):
            settings, inner = f'{settings} class="m"', piece[1:-1]
        elif piece.startswith(("_{", "^{")):
            shift = 5 if piece[0] == "_" else -7
            settings, inner = f'{settings} dy="{shift}" font-size="15"', piece[2:-1]
        spans.append(f"<tspan{settings}>{escape(inner)}</tspan>" if settings else escape(inner))
    return "".join(spans)


def box(x, y, width, height, color=INK, fill=None, rx=8, stroke=2):
    fill = PALE[color] if fill is None else fill
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{rx}" '
        f'fill="{fill}" stroke="{color}" stroke-width="{stroke}"/>'
    )


def band(x, y, width, height, fill="#f1eee5"):
    """Lay a ground under what belongs together."""
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="12" fill="{fill}" '
        f'stroke="{RULE}"/>'
    )


def arrow(*points, color=INK, back=False, width=2.5, halo=False):
    """Draw an arrow through points, with round corners; `back` is the gradient, dashed.

    A `halo` parts it from a line that it crosses.
    """
    *_, (x0, y0), (x1, y1) = points
    turn = math.atan2(y1 - y0, x1 - x0)
    length, half = 5 + 3.4 * width, 2 + 1.7 * width
    neck = x1 - length * math.cos(turn), y1 - length * math.sin(turn)
    side = half * math.sin(turn), half * math.cos(turn)
    head = (x1, y1), (neck[0] - side[0], neck[1] + side[1]), (neck[0] + side[0], neck[1] - side[1])
    line = rounded([*points[:-1], neck])
    dash = f' stroke-dasharray="{3.2 * width:g} {2 * width:g}"' if back else ""
    under = f'<path d="{line}" fill="none" stroke="{PAPER}" stroke-width="{width + 7}"/>'
    return (under if halo else "") + (
        f'<path d="{line}" fill="none" stroke="{color}" stroke-width="{width}"{dash}/>'
        f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in head)}" fill="{color}"/>'
    )


def bend(start, x, end):
    """Return the points of a way that goes up or down at x."""
    return start, (x, start[1]), (x, end[1]), end


def branch(x, y, end, color):
    """Leave an upright line at a point, for the right."""
    return f'<circle cx="{x}" cy="{y}" r="4.5" fill="{color}"/>', arrow(
        (x, y), (end, y), color=color
    )


def rounded(points, radius=10):
    """Return the path through points that takes each corner by a curve."""
    path = f"M{points[0][0]:g},{points[0][1]:g}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near, far = (towards(corner, end, radius) for end in (before, after))
        path += (
            f" L{near[0]:.1f},{near[1]:.1f} Q{corner[0]:g},{corner[1]:g} {far[0]:.1f},{far[1]:.1f}"
        )
    return path + f" L{points[-1][0]:.1f},{points[-1][1]:.1f}"


def towards(start, end, distance):
    gap = math.dist(start, end)
    share = min(distance, gap / 2) / gap
    return tuple(a + share * (b - a) for a, b in zip(start, end, strict=True))


def picture(x, y, width, height, source, color):
    """Show a picture of the course, in a frame of its color."""
    return (
        f'<image x="{x}" y="{y}" width="{width}" height="{height}" '
        f'preserveAspectRatio="xMidYMid slice" href="{thumbnail(source, width, height)}"/>'
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="3" fill="none" '
        f'stroke="{color}" stroke-width="4"/>'
    )


def thumbnail(source, width, height, most=5400):
    """Return a small JPEG as an address; `source` is a file, or a file and a part of it."""
    name, part = source if isinstance(source, tuple) else (source, None)
    image = Image.open(IMAGES / name).convert("RGB").crop(part)
    image = ImageOps.fit(image, (round(1.5 * width), round(1.5 * height)))
    for quality in range(85, 20, -5):
        image.save(file := io.BytesIO(), "JPEG", quality=quality, optimize=True)
        if file.tell() <= most:
            break
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def maps(x, y, color, side=46, count=3, seed=0):
    """Draw a small stack of feature maps: what a network says of a picture."""
    parts, cell = [], side / 4
    for n in range(count):
        left, top = x + 8 * (count - 1 - n), y + 8 * n
        parts.append(box(left, top, side, side, color, "white", rx=2, stroke=1.5))
        for u, v in itertools.product(range(4), range(4)):
            loud = ((7 * u + 11 * v + 5 * u * v + 13 * n + 3 * seed) % 17) / 17
            parts.append(
                f'<rect x="{left + v * cell:g}" y="{top + u * cell:g}" width="{cell:g}" '
                f'height="{cell:g}" fill="{color}" opacity="{0.9 * loud**2:.2f}"/>'
            )
    return "".join(parts)


def network(x, y, width, height):
    """Draw the network that looks at pictures: layer behind layer, and never changed."""
    lines = "".join(
        f'<path d="M{x + width * n / 6:g},{y + 3} v{height - 6}" stroke="#cbc7bc"/>'
        for n in range(1, 6)
    )
    plaque = box(x + 6, y + 204, width - 12, 76, PAPER, PAPER, stroke=0)
    return box(x, y, width, height, INK) + lines + plaque


def loop():
    title = "Style transfer is a loop"
    desc = (
        "The photograph and the style picture go through the network once; their features stay. "
        "The picture being painted goes through the same network at every step. The content loss "
        "compares its features with the photograph's, the style loss with the style's; total "
        "variation looks at its pixels alone. The three add up to one number, the loss. A dashed "
        "arrow, the gradient, leads from that number back to the pixels: each changes a little, "
        "and all begins again."
    )
    photo, style, painted, pixels, back = 98, 216, 378, 424, 510  # heights of the rows
    return diagram(
        566,
        title,
        desc,
        band(16, 16, 530, 274),
        words(32, 42, "**once, at the beginning**", "start", SOFT),
        picture(36, photo - 40, 120, 80, CUP, PHOTO),
        words(36, photo + 60, "**photograph**", "start", PHOTO),
        picture(36, style - 40, 120, 80, "stained_glass.jpg", STYLE),
        words(36, style + 60, "**style**", "start", STYLE),
        words(36, 316, "**picture being painted**", "start", PAINTED),
        picture(36, 326, 168, 112, PAINTED_CUP, PAINTED),
        *through_the_network({PHOTO: photo, STYLE: style, PAINTED: painted}, 160),
        words(474, photo + 60, "**features**", color=PHOTO),
        words(474, style + 60, "**features**", color=STYLE),
        words(474, painted - 42, "**features**", color=PAINTED),
        *comparisons(512, 590, 636, (photo, style, painted)),
        arrow((208, pixels), (636, pixels), color=PAINTED),
        words(400, pixels + 22, "its pixels themselves", color=PAINTED, size=16),
        loss(640, photo + 12, PHOTO, "content loss", "the same things\nin the same places?"),
        loss(640, style + 12, STYLE, "style loss", "the same colors\nand strokes?"),
        loss(640, pixels - 12, TV, "total variation", "do neighboring\npixels agree?"),
        # the sum, and the way back
        arrow((816, photo + 12), (916, photo + 12), (916, 180), color=PHOTO),
        arrow((816, style + 12), (856, style + 12), color=STYLE),
        arrow((816, pixels - 12), (890, pixels - 12), (890, 280), color=TV),
        box(860, 184, 112, 92, INK, INK),
        words(916, 213, "**the loss**", color="white", size=18),
        words(916, 238, "all added up:\none number", color="white", size=16),
        arrow((944, 278), (944, back), (120, back), (120, 442), back=True, width=3),
        words(
            532, back - 12, "**gradient:** which way must each pixel go to make the number smaller?"
        ),
        words(
            532,
            back + 26,
            "Each moves a little that way, and the loop begins again: "
            f"{DEFAULTS.steps} times by default.",
        ),
    )


def through_the_network(rows, start):
    """Send pictures through one network, `{color: height}`, to their features."""
    parts = [network(238, 58, 132, 342)]
    for seed, (color, y) in enumerate(rows.items()):
        begin = 208 if color == PAINTED else start
        parts += [arrow((begin, y), (236, y), color=color), arrow((372, y), (436, y), color=color)]
        parts.append(maps(442, y - 31, color, seed=seed))
    parts.append(words(304, 286, "**one network:**\nit only looks,\nnever changes", size=16))
    return parts


def comparisons(start, turn, end, rows):
    """Lead features to the losses: the painted picture's to both, which it reaches by a turn."""
    photo, style, painted = rows
    return [
        arrow((start, photo), (end, photo), color=PHOTO),
        arrow((start, style), (end, style), color=STYLE),
        arrow(*bend((start, painted), turn, (end, photo + 24)), color=PAINTED, halo=True),
        *branch(turn, style + 24, end, PAINTED),
    ]


def loss(x, y, color, name, question):
    """Draw a loss around the height y, with what it asks."""
    return "\n".join([
        box(x, y - 40, 174, 80, color),
        words(x + 87, y - 16, f"**{name}**", color=color, size=17),
        words(x + 87, y + 6, question, size=16),
    ])  # fmt: skip


def vgg19():
    title = "VGG19: sixteen convolutions in five blocks"
    desc = (
        "Five blocks of 2, 2, 4, 4 and 4 convolutions, each followed by 2×2 pooling, which halves "
        "the side of the maps: 224, 112, 56, 28, 14 and at last 7 pixels, while the channels grow: "
        "64, 128, 256, 512, 512. Beside each convolution stands the side of its receptive field, "
        f"from {FIELDS['block1_conv1']} pixels at block1_conv1 to {FIELDS['block5_conv4']} at "
        "block5_conv4. Three dense layers, which make the name's 19, are gray: style transfer "
        f"does without them. Marked are the layers compared by default: {CONTENT_LAYERS[0]} for "
        f"the content, {', '.join(STYLE_LAYERS)} for the style."
    )
    parts = [block(number, 22 + STEP * (number - 1)) for number in range(1, 6)]
    return diagram(
        602, title, desc, *parts, dense(22 + 5 * STEP), *sight(24, 416), *legend(480, 432)
    )


def receptive_fields():
    """Return `{layer: side in pixels}`, by lesson 02's two rules."""
    fields, r, j = {}, 1, 1
    for number, (convolutions, _) in BLOCKS.items():
        for n in range(1, convolutions + 1):
            r += (3 - 1) * j
            fields[f"block{number}_conv{n}"] = r
        r, j = r + (2 - 1) * j, 2 * j  # the pooling
    return fields


STEP = 166  # pixels from one block to the next
BLOCKS = {1: (2, 64), 2: (2, 128), 3: (4, 256), 4: (4, 512), 5: (4, 512)}  # layers, channels
FIELDS = receptive_fields()
CONTENT_LAYERS, STYLE_LAYERS = DEFAULTS.content_layers, DEFAULTS.style_layers


def block(number, x, middle=110):
    """Draw a block as a slab, as high and deep as its maps and as wide as it has channels."""
    convolutions, channels = BLOCKS[number]
    side = 224 >> number - 1
    ink = SOFT if number < 5 else GONE
    right = x + 6 + channels / 8 + 0.15 * side + 10
    names = [f"block{number}_conv{n}" for n in range(1, convolutions + 1)]
    return "\n".join([
        slab(x + 6, middle, 0.46 * side, channels / 8),
        arrow((right, middle), (x + STEP - 2, middle), color=ink, width=2),
        words((right + x + STEP) / 2, middle - 10, f"block{number}_pool", color=ink, size=15),
        words(x + 4, 208, f"**{side} × {side}**", "start", size=19),
        words(x + 4, 232, f"{channels} channels", "start"),
        *(layer(x, 248 + 36 * n, name) for n, name in enumerate(names)),
    ])  # fmt: skip


def slab(x, middle, side, depth):
    """Draw a box whose front stands upright; its floor runs back to the upper right."""
    slant, top = 0.33 * side, middle - 0.5 * side + 0.165 * side
    faces = {
        "#d9d5ca": [(0, 0), (depth, 0), (depth, side), (0, side)],
        "#efece4": [(0, 0), (slant, -slant), (depth + slant, -slant), (depth, 0)],
        "#bdb8aa": [
            (depth, 0), (depth + slant, -slant), (depth + slant, side - slant), (depth, side),
        ],
    }  # fmt: skip
    return "".join(
        f'<polygon points="{" ".join(f"{x + u:.1f},{top + v:.1f}" for u, v in corners)}" '
        f'fill="{fill}" stroke="{INK}" stroke-width="1.5" stroke-linejoin="round"/>'
        for fill, corners in faces.items()
    )


def layer(x, y, name):
    """Draw one convolution: its name, and the side of what one unit sees."""
    color = PHOTO if name in CONTENT_LAYERS else STYLE if name in STYLE_LAYERS else None
    ink = "white" if color else INK
    return "\n".join([
        box(x, y, 156, 30, color or "#b9b4a7", color or "white", rx=6, stroke=1.5),
        mark(x + 14, y + 15, color, "white"),
        words(x + (28 if color else 10), y + 20.5, name, "start", ink, 15),
        words(x + 149, y + 20.5, f"**{FIELDS[name]}**", "end", ink, 15),
    ])  # fmt: skip


def mark(x, y, color, fill):
    """Mark a content layer by a diamond and a style layer by a disc, for those who see no color."""
    if color == PHOTO:
        return f'<path d="M{x - 6},{y} l6,-6 l6,6 l-6,6 z" fill="{fill}"/>'
    return f'<circle cx="{x}" cy="{y}" r="5" fill="{fill}"/>' if color else ""


def dense(x):
    names = {"fc1": 4096, "fc2": 4096, "predictions": 1000}
    parts = [words(x, 208, "**7 × 7**", "start", GONE, 19)]
    parts.append(words(x, 232, "512 channels", "start", GONE))
    for n, (name, units) in enumerate(names.items()):
        y = 248 + 36 * n
        parts.append(box(x, y, 126, 30, "#d6d2c8", "none", rx=6, stroke=1.5))
        parts.append(words(x + 8, y + 20.5, name, "start", GONE, 15))
        parts.append(words(x + 119, y + 20.5, f"{units}", "end", GONE, 15))
    parts.append(words(x + 63, 376, "three dense layers,\nnot used here", color=GONE, size=15))
    return "\n".join([slab(x, 110, 3.2, 64), *parts])


GONE = "#77736a"  # of what is there and not used


def sight(x, y):
    """Show what one unit sees of a picture, for the first layer of each block."""
    scale, middle = 0.72, y + 81
    parts = [picture(x, y, 162, 162, (CAT, (35, 0, 335, 300)), INK)]
    for n in range(1, 6):
        name = f"block{n}_conv1"
        half, line = scale * FIELDS[name] / 2, y + 14 + 33 * (5 - n)
        edge, top = x + 81 + half, middle - half
        size = f'width="{2 * half:.1f}" height="{2 * half:.1f}"'
        frame = f'x="{edge - 2 * half:.1f}" y="{top:.1f}" {size} fill="none"'
        parts.append(f'<rect {frame} stroke="black" stroke-width="3.5"/>')
        parts.append(f'<rect {frame} stroke="white" stroke-width="1.8"/>')
        end = min(max(line, top), middle + half)
        path = f"M{edge:.1f},{end:.1f} L{x + 178},{line} h14"
        parts.append(f'<path d="{path}" fill="none" stroke="{PAPER}" stroke-width="3.5"/>')
        parts.append(f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="1.5"/>')
        parts.append(
            words(x + 198, line + 5.5, f"**{FIELDS[name]}** pixels: {name}", "start", size=15)
        )
    return parts


def legend(x, y):
    lines = [
        "the content loss compares this layer by default",
        "the style loss compares these layers by default",
        "pixels: the side of the square that one unit sees;",
    ]
    parts = [words(x + 44, y + 5 + 32 * n, text, "start") for n, text in enumerate(lines)]
    for n, color in enumerate((PHOTO, STYLE)):
        parts.append(box(x, y + 32 * n - 13, 32, 25, color, color, rx=5))
        parts.append(mark(x + 16, y + 32 * n, color, "white"))
    return [
        *parts,
        words(x + 16, y + 69, "**24**"),
        words(x + 44, y + 91, "block5_conv4 sees 252, more than the whole picture", "start"),
        words(x, y + 125, "Sides are for a picture of 224 × 224; any size will do.", "start"),
        words(x, y + 149, "16 convolutions and 3 dense layers: hence the 19.", "start"),
    ]


def gram():
    F = [[values[k] for values in CHANNELS] for k in range(6)]  # (M, N): 6 positions, 3 channels
    G = gram_matrix(F)
    assert gram_matrix([F[k] for k in (3, 0, 5, 1, 4, 2)]) == G, "place is forgotten"
    title = "From feature maps to a Gram matrix"
    desc = (
        "Three feature maps of 2 rows and 3 columns are read row by row and become the columns of "
        "a table F, with 6 rows, one for each position. F turned on its side times F gives G, 3 by "
        f"3. Its entry for channels 0 and 2 is {G[0][2]}: at each position the two numbers are "
        f"multiplied, and the products are added up over all positions. Channels 1 and 2 never "
        f"answer at the same place, so their entry is {G[1][2]}. The order of the positions makes "
        "no difference: place is forgotten."
    )
    side, left, right, upper, lower = 36, 236, 492, 74, 338
    end, middle = right + 3 * side, lower + side / 2
    parts = [words(36, 38, "**three feature maps**", "start")]
    for n, values in enumerate(CHANNELS):
        parts.append(words(36, 70 + 118 * n, f"channel {n}", "start", SOFT, 16))
        parts.append(table(36, 78 + 118 * n, [values[:3], values[3:]], side))
        parts.append(words(right + (n + 0.5) * side, upper - 8, f"{n}", color=SOFT, size=16))
    for k, row in enumerate(F):
        line = f"{row[0]} · {row[2]} = **{row[0] * row[2]}**"
        parts.append(words(end + 30, upper + (k + 0.5) * side + 6, line, "start"))
    return diagram(
        494,
        title,
        desc,
        *parts,
        words(right + 54, 38, "**table** *F*"),
        words(right - 8, upper - 8, "channel", "end", SOFT, 16),
        arrow((160, 182), (right - 20, 182)),
        words(314, 142, "Read each map row by row:\nit becomes one column of *F*."),
        words(314, 208, "2 × 3 places: *M* = 6 positions\n3 maps: *N* = 3 channels", color=SOFT),
        table(right, upper, F, side),
        table(left, lower, list(zip(*F, strict=True)), side),
        *(words(left - 14, lower + 24 + n * side, f"{n}", color=SOFT, size=16) for n in range(3)),
        table(right, lower, G, side, color=STYLE),
        words(left + 108, lower + 136, "*F*^{T}: the table on its side"),
        words(right + 54, lower + 136, "*G* = *F*^{T}*F*,  *N* × *N*"),
        # one entry
        *one_entry((left, right, end), (upper, lower), side),
        words(end + 74, upper - 8, "0 with 2", color=SOFT, size=16),
        rule(end + 28, 296, 72),
        words(end + 30, 318, f"sum  = **{G[0][2]}**", "start", STYLE),
        arrow((end + 64, 326), (end + 64, middle), (end + 4, middle), color=STYLE),
        brace(end + 118, upper, upper + 6 * side),
        words(end + 142, 140, "**Place is forgotten.**", "start"),
        words(end + 142, 166, "All positions are added up.\nPut the rows of *F* in any\n"
              "order: *G* stays the same.", "start"),
        *(
            words(end + 90, lower + 68 + 26 * n, f"**{number}**", "end", STYLE)
            + words(end + 102, lower + 68 + 26 * n, meaning, "start")
            for n, (number, meaning) in enumerate([
                (G[0][2], "channels 0 and 2 answer together"),
                (G[1][2], "channels 1 and 2 never meet"),
                (G[0][0], "channel 0 with itself: its energy"),
            ])
        ),
    )  # fmt: skip


def one_entry(columns, rows, side):
    """Frame one number of G, and the two columns of F that it comes from."""
    (left, right, end), (upper, lower) = columns, rows
    middle = lower + side / 2
    return [
        *(frame(right + v * side, upper, 1, 6, side) for v in (0, 2)),
        frame(left, lower, 6, 1, side),
        frame(end - side, lower, 1, 1, side),
        arrow((left + 6 * side + 3, middle), (right - 2, middle), color=STYLE),
        arrow((end - side / 2, lower - 45), (end - side / 2, lower - 2), color=STYLE),
    ]


def rule(x, y, width):
    return f'<path d="M{x},{y} h{width}" stroke="{INK}" stroke-width="1.5"/>'


def brace(x, top, bottom):
    """Draw a curly brace that opens to the left."""
    middle = (top + bottom) / 2
    return (
        f'<path d="M{x},{top} q9,0 9,12 V{middle - 10} q0,10 9,10 q-9,0 -9,10 V{bottom - 12} '
        f'q0,12 -9,12" fill="none" stroke="{SOFT}" stroke-width="2"/>'
    )


CHANNELS = (  # maps of 2 × 3, read row by row
    (1, 2, 0, 0, 3, 0),
    (2, 0, 1, 1, 0, 0),
    (0, 2, 0, 0, 1, 1),
)


def gram_matrix(F):
    """Equation 3, by three loops: a sum over all positions for each pair of channels."""
    N = range(len(F[0]))
    return [[sum(row[i] * row[j] for row in F) for j in N] for i in N]


def table(x, y, rows, side, color=INK):
    """Draw a table of numbers: the larger, the darker."""
    most, parts = max(map(max, rows)), []
    for u, row in enumerate(rows):
        for v, number in enumerate(row):
            left, top = x + v * side, y + u * side
            parts.append(box(left, top, side, side, "#a9a498", "white", rx=0, stroke=1))
            parts.append(
                f'<rect x="{left}" y="{top}" width="{side}" height="{side}" fill="{color}" '
                f'opacity="{0.4 * number / most:.2f}"/>'
            )
            parts.append(words(left + side / 2, top + side / 2 + 6, f"{number}", size=17))
    return "\n".join(parts)


def frame(x, y, columns, rows, side):
    """Frame cells of a table."""
    return box(x, y, columns * side, rows * side, STYLE, "none", rx=2, stroke=3.5)


def total():
    title = "Three losses, one total, one gradient"
    desc = (
        "The photograph p is compared with the picture x at block3_conv3: the content loss, times "
        "alpha, content_weight. The Gram matrices of the style picture a are compared with those "
        "of x at four layers: the style loss, times beta, style_weight. Total variation looks at "
        "the pixels of x alone, times gamma, tv_weight. Their sum is the total. A dashed arrow, "
        "its gradient with respect to x, leads back to the pixels; the optimizer turns it "
        "into a step, x becomes x minus that step, and all begins again."
    )
    photo, style, painted, pixels, back = 92, 230, 384, 430, 534
    return diagram(
        592,
        title,
        desc,
        picture(32, photo - 40, 108, 80, CAT, PHOTO),
        words(32, photo + 60, "**photograph** *p*", "start", PHOTO),
        picture(32, style - 40, 108, 80, "swirls.jpg", STYLE),
        words(32, style + 60, "**style** *a*", "start", STYLE),
        words(32, 326, "**picture** *x*", "start", PAINTED),
        picture(32, 336, 140, 104, PAINTED_CAT, PAINTED),
        # through the layers that are compared
        box(204, 36, 144, 372, INK),
        words(276, 320, "**extractor**\nthe same for all"),
        *(chip(212, photo - 15 + 30 * n, PHOTO, name) for n, name in enumerate(CONTENT_LAYERS)),
        *(chip(212, style - 59 + 30 * n, STYLE, name) for n, name in enumerate(STYLE_LAYERS)),
        arrow((144, photo), (202, photo), color=PHOTO),
        arrow((144, style), (202, style), color=STYLE),
        arrow((176, painted), (202, painted), color=PAINTED),
        # the losses
        *comparisons(350, 424, 466, (photo, style, painted)),
        arrow((176, pixels), (466, pixels), color=PAINTED),
        words(380, photo - 10, "*P*", color=PHOTO, size=19),
        words(380, style - 10, "*A*", color=STYLE, size=19),
        words(380, painted - 10, "*F*", color=PAINTED, size=19),
        words(326, pixels + 22, "pixels, no network", color=PAINTED, size=16),
        term(470, photo, PHOTO, "*L*_{content}", "*F* against *P*,\nplace by place"),
        term(470, style, STYLE, "*L*_{style}", "Gram matrices,\nlayer by layer"),
        term(470, pixels, TV, "*TV*", "neighboring\npixels"),
        # the weights and the sum
        *weigh(photo, PHOTO, "α", "content_weight"),
        *weigh(style, STYLE, "β", "style_weight"),
        *weigh(pixels, TV, "γ", "tv_weight"),
        arrow((692, photo), (921, photo), (921, 180), color=PHOTO),
        arrow((692, style), (862, style), color=STYLE),
        arrow((692, pixels), (896, pixels), (896, 276), color=TV),
        box(866, 184, 110, 88, INK, INK),
        words(921, 222, "*L*_{total}", color="white", size=24),
        words(921, 250, "the sum", color="white"),
        words(800, 46, "*L*_{total} = *α L*_{content} + *β L*_{style} + *γ TV*", size=20),
        # the way back
        arrow((946, 274), (946, back), (302, back), back=True, width=3),
        words(
            620,
            back - 12,
            "**gradient** ∂*L*_{total}/∂*x*: at each pixel, the three pulls added up",
        ),
        words(620, back + 26, f"And again: {DEFAULTS.steps} steps by default."),
        *step(32, back),
    )


def step(x, y):
    """What the optimizer makes of the gradient, on its way up to the picture."""
    return [
        box(x, y - 36, 266, 72, PAINTED),
        words(x + 133, y - 8, "*x* ← *x* − step", color=PAINTED, size=21),
        words(x + 133, y + 20, "how far: the optimizer’s choice", size=16),
        arrow((x + 70, y - 38), (x + 70, 446), color=PAINTED),
    ]


def chip(x, y, color, name):
    return "\n".join([
        box(x, y, 128, 27, color, color, rx=6, stroke=0),
        mark(x + 13, y + 13.5, color, "white"),
        words(x + 26, y + 19, name, "start", "white", 15),
    ])  # fmt: skip


def term(x, y, color, name, meaning):
    """Draw one of the three losses around the height y, as a letter and in words."""
    return "\n".join([
        box(x, y - 46, 136, 92, color),
        words(x + 68, y - 18, name, color=color, size=22),
        words(x + 68, y + 10, meaning, size=16),
    ])  # fmt: skip


def weigh(y, color, letter, name):
    """Multiply a loss by its weight, on its way to the sum."""
    return [
        arrow((608, y), (640, y), color=color),
        f'<circle cx="666" cy="{y}" r="23" fill="{PAPER}" stroke="{color}" stroke-width="2.5"/>',
        words(666, y + 7, f"× *{letter}*", color=color, size=20),
        words(666, y + 44, f"{name}\n= {getattr(DEFAULTS, name):g}", color=color, size=16),
    ]


def fast():
    title = "A network that paints at once"
    desc = (
        "Above, the network: a photograph goes through a 9×9 convolution of stride 2 and a 3×3 one "
        "of stride 2, six residual blocks at a quarter of the side, two enlargements with a 3×3 "
        "convolution each, and a 5×5 convolution, and comes out painted. Each is followed by a "
        "normalization, which takes gamma and beta of the chosen style. Below, its training: the "
        "painted photograph, the photograph itself and the style go through the frozen extractor "
        "to the loss of lesson 07. Its gradient, dashed, moves the network's weights theta, not "
        "the pixels."
    )
    return diagram(636, title, desc, *painting(), *training())


CONVOLUTIONS = (  # x, share of the side, channels, what it is
    (176, 1 / 2, 32, "9×9\nstride 2"),
    (256, 1 / 4, 64, "3×3\nstride 2"),
    (346, 1 / 4, 64, ""),
    (424, 1 / 4, 64, "six residual blocks:\nadd to what came in"),
    (502, 1 / 4, 64, ""),
    (606, 1 / 2, 32, "enlarge ×2,\n3×3"),
    (712, 1, 16, "enlarge ×2,\n3×3"),
    (796, 1, 3, "5×5"),
)


def painting(middle=152, rail=262):
    """Draw the network: slabs as high as their maps and as wide as they have channels."""
    parts = [
        band(16, 16, 968, 300),
        picture(30, middle - 36, 108, 72, CAT, PHOTO),
        words(30, middle + 58, "**photograph**", "start", PHOTO),
        picture(862, middle - 36, 108, 72, PAINTED_BY_NETWORK[0], PAINTED),
        words(970, middle + 58, "**painted**", "end", PAINTED),
        *style_table(30, rail - 9),
        words(30, 44, "**painting:**\none pass", "start"),
    ]
    ends = [142]
    for x, share, channels, name in CONVOLUTIONS:
        side, depth = 112 * share, 0.62 * channels + 2
        parts += [
            arrow((ends[-1] + 4, middle), (x - 3, middle), width=2),
            slab(x, middle, side, depth),
            words(x + depth / 2 + 0.165 * side, 44, name, size=16) if name else "",
            arrow(
                (x + depth / 2, rail),
                (x + depth / 2, middle + 0.665 * side + 4),
                color=STYLE,
                width=2,
            ),
        ]
        ends.append(x + depth + 0.33 * side)
    parts += [skip(x, middle) for x in (346, 424, 502)]
    last = CONVOLUTIONS[-1][0] + 2
    parts.append(arrow((ends[-1] + 4, middle), (858, middle), width=2))
    parts.append(f'<path d="M152,{rail} H{last}" stroke="{STYLE}" stroke-width="2"/>')
    return [
        *parts,
        words(158, rail + 38, "one row per style", "start", SOFT, 16),
        words(
            586, rail + 38, "*γ*_{s} and *β*_{s} of the chosen style *s* enter every normalization"
        ),
    ]


def skip(x, middle):
    """Lead what came in around a residual block, to what it adds."""
    start, end, top = x - 9, x + 58, middle - 46
    return arrow(
        (start, middle), (start, top), (end, top), (end, middle - 2), color=SOFT, width=1.5
    )


def style_table(x, y):
    """Draw the table with a row of γ and β for each style; one row is chosen."""
    rows = "".join(
        box(x + 24 * v, y - 18 + 18 * u, 24, 18, "#a9a498", STYLE if u == 1 else "white", 0, 1)
        for u, v in itertools.product(range(4), range(5))
    )
    return rows, f'<path d="M{x + 120},{y + 9} h20" stroke="{STYLE}" stroke-width="2"/>'


def training():
    """Draw the loop that trains it: the loss of lesson 07, whose gradient moves θ."""
    photo, style, painted, back = 384, 436, 508, 606  # heights of the rows
    stack = [(2, "rocket.jpg"), (1, "astronaut.png"), (0, CUP)]
    return [
        words(30, 362, "**training:** over and over, each time with other photographs", "start"),
        *(picture(30 + 9 * n, painted - 34 - 9 * n, 96, 64, name, PHOTO) for n, name in stack),
        words(30, painted + 54, "**photographs** *p*", "start", PHOTO),
        # through the network that learns
        arrow((148, painted), (190, painted), color=PHOTO),
        box(194, painted - 46, 128, 92, PAINTED, rx=8, stroke=3),
        words(258, painted - 14, "**network** *f*_{θ}", color=PAINTED, size=18),
        words(258, painted + 18, "*θ* ← *θ* − step", color=PAINTED, size=19),
        arrow((324, painted), (354, painted), color=PAINTED),
        picture(358, painted - 36, 108, 72, PAINTED_BY_NETWORK[1], PAINTED),
        words(412, painted + 58, "*f*_{θ}(*p*)", color=PAINTED, size=18),
        # through the one that only looks
        arrow((96, painted - 56), (96, photo), (522, photo), color=PHOTO),
        picture(410, style - 22, 56, 44, "swirls.jpg", STYLE),
        words(400, style + 6, "**style** *a*", "end", STYLE),
        arrow((470, style), (522, style), color=STYLE),
        arrow((470, painted), (522, painted), color=PAINTED),
        box(526, 350, 124, 180, INK),
        words(588, 434, "**extractor**\nonly looks,\nnever changes"),
        *(
            arrow((652, y), (690, y), color=color)
            for color, y in ((PHOTO, photo), (STYLE, style), (PAINTED, painted))
        ),
        box(694, 350, 136, 206, INK, PAPER),
        words(762, 376, "**loss of lesson 07**", size=15),
        *(
            box(704, 388 + 55 * n, 116, 46, color) + words(762, 417 + 55 * n, name, color=color)
            for n, (color, name) in enumerate(
                [(PHOTO, "**content**"), (STYLE, "**style**"), (TV, "**tv**")]
            )
        ),
        arrow((470, painted + 28), (690, painted + 28), color=PAINTED),
        # back to θ
        arrow((832, 453), (866, 453)),
        box(870, 407, 104, 92, INK, INK),
        words(922, 440, "*L*", color="white", size=24),
        words(922, 466, "mean over\nphotographs", color="white", size=16),
        arrow((922, 501), (922, back), (258, back), (258, painted + 52), back=True, width=3),
        words(
            590, back - 12, "**gradient by** *θ*: it moves the network’s weights, not the pixels"
        ),
    ]


# `fast.apply(fast.load_network(), …, "swirls")`, of the cat and of the cup, side by side
PAINTED_BY_NETWORK = [(HERE / "fast_swirls.jpg", (240 * n, 0, 240 * n + 240, 159)) for n in (0, 1)]


if __name__ == "__main__":
    main()
