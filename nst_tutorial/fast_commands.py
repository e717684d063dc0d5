"""The command line of fast styles: nst-tutorial train | apply.

Nothing heavy is imported until a command runs.
"""

import sys
from pathlib import Path

from nst_tutorial.errors import NSTError
from nst_tutorial.terminal import bar


def train(options):
    """Train a network; the same command goes on after a kill or Ctrl-C."""
    from nst_tutorial import fast

    config, styles = _config(options), _named(options.style)
    checkpoint = fast.check_network(options.output).with_suffix(".weights.h5")
    if checkpoint.exists():
        print(f"going on from {checkpoint}")
    how = {"extractor": options.extractor, "config": config, "checkpoint": checkpoint}
    try:
        with bar(options.output.name) as show:
            if options.add_to:
                network, broken = _add(options.add_to, styles, options.images, show, how)
            else:
                network, broken = fast.train(styles, options.images, callback=show, **how)
    except KeyboardInterrupt:
        if checkpoint.exists():
            print("Go on by the same command.")
        raise
    fast.save_network(network, options.output)
    checkpoint.unlink(missing_ok=True)
    print(f"{options.output} saved; its styles are {', '.join(network.styles)}.")
    return _report(broken.values())


def _add(path, styles, images, show, how):
    """Teach a network one style more, by its γ and β alone."""
    from nst_tutorial import fast

    if len(styles) != 1:
        raise NSTError(f"one style can be added at a time; {len(styles)} were given.")
    ((name, picture),) = styles.items()
    grown = fast.add_style(fast.load_network(path), name)
    return fast.learn_style(grown, name, picture, images, callback=show, **how)


def apply(options):
    """Paint a picture, or each picture of a folder, in a blend or in every style."""
    from nst_tutorial import fast

    network = fast.load_network(options.network)
    blends = _blends(options.style, network.styles)
    for blend in blends.values():
        network.weights_of(blend)
    if options.source.is_dir():
        sources = fast.pictures_in(options.source, "*")
        options.output.mkdir(parents=True, exist_ok=True)
        outputs = [options.output / source.name for source in sources]
    else:
        sources, outputs = [options.source], [options.output]
    broken = _paint_all(network, blends, sources, outputs, options.size)
    print(f"{len(sources) - len(broken)} of {len(sources)} pictures painted: {options.output}")
    if broken and not options.source.is_dir():
        raise NSTError(broken[0])
    return _report(broken)


def _paint_all(network, blends, sources, outputs, size):
    """Paint one after another; return a sentence for each that could not be."""
    from tqdm import tqdm

    broken = []
    for source, output in tqdm([*zip(sources, outputs, strict=True)], unit="picture", delay=1e-6):
        try:
            _paint(network, blends, source, output, size)
        except NSTError as error:
            broken.append(str(error))
    return broken


def _paint(network, blends, source, output, size):
    from nst_tutorial import fast
    from nst_tutorial.images import check_picture, load_image, save_image

    named = {_output(output, name, blends): blend for name, blend in blends.items()}
    for path in named:
        check_picture(path, [source])
    image = load_image(source, size)
    for path, blend in named.items():
        save_image(path, fast.apply(network, image, blend))


def _output(output, name, blends):
    return output if len(blends) == 1 else output.with_stem(f"{output.stem}-{name}")


def _blends(given, known):
    """Read `a=0.3 b=0.7`, or names alone; with none, each style in turn: `{name: blend}`."""
    if not given:
        return {name: {name: 1.0} for name in known}
    blend = {}
    for word in given:
        name, _, weight = word.partition("=")
        try:
            blend[name] = float(weight or 1)
        except ValueError:
            raise NSTError(f"{word} is no style; write NAME or NAME=WEIGHT.") from None
    return {"+".join(blend): blend}


def _named(paths):
    """Name styles as their files are named."""
    styles = {Path(path).stem: path for path in paths}
    if len(styles) < len(paths):
        raise NSTError("two styles have the same name; rename one of the files.")
    return styles


def _config(options):
    """Take from the command line what was given; the rest are the defaults."""
    import dataclasses

    from nst_tutorial.fast import TrainConfig

    fields = [field.name for field in dataclasses.fields(TrainConfig)]
    given = {name: getattr(options, name, None) for name in fields}
    one = {"content_weight", "style_weight", "style_size"}  # one number, or one a style
    return TrainConfig(**{
        name: value[0] if name in one and len(value) == 1 else value
        for name, value in given.items()
        if value is not None
    })  # fmt: skip


def _report(sentences):
    """Say at the end what could not be read; return the exit status."""
    for sentence in sentences:
        print(f"nst-tutorial: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


def add_train(parser):
    """Defaults stand in TrainConfig alone: an option that is not given stays None here."""
    parser.set_defaults(command=train)
    add = parser.add_argument
    add("style", metavar="STYLE", nargs="+", help="a style picture; its file's name names it")
    add("--images", type=Path, required=True, metavar="FOLDER", help="of photographs, any size")
    add("-o", "--output", type=Path, required=True, metavar="NET.keras")
    add("--add-to", metavar="NET.keras", help="add one style to this network; others stay as is")
    add("--steps", type=int, help="(2500)")
    add("--batch-size", type=int, help="photographs in a step (4)")
    add("--size", type=int, help="of the square crops, in pixels (128)")
    add("--coarse", type=float, help="share of the steps on crops of half the size (0.8)")
    add("--ramp", type=float, help="share of the steps in which style grows to its weight (0.3)")
    add("--style-size", type=int, nargs="+", metavar="PX", help="longest side of the styles, or "
        "one a style: more is bolder (256)")  # fmt: skip
    add("--width", type=int, help="channels; twice as many take three times the time (16)")
    add("--blocks", type=int, help="residual blocks (4)")
    add("--learning-rate", type=float, help="of Muon, falls to 0 (0.004)")
    add("--content-weight", type=float, nargs="+", metavar="W", help="one, or one a style (20)")
    add("--style-weight", type=float, nargs="+", metavar="W", help="one, or one a style (100)")
    add("--tv-weight", type=float, help="of total variation: more is smoother (200)")
    add("--tv-exponent", type=float, help="above 1 ramps are cheaper than edges (2.5)")
    add("--content-layers", nargs="+", metavar="LAYER", help="(block3_conv3)")
    add("--style-layers", nargs="+", metavar="LAYER", help="(block1_conv2 … block4_conv3)")
    add("--layer-weights", nargs="+", type=float, metavar="W", help="one a style layer (equal)")
    add("--extractor", help="pocket, vgg19, random, random-vgg19, or a file of weights (pocket)")
    add("--precision", help="float32 or bfloat16: what the network computes in (float32)")
    add("--save-every", type=float, metavar="S", help="seconds between two checkpoints (30)")
    add("--seed", type=int, help="(0)")


def add_apply(parser):
    parser.set_defaults(command=apply)
    add = parser.add_argument
    add("network", metavar="NET.keras", help="what train made, or the word shipped")
    add("source", type=Path, metavar="IMAGE|FOLDER", help="a picture, or a folder of them")
    add("--style", nargs="+", metavar="NAME[=WEIGHT]", help="one, or a blend (each, one by one)")
    add("-o", "--output", type=Path, required=True, metavar="OUT", help="a picture or a folder")
    add("--size", type=int, help="longest side of the result in pixels (the picture's own)")
