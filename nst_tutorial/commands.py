"""The command line: nst-tutorial stylize | train | apply | rerun | study | download | lab |
doctor.

Nothing heavy is imported until a command runs, so that --help answers at once. A user's mistake
is one sentence on stderr and exit status 2.
"""

import argparse
import contextlib
import importlib.util
import os
import platform
import signal
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

from nst_tutorial import __version__, fast_commands, terminal
from nst_tutorial.errors import NSTError, NSTWarning
from nst_tutorial.files import check_output, make_folder
from nst_tutorial.interrupts import noted, obeyed
from nst_tutorial.terminal import bar, say, tell

# Settings of Jupyter's, by their last names, that can let others in.
OPENING = {"ip", "token", "password", "hashed_password", "password_required", "allow_origin"}
OPENING |= {"allow_origin_pat", "allow_remote_access", "disable_check_xsrf", "sock", "sock_mode"}
OPENING |= {"allow_unauthenticated_access", "identity_provider_class", "authorizer_class"}


def main(arguments=None):
    """Run one command.

    Returns:
        its exit status: 0 done; 1 stopped early, or unlike what was asked; 2 the user's mistake;
        128 and a signal's number where that ended it.
    """
    terminal.reserve_descriptors()
    with terminal.steady(), obeyed():
        try:
            options = _parser().parse_args(arguments)
            return options.command(options)
        except (NSTError, ModuleNotFoundError) as error:
            say(error)
            return 2
        except KeyboardInterrupt as error:
            [number] = error.args or [signal.SIGINT]
            return 128 + number
        except Exception as error:
            say(_write_report(error))
            return 1


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


def stylize(options):
    """Paint one picture, or one for each style; a picture that is interrupted is the last one."""
    from nst_tutorial.extractors import load_extractor
    from nst_tutorial.implementations import CONVENTIONS

    config = _config(options)
    jobs = _jobs(options)
    _check_outputs(options, config, [output for output, _ in jobs])
    layers = config.content_layers + config.style_layers
    convention = CONVENTIONS[options.recipe or "relative"]
    pooling, border = options.pooling or convention.pooling, options.border or convention.border
    extractor = load_extractor(options.extractor, layers, pooling=pooling, border=border)
    if extractor.name == "pocket" and not convention.rescaled:
        say(
            f"the weights of {options.recipe} are for VGG19's features; pocket's are a hundred "
            "times smaller, so that the style hardly counts: take --extractor vgg19."
        )
    for output, styles in jobs:
        if status := _paint(options, config, extractor, output, styles):
            return status
    return 0


def _check_outputs(options, config, outputs):
    """Find out whether the pictures, and checkpoints beside them, can be written."""
    from nst_tutorial.decoding import size_of
    from nst_tutorial.encoding import check_picture

    longest = min(config.size, max(size_of(options.content)))
    inputs = [options.content, *options.style, options.extractor]
    for output in outputs:
        check_picture(output, inputs, longest)
        check_output(_checkpoint_of(output), inputs)


def _checkpoint_of(output):
    return Path(f"{output}.checkpoint")


def rerun(options):
    """Make a picture again from what its PNG says, and compare the files."""
    from nst_tutorial import machine
    from nst_tutorial.encoding import check_picture
    from nst_tutorial.provenance import read

    picture = options.picture
    origin = read(picture)
    output = options.output or picture.with_stem(f"{picture.stem}-again")
    check_picture(output, [picture, *_inputs_of_rerun(options, origin)])
    if "machine" in origin:  # the last bits depend on the number of threads
        machine.use_threads(origin["machine"]["threads"])
    from nst_tutorial import rerun  # here, so that TensorFlow hears of it

    inputs = (options.content, options.style, options.start, options.extractor)
    with noted(holding=False) as interrupts:
        with bar(output.name) as show:
            result = rerun(picture, *inputs, show)
        status = _save(result, output, interrupts)
    return status or _compare(picture, output, origin, result)


def _inputs_of_rerun(options, origin):
    from nst_tutorial.provenance import inputs_of

    found = inputs_of(origin, options.picture, options.content, options.style, options.start)
    extractor = options.extractor or origin["extractor"]["name"]
    return [found["content"], *found["styles"], found["start"], extractor]


def _compare(picture, output, origin, result):
    """Tell whether two pictures are the same file, or what may be the reason why not."""
    from nst_tutorial.provenance import circumstances

    if picture.read_bytes() == output.read_bytes():
        tell(f"{picture} and {output} are the same, byte for byte.")
        return 0
    reasons = circumstances(origin, result.origin)
    if "stopped" in origin:
        reasons.append(f"the first one was stopped: {origin['stopped']}")
    tell(f"{picture} and {output} differ" + (f": {'; '.join(reasons)}." if reasons else "."))
    return 1


def study(options):
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


def lab(options):
    """Open JupyterLab on the lessons, on the loopback address and with its token.

    What is given after -- is passed on, and holds: where it opens the server to others, a sentence
    says so. So does one where the user is root, which JupyterLab itself would refuse.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise NSTError("JupyterLab is missing; install it with pip install -e '.[lab]'.")
    lessons = Path(__file__).parent.parent / "notebooks"
    if not lessons.is_dir():
        raise NSTError("the lessons are not beside the package; the course is used from a clone.")
    jupyter = [sys.executable, "-m", "jupyterlab", str(lessons)]
    return subprocess.call([*jupyter, *_guarded(options.rest)])


def _guarded(rest):
    """Add to JupyterLab's arguments what keeps others out, and say what does not."""
    given = {argument.split("=")[0].lstrip("-").split(".")[-1] for argument in rest}
    if opening := sorted(given & OPENING):
        say(f"{', '.join(opening)} was given: others may reach this JupyterLab and run code in it.")
    if "ip" not in given:
        rest = ["--ServerApp.ip=127.0.0.1", *rest]
    if getattr(os, "geteuid", lambda: 1)() == 0 and "allow-root" not in given:
        say("you are root, so every cell may change the whole machine; better be another user.")
        rest = ["--allow-root", *rest]
    return rest


def download(options):
    """Fetch VGG19's weights now, so that later runs need no network."""
    from nst_tutorial.download import download_vgg19

    tell(f"{download_vgg19()} is here.")
    return 0


def doctor(options):
    """Say what is here: versions, threads, precision, extractors, free memory."""
    from nst_tutorial import machine
    from nst_tutorial.backend import choose_precision, keras
    from nst_tutorial.download import state_of_network, state_of_vgg19, vgg19_file
    from nst_tutorial.weights import POCKET_FILE

    print(f"nst_tutorial  {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for package in ("tensorflow", "keras", "numpy", "pillow", "jupyterlab"):
        print(f"{package:<13} {_version(package)}")
    free, all_of_it = machine.available_memory() / 2**30, machine.memory_limit() / 2**30
    print(f"backend       {keras.backend.backend()}")
    print(f"threads       {machine.cpu_limit()} allowed, of {os.cpu_count()} processors")
    print(f"processor     {machine.processor_name()}, {machine.instructions()}")
    print("precision     {} ({})".format(*choose_precision()))
    print(f"memory        {free:.1f} of {all_of_it:.1f} GiB free, as far as this process may go")
    print(f"pocket        {'here' if POCKET_FILE.exists() else 'not here'} ({POCKET_FILE})")
    print(f"vgg19         {state_of_vgg19()} ({vgg19_file()})")
    print(f"network       {state_of_network()} (the one place that anything is fetched from)")
    return 0


def _jobs(options):
    """Pair each output with its styles: `[(path, [style, …])]`."""
    if not options.one_picture_per_style:
        return [(options.output, options.style)]
    names = {style: Path(style).stem for style in options.style}
    if len(set(names.values())) < len(options.style):
        raise NSTError("two styles have the same name; their pictures would overwrite each other.")
    output = options.output
    return [(output.with_stem(f"{output.stem}-{names[style]}"), [style]) for style in options.style]


def _paint(options, config, extractor, output, styles):
    from nst_tutorial.checkpoints import Checkpoint
    from nst_tutorial.transfer import stylize

    checkpoint = Checkpoint(_checkpoint_of(output), options.checkpoint_every, options.resume)
    if options.resume and not checkpoint.path.exists():
        say(f"there is no {checkpoint.path}; starting from the beginning.")
    if checkpoint.moment:
        extractor = extractor.cast(checkpoint.moment.origin["extractor"]["precision"])
    with noted(holding=False) as interrupts:
        with bar(output.name) as show:
            look = _onlooker(options, config, output, show)
            result = stylize(
                options.content, styles, extractor, config, look, checkpoint=checkpoint
            )
        status = _save(result, output, interrupts)
        if result.stopped is None:
            checkpoint.remove()
        elif checkpoint.path.exists():
            tell("Go on by the same command and --resume.")
    return status


def _onlooker(options, config, output, show):
    """Make a callback that shows each step, and prints and saves what was asked for."""
    from nst_tutorial.images import save_image
    from nst_tutorial.implementations import CONVENTIONS
    from nst_tutorial.records import as_saved

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

    from nst_tutorial.records import weighted

    terms = weighted(step.row(), config).items()
    words = f"step {step.step}: " + ", ".join(f"{name} {loss:.4g}" for name, loss in terms)
    tqdm.write(words, file=sys.stdout)


def _save(result, output, interrupts):
    """Save a result, elsewhere if its own place refuses; return the exit status."""
    interrupts.clear()  # what stopped the run shall not be what stops the saving
    try:
        result.save(output)
    except NSTError as error:
        place = save_elsewhere(result.save, "picture.png")
        raise NSTError(f"{error} The picture is in {place}.") from None
    tell(f"{output} saved" + (f"; it was stopped: {result.stopped}." if result.stopped else "."))
    return 1 if result.stopped else 0


def save_elsewhere(save, name):
    """Call `save` with a path of that name in a new folder, wherever that succeeds; return it."""
    for folder in (tempfile.gettempdir(), Path.home(), Path.cwd()):
        with contextlib.suppress(NSTError, OSError):
            place = Path(tempfile.mkdtemp(prefix="nst-tutorial-", dir=folder)) / name
            save(place)
            return place
    raise NSTError("there is no folder left that it can be saved in; free some space.")


def _config(options):
    """Take from the command line what was given; the rest is the recipe's, or the defaults."""
    import dataclasses

    from nst_tutorial.conventions import recipe
    from nst_tutorial.records import TransferConfig
    from nst_tutorial.settings import given

    if not options.checkpoint_every >= 0:
        raise NSTError(f"checkpoint-every is {options.checkpoint_every}; it must be 0 or more.")
    if options.save_every is not None and options.save_every < 1:
        raise NSTError(f"save-every is {options.save_every}; it must be at least 1.")
    return dataclasses.replace(
        recipe(options.recipe or "relative"), **given(options, TransferConfig)
    )


def _version(package):
    """The installed version; TensorFlow also goes by the name of tensorflow-cpu."""
    from importlib import metadata  # here: it takes longer than all of --help

    for name in (package, f"{package}-cpu"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return "-"


def _parser():
    parser = argparse.ArgumentParser(prog="nst-tutorial", description="Neural style transfer.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_stylize(commands.add_parser("stylize", help="paint a photograph in a picture's style"))
    fast_commands.add_train(
        commands.add_parser("train", help="train a network that paints at once")
    )
    fast_commands.add_apply(commands.add_parser("apply", help="paint by such a network"))
    _add_rerun(commands.add_parser("rerun", help="make a picture again from its own PNG"))
    _add_study(commands.add_parser("study", help="paint a grid of settings as one picture"))
    doctor_parser = commands.add_parser("doctor", help="say what is installed and how fast")
    doctor_parser.set_defaults(command=doctor)
    download_parser = commands.add_parser("download", help="fetch VGG19's weights (80 MB) now")
    download_parser.add_argument("what", choices=["vgg19"])
    download_parser.set_defaults(command=download)
    lab_parser = commands.add_parser("lab", help="open JupyterLab on the lessons")
    lab_parser.add_argument("rest", nargs="*", help="arguments for JupyterLab, after --")
    lab_parser.set_defaults(command=lab)
    return parser


def _add_stylize(parser):
    """Defaults stand in TransferConfig alone: an option that is not given stays None here."""
    parser.set_defaults(command=stylize)
    add = parser.add_argument
    add("content", metavar="CONTENT", help="the photograph")
    add("style", metavar="STYLE", nargs="+", help="the picture whose style it gets; several blend")
    add("-o", "--output", type=Path, required=True, metavar="OUT.png")
    add("--recipe", help="a known implementation's settings: keras_io, tensorflow_tutorial, …")
    add("--size", type=int, help="longest side of the result in pixels (384)")
    add("--steps", type=int, help="in all; Adam and Nadam need about 250 (60)")
    add("--content-weight", type=float, help="more keeps more of the photograph (20)")
    add("--style-weight", type=float, help="(100)")
    add("--tv-weight", type=float, help="of total variation: more is smoother (200)")
    add("--tv-exponent", type=float, help="above 1 ramps are cheaper than edges (2.5)")
    add("--content-layers", nargs="+", metavar="LAYER", help="(block4_conv2)")
    add("--style-layers", nargs="+", metavar="LAYER", help="(block1_conv1 … block5_conv1)")
    add("--layer-weights", nargs="+", type=float, metavar="W", help="one a style layer (equal)")
    add("--convention", help="units of the losses: relative, paper, keras_io, … (relative)")
    add("--style-size", type=int, help="longest side of the style picture (as the content's)")
    add("--style-resize", help="fit to that, own: not at all, squash: to the content's (fit)")
    many = parser.add_mutually_exclusive_group()
    many.add_argument("--blend", nargs="+", type=float, metavar="W", help="one a style (equal)")
    many.add_argument("--one-picture-per-style", action="store_true", help="OUT-STYLE.png each")
    add("--margin", type=float, help="around the picture while it is painted, of its side (0.04)")
    add("--tile", type=int, help="side of the tiles to compute in (whole, or what memory asks for)")
    add("--scales", type=int, help="sizes to go through, each twice the last (2)")
    add("--optimizer", help="lbfgs, adam, nadam, nadam_keras2 or sgd (lbfgs)")
    add("--learning-rate", type=float, help="in pixel values; L-BFGS has none (8)")
    add("--decay", type=float, help="of the rate, in 100 steps; 1: constant (a tenth in all)")
    add("--init", help="content, style or noise (content)")
    add("--noise-std", type=float, help="of the noise start, in pixel values (64)")
    add("--seed", type=int, help="of the noise (0)")
    add("--extractor", help="pocket, vgg19, random, random-vgg19, or a file of weights (pocket)")
    add("--pooling", help="average or max (what the weights were trained with)")
    add("--border", help="reflect or zero (reflect; a recipe's own)")
    add("--checkpoint-every", type=float, default=10, metavar="S", help="seconds (10)")
    add("--resume", action="store_true", help="go on from OUT.png.checkpoint, if it is there")
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
    add("--scheduler", metavar="tcp://HOST:PORT", help="of a Dask cluster (this process)")
    add("--threads", type=int, default=1, metavar="N", help="of each worker of the cluster (1)")
