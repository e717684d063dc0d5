"""The command line of fast styles: nst-tutorial train | apply | export.

Nothing heavy is imported until a command runs.
"""

import argparse
import functools
import os
import sys
from pathlib import Path

from nst_tutorial.cli.folders import outputs_for, report
from nst_tutorial.cli.options import add_options, given
from nst_tutorial.cli.saving import save
from nst_tutorial.cli.terminal import bar, tell
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import check_output
from nst_tutorial.runtime.interrupts import hold_interrupts


def train(options: argparse.Namespace) -> int:
    """Train a network; the same command goes on after a kill or Ctrl-C."""
    from nst_tutorial import fast

    config = fast.TrainConfig(**given(options, fast.TrainConfig))
    styles, checkpoint = _named(options.style), _check_outputs(options)
    if checkpoint.exists():
        tell(f"going on from {checkpoint}")
    how = {"extractor": options.extractor, "config": config, "checkpoint": checkpoint}
    try:
        with bar(options.output.name) as show:
            network, broken = _learn(options, styles, {**how, "callback": show})
    except KeyboardInterrupt:
        if checkpoint.exists():
            tell("Go on by the same command.")
        raise
    save(lambda path: fast.save_network(network, path), options.output, "network.keras")
    checkpoint.unlink(missing_ok=True)
    tell(f"{options.output} saved; its styles are {', '.join(network.styles)}.")
    return report(broken.values())


def _check_outputs(options):
    """Find out whether network and checkpoint can be written; return the checkpoint's path."""
    from nst_tutorial.fast import check_network

    inputs = [*options.style, options.add_to, options.extractor]
    check_network(options.output, inputs)
    return check_output(f"{options.output}.checkpoint", inputs)


def _learn(options, styles, how):
    """Train a new network, or teach one a further style by its γ and β alone."""
    from nst_tutorial import fast

    if not options.add_to:
        return fast.train(styles, options.images, **how)
    if len(styles) != 1:
        raise NSTError(f"one style can be added at a time; {len(styles)} were given.")
    ((name, picture),) = styles.items()
    grown = fast.add_style(fast.load_network(options.add_to), name)
    return fast.learn_style(grown, name, picture, options.images, **how)


def apply(options: argparse.Namespace) -> int:
    """Paint a picture, or each picture of a folder, in a blend or in every style."""
    from nst_tutorial import fast

    network = fast.load_network(options.network)
    blends = read_blends(options.style, network.styles)
    for blend in blends.values():
        network.weights_of(blend)
    if os.path.isdir(options.source):
        return _paint_folder(network, blends, options)
    source, outputs = _job(options.source, options.output, blends, options.network)
    _paint(network, source, outputs, options)
    tell(f"painted: {', '.join(map(str, outputs))}")
    return 0


def export(options: argparse.Namespace) -> int:
    """Write a network as an ONNX file."""
    from nst_tutorial import fast

    fast.check_export(options.output, [options.network])
    network = fast.load_network(options.network, "float32")
    save(lambda path: fast.export_network(network, path), options.output, "network.onnx")
    tell(f"{options.output} saved; its styles are {', '.join(network.styles)}.")
    return 0


def _paint_folder(network, blends, options):
    """Paint one picture after another; Ctrl-C ends it after the one at work."""
    from tqdm import tqdm

    pairs = outputs_for(options.source, options.output)
    jobs, done, broken = [_job(*pair, blends, options.network) for pair in pairs], 0, []
    with hold_interrupts() as interrupts:
        for source, outputs in tqdm(jobs, unit="picture", delay=1e-6, file=sys.stderr):
            try:
                _paint(network, source, outputs, options)
                done += 1
            except NSTError as error:
                broken.append(str(error))
            if interrupts:
                break
    each = f", each in {len(blends)} styles" if len(blends) > 1 else ""
    tell(f"{done} of {len(jobs)} pictures painted{each}, in {options.output}")
    status = report(broken)
    if interrupts:
        raise KeyboardInterrupt(interrupts[0])
    return status


def _job(source, output, blends, network):
    """Pair a picture with what is to be painted of it, `{path: blend}`, once each can be saved."""
    from nst_tutorial.runtime.encoding import check_picture

    alone = len(blends) == 1 or not output.name  # which is refused below
    outputs = {
        output if alone else output.with_stem(f"{output.stem}-{name}"): blend
        for name, blend in blends.items()
    }
    for path in outputs:
        check_picture(path, [source, network])
    return source, outputs


def _paint(network, source, outputs, options):
    from nst_tutorial import fast
    from nst_tutorial.images import load_image, save_image
    from nst_tutorial.runtime.encoding import check_picture

    image = load_image(source, options.size)
    for path, blend in outputs.items():
        check_picture(path, [source, options.network], max(image.shape))
        painted = fast.apply(network, image, blend)
        save(functools.partial(save_image, image=painted), path, "picture.png")


def read_blends(given: list[str], known: list[str]) -> dict[str, dict[str, float]]:
    """Read `a=0.3 b=0.7`, or names alone; `all`, or nothing, is each in turn: `{name: blend}`."""
    if not given or (given == ["all"] and "all" not in known):
        return {name: {name: 1.0} for name in known}
    blend = {}
    for word in given:
        named = word in known or "=" not in word
        name, _, weight = (word, "", "") if named else word.rpartition("=")
        if name in blend:
            raise NSTError(f"style {name!r} is given twice; give it once, with its whole weight.")
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


def add_train(parser: argparse.ArgumentParser) -> None:
    """Fill in the parser of `train`; settings and their defaults are those of `TrainConfig`."""
    from nst_tutorial.fast.config import TrainConfig

    parser.set_defaults(command=train)
    add = parser.add_argument
    add("style", metavar="STYLE", nargs="+", help="a style picture; its file's name names it")
    add(
        "--images",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder of photographs of any size",
    )
    add("-o", "--output", type=Path, required=True, metavar="NET.keras", help="the network")
    add("--add-to", metavar="NET.keras", help="add one style to this network; others stay as is")
    add("--extractor", help="pocket, vgg19, random, random-vgg19, or a file of weights (pocket)")
    add_options(parser, TrainConfig)


def add_apply(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=apply)
    add = parser.add_argument
    add("network", metavar="NET.keras", help="what train made, or the word shipped")
    add("source", type=Path, metavar="IMAGE|FOLDER", help="a picture, or a folder of them")
    add("--style", nargs="+", metavar="NAME[=WEIGHT]", help="one, a blend, or all in turn (all)")
    add("-o", "--output", type=Path, required=True, metavar="OUT", help="a picture or a folder")
    add("--size", type=int, help="longest side of the result in pixels (the picture's own)")


def add_export(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=export)
    add = parser.add_argument
    add("network", metavar="NET.keras", help="what train made, or the word shipped")
    add("-o", "--output", type=Path, required=True, metavar="NET.onnx", help="the ONNX file")
