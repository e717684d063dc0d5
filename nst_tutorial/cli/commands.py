"""The command line, nst-tutorial: stylize, train, apply, export, rerun, study, download, doctor.

Nothing heavy is imported until a command runs, so that --help answers at once. A user's mistake
is one sentence on stderr and exit status 2.
"""

import argparse
import collections
import contextlib
import dataclasses
import functools
import gc
import itertools
import os
import platform
import signal
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from nst_tutorial import __version__
from nst_tutorial.cli import fast as fast_commands
from nst_tutorial.cli import terminal
from nst_tutorial.cli.folders import outputs_for, report
from nst_tutorial.cli.options import add_options, given
from nst_tutorial.cli.saving import save
from nst_tutorial.cli.terminal import bar, say, tell
from nst_tutorial.runtime.errors import NSTError, NSTWarning
from nst_tutorial.runtime.files import check_output, make_folder, shown
from nst_tutorial.runtime.interrupts import RequestedError, hold_interrupts, obey_requests

if TYPE_CHECKING:
    from nst_tutorial.config import TransferConfig


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        its exit status: 0 done; 1 stopped early, or unlike what was asked; 2 the user's mistake;
        128 and a signal's number where that ended it.
    """
    terminal.reserve_descriptors()
    with terminal.steady_streams(), obey_requests() as requests:
        try:
            arguments = sys.argv[1:] if arguments is None else arguments
            options = make_parser(arguments).parse_args(arguments)
            return _obey(requests, options)
        except (NSTError, ModuleNotFoundError) as error:
            say(error)
            return 2
        except KeyboardInterrupt as error:
            [number] = error.args or [signal.SIGINT]
            error.__traceback__ = error.__context__ = None
            gc.collect()  # a training's iterator waits for a thread of Python: at exit none runs
            return 128 + number
        except Exception as error:
            say(_write_report(error))
            return 1


def _obey(requests, options):
    """Run the command; an error after a request to end is what TensorFlow has made of that."""
    try:
        return options.command(options)
    except Exception:
        if requests:
            raise RequestedError(requests[0]) from None
        raise


def _write_report(error):
    """Write an error that nobody expected to a file, and say where it is."""
    kind, told = type(error).__name__, traceback.format_exc()
    with contextlib.suppress(OSError):
        with tempfile.NamedTemporaryFile(
            "w", prefix="nst-tutorial-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(told)
        return f"something went wrong ({kind}: {error}); please report it, with {file.name}."
    return f"something went wrong ({kind}: {error}); please report it."


def stylize(options: argparse.Namespace) -> int:
    """Paint one picture, or one for each style; a picture that is interrupted is the last one."""
    from nst_tutorial.conventions.known import CONVENTIONS
    from nst_tutorial.extractors import load_extractor

    config, regions = settings_from(options), _regions(options)
    is_folder = os.path.isdir(options.content)
    if not is_folder:
        _check_outputs(options, config, options.content, options.output)
    layers = config.content_layers + config.style_layers
    convention = CONVENTIONS[options.recipe or "relative"]
    pooling, border = options.pooling or convention.pooling, options.border or convention.border
    extractor = load_extractor(options.extractor, layers, pooling=pooling, border=border)
    paint = functools.partial(_paint, options, config, extractor, regions)
    if is_folder:
        return _paint_folder(options, config, paint)
    return _paint_all(paint, options.content, _jobs(options, options.output))


def _paint_all(paint, content, jobs):
    """Paint one picture after another, up to the first that is stopped; return its status."""
    for output, styles in jobs:
        if status := paint(content, output, styles):
            return status
    return 0


def _paint_folder(options, config, paint):
    """Paint one picture of a folder after another; one that cannot be read stops no other."""
    from nst_tutorial.runtime.decoding import size_of

    for file in (*options.style, *itertools.chain(*_regions(options))):
        size_of(file)  # one that is no picture is said once, not for each photograph
    pairs, done, broken = outputs_for(options.content, options.output), 0, []
    _demand_different(path for _, output in pairs for path, _ in _jobs(options, output))
    for content, output in pairs:
        jobs = [job for job in _jobs(options, output) if not _is_done(options, config, *job)]
        try:
            _check_outputs(options, config, content, output)
            if status := _paint_all(paint, content, jobs):
                return status
            done += 1
        except NSTError as error:
            named = content.name in str(error)
            broken.append(f"{error}" if named else f"{content.name}: {error}")
    tell(f"{done} of {len(pairs)} pictures painted, in {options.output}")
    return report(broken)


def _demand_different(outputs):
    """Refuse to write two pictures to one file."""
    twice = [path for path, count in collections.Counter(outputs).items() if count > 1]
    if twice:
        raise NSTError(f"two pictures would be saved as {shown(twice[0])}; rename one of them.")


def _is_done(options, config, output, styles):
    """Whether an earlier run, which is to go on, has painted that picture to its end."""
    from nst_tutorial.runs.provenance import config_of, name_of, read

    if not (options.resume and output.exists()):
        return False
    try:
        origin = read(output)
    except NSTError:  # no PNG, or half a picture that --save-every left
        return False
    names = [*styles, *(style for _, style, *_ in _regions(options))]
    same = config_of(origin) == config and [one["name"] for one in origin["styles"]] == list(
        map(name_of, names)
    )
    return same and "stopped" not in origin


def _check_outputs(options, config, content, output):
    """Find out whether the pictures, and checkpoints beside them, can be written."""
    from nst_tutorial.runtime.decoding import size_of
    from nst_tutorial.runtime.encoding import check_picture

    longest = min(config.size, max(size_of(content)))
    inputs = [content, *options.style, *itertools.chain(*_regions(options)), options.extractor]
    for path, _ in _jobs(options, output):
        check_picture(path, inputs, longest)
        check_output(_checkpoint_of(path), inputs)


def _checkpoint_of(output):
    return Path(f"{output}.checkpoint")


def rerun(options: argparse.Namespace) -> int:
    """Make a picture again from what its PNG says, and compare the files."""
    from nst_tutorial.runs.provenance import read
    from nst_tutorial.runtime import machine
    from nst_tutorial.runtime.encoding import check_picture

    picture = options.picture
    origin = read(picture)
    output = options.output or picture.with_stem(f"{picture.stem}-again")
    check_picture(output, [picture, *_inputs_of_rerun(options, origin)])
    if "machine" in origin:  # the last bits depend on the number of threads
        machine.use_threads(origin["machine"]["threads"])
    from nst_tutorial import rerun  # here, so that TensorFlow hears of it

    inputs = (options.content, options.style, options.start, options.extractor)
    with hold_interrupts(holding=False) as interrupts:
        with bar(output.name) as show:
            result = rerun(picture, *inputs, show)
        status = _save(result, output, interrupts)
    return status or _compare(picture, output, origin, result)


def _inputs_of_rerun(options, origin):
    from nst_tutorial.runs.provenance import inputs_of

    found = inputs_of(origin, options.picture, options.content, options.style, options.start)
    extractor = options.extractor or origin["extractor"]["name"]
    masks = found["masks"], found["style_masks"]
    return [found["content"], *found["styles"], found["start"], *itertools.chain(*masks), extractor]


def _compare(picture, output, origin, result):
    """Tell whether two pictures are the same file, or what may be the reason why not."""
    from nst_tutorial.runs.provenance import circumstances

    if picture.read_bytes() == output.read_bytes():
        tell(f"{picture} and {output} are the same, byte for byte.")
        return 0
    reasons = circumstances(origin, result.origin)
    if "stopped" in origin:
        reasons.append(f"the first one was stopped: {origin['stopped']}")
    tell(f"{picture} and {output} differ" + (f": {'; '.join(reasons)}." if reasons else "."))
    return 1


def study(options: argparse.Namespace) -> int:
    """Paint a study's cells, here or on a cluster, and draw them on one sheet."""
    from nst_tutorial import Study

    one = Study.read(options.study)
    output = options.output or make_folder(one.folder) / "sheet.png"
    one.check_sheet(output)
    try:
        one.run(options.scheduler, options.threads).save_sheet(output)
    except KeyboardInterrupt:
        say(f"{one.progress()} are finished and kept; the same command goes on with the others.")
        raise
    tell(f"{one.progress()} are finished; {output} shows them.")
    for key, sentence in one.failures.items():
        say(f"cell {key}: {sentence}")
    return 1 if one.failures else 0


def download(options: argparse.Namespace) -> int:
    """Fetch VGG19's weights now, so that later runs need no network."""
    from nst_tutorial.runtime.download import download_vgg19

    tell(f"{download_vgg19()} is here.")
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Say what is here: versions, threads, precision, extractors, free memory."""
    from nst_tutorial.runs.provenance import version_of
    from nst_tutorial.runtime import machine, memory, processor
    from nst_tutorial.runtime.backend import keras
    from nst_tutorial.runtime.download import state_of_network, state_of_vgg19, vgg19_file
    from nst_tutorial.runtime.precision import choose_precision
    from nst_tutorial.runtime.weights import POCKET_FILE

    print(f"nst_tutorial  {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for package in ("tensorflow", "keras", "numpy", "pillow", "jupyterlab"):
        print(f"{package:<13} {version_of(package) or '-'}")
    free, all_of_it = memory.available_memory() / 2**30, memory.memory_limit() / 2**30
    print(f"backend       {keras.backend.backend()}")
    print(f"threads       {machine.cpu_limit()} allowed, of {os.cpu_count()} processors")
    print(f"processor     {processor.model()}, {processor.instructions()}")
    print("precision     {} ({})".format(*choose_precision()))
    print(f"memory        {free:.1f} of {all_of_it:.1f} GiB free, as far as this process may go")
    print(f"pocket        {'here' if POCKET_FILE.exists() else 'not here'} ({POCKET_FILE})")
    print(f"vgg19         {state_of_vgg19()} ({vgg19_file()})")
    print(f"network       {state_of_network()} (the one place that anything is fetched from)")
    return 0


def _regions(options):
    """The regions that were given, each as `stylize` takes it."""
    regions = [tuple(region) for region in options.region or ()]
    for region in regions:
        if len(region) not in (2, 3):
            raise NSTError(f"--region takes MASK STYLE [STYLE_MASK], not {' '.join(region)}.")
    if not (options.style or regions):
        raise NSTError("no style was given; name a STYLE, or a --region with one.")
    return regions


def _jobs(options, output):
    """Pair each output of a photograph with its styles: `[(path, [style, …])]`."""
    if not options.one_picture_per_style:
        return [(output, options.style)]
    if not options.style:
        raise NSTError("--one-picture-per-style needs a STYLE that has no region.")
    names = {style: Path(style).stem for style in options.style}
    if len(set(names.values())) < len(options.style):
        raise NSTError("two styles have the same name; their pictures would overwrite each other.")
    return [(output.with_stem(f"{output.stem}-{names[style]}"), [style]) for style in options.style]


def _paint(options, config, extractor, regions, content, output, styles):
    from nst_tutorial.runs.checkpoints import Checkpoint
    from nst_tutorial.runs.run import stylize

    checkpoint = Checkpoint(_checkpoint_of(output), options.checkpoint_every, options.resume)
    if options.resume and not checkpoint.path.exists():
        say(f"there is no {checkpoint.path}; starting from the beginning.")
    if checkpoint.moment:
        extractor = extractor.cast(checkpoint.moment.origin["extractor"]["precision"])
    with hold_interrupts(holding=False) as interrupts:
        with bar(output.name) as show:
            look = _onlooker(options, config, output, show)
            result = stylize(
                content, styles, extractor, config, look, checkpoint=checkpoint, regions=regions
            )
        status = _save(result, output, interrupts)
        if result.stopped is None:
            checkpoint.remove()
        elif checkpoint.path.exists():
            tell("Go on by the same command and --resume.")
    return status


def _onlooker(options, config, output, show):
    """Make a callback that shows each step, and prints and saves what was asked for."""
    from nst_tutorial.conventions.known import CONVENTIONS
    from nst_tutorial.images import save_image
    from nst_tutorial.runs.run import as_saved

    prints = options.recipe and CONVENTIONS[options.recipe].prints

    def look(step):
        show(step)
        if prints and step.step % prints == 0:
            _print_terms(step, config)
        if options.save_every and step.step % options.save_every == 0:
            try:
                save_image(output, as_saved(step.image, config))
            except NSTError as error:
                warnings.warn(str(error), NSTWarning, stacklevel=1)

    return look


def _print_terms(step, config):
    """Print weighted terms, as the recipes' authors do."""
    from tqdm import tqdm

    from nst_tutorial.config import weighted

    terms = weighted(step.row(), config).items()
    words = f"step {step.step}: " + ", ".join(f"{name} {loss:.4g}" for name, loss in terms)
    tqdm.write(words, file=sys.stdout)


def _save(result, output, interrupts):
    """Save a result, elsewhere if its own place refuses; return the exit status."""
    interrupts.clear()  # what stopped the run shall not be what stops the saving
    save(result.save, output, "picture.png")
    tell(f"{output} saved" + (f"; it was stopped: {result.stopped}." if result.stopped else "."))
    return 1 if result.stopped else 0


def settings_from(options: argparse.Namespace) -> "TransferConfig":
    """Take from the command line what was given; the rest is the recipe's, or the defaults."""
    from nst_tutorial.conventions.convert import recipe

    if not options.checkpoint_every >= 0:
        raise NSTError(f"checkpoint-every is {options.checkpoint_every}; it must be 0 or more.")
    if options.save_every is not None and options.save_every < 1:
        raise NSTError(f"save-every is {options.save_every}; it must be at least 1.")
    if options.blend and options.one_picture_per_style:
        raise NSTError("--blend needs one picture of all styles; leave out one of the two options.")
    config = recipe(options.recipe or "relative")
    return dataclasses.replace(config, **given(options, type(config)))


def make_parser(arguments: list[str]) -> argparse.ArgumentParser:
    """Make the parser, with the options of the command that the arguments name."""
    parser = argparse.ArgumentParser(prog="nst-tutorial", description="Neural style transfer.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (fill, help) in COMMANDS.items():
        command = commands.add_parser(name, help=help)
        if name in arguments[:1]:
            fill(command)
    return parser


def _add_stylize(parser):
    """Fill in the parser of `stylize`; settings and their defaults are those of TransferConfig."""
    from nst_tutorial.config import TransferConfig

    parser.set_defaults(command=stylize)
    add = parser.add_argument
    add("content", metavar="CONTENT", help="the photograph, or a folder of them")
    add("style", metavar="STYLE", nargs="*", help="the picture whose style it gets; several blend")
    add(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT.png",
        help="where to save it; a folder for a folder",
    )
    add(
        "--region",
        nargs="+",
        action="append",
        metavar="FILE",
        help="MASK STYLE [STYLE_MASK]: where the mask is white the photograph gets this style, or "
        "what of it the second mask shows; give it once for each region. STYLE is then for the "
        "rest; without it, the rest is kept",
    )
    add("--recipe", help="a known implementation's settings: keras_io, tensorflow_tutorial, …")
    add("--one-picture-per-style", action="store_true", help="save OUT-STYLE.png for each style")
    add_options(parser, TransferConfig)
    add("--extractor", help="pocket, vgg19, random, random-vgg19, or a file of weights (pocket)")
    add("--pooling", help="average or max (what the weights were trained with)")
    add(
        "--border",
        help="reflect, zero, or wrap for a picture that tiles without a seam (reflect; "
        "a recipe's own)",
    )
    _add_checkpoints(add)


def _add_checkpoints(add):
    add(
        "--checkpoint-every",
        type=float,
        default=10,
        metavar="S",
        help="seconds between two checkpoints, 0: after each step (10)",
    )
    add(
        "--resume",
        action="store_true",
        help="go on from OUT.png.checkpoint, if it is there; in a folder, finished PNGs are kept",
    )
    add("--save-every", type=int, metavar="N", help="save the picture so far every N steps")


def _add_rerun(parser):
    parser.set_defaults(command=rerun)
    add = parser.add_argument
    add("picture", type=Path, metavar="PICTURE.png", help="a picture that stylize saved")
    add("-o", "--output", type=Path, metavar="OUT.png", help="(PICTURE-again.png)")
    add("--content", metavar="FILE", help="where the content picture is now")
    add("--style", metavar="FILE", nargs="+", help="where the style pictures are now")
    add("--start", metavar="FILE", help="where the starting picture is now")
    add("--extractor", metavar="FILE", help="where the extractor's weights are now")


def _add_study(parser):
    parser.set_defaults(command=study)
    add = parser.add_argument
    add("study", type=Path, metavar="STUDY.toml", help="pictures, settings and what is varied")
    add("-o", "--output", type=Path, metavar="SHEET.png", help="(sheet.png among the cells)")
    add(
        "--scheduler",
        metavar="tcp://HOST:PORT",
        help="address of a Dask scheduler (paint in this process)",
    )
    add(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="threads of each worker of the cluster (1)",
    )


def _add_doctor(parser):
    parser.set_defaults(command=doctor)


def _add_download(parser):
    parser.set_defaults(command=download)
    parser.add_argument("what", choices=["vgg19"])


COMMANDS = {
    "stylize": (_add_stylize, "paint a photograph in a picture's style"),
    "train": (fast_commands.add_train, "train a network that paints at once"),
    "apply": (fast_commands.add_apply, "paint by such a network"),
    "export": (fast_commands.add_export, "write such a network as ONNX, for browsers and others"),
    "rerun": (_add_rerun, "make a picture again from its own PNG"),
    "study": (_add_study, "paint a grid of settings as one picture"),
    "doctor": (_add_doctor, "show versions, precision, memory and available weights"),
    "download": (_add_download, "fetch VGG19's weights (80 MB) now"),
}
