"""What a file says is believed only if it can be: else it is one sentence."""

import contextlib
import copy
import dataclasses
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst_tutorial import Checkpoint, NSTError, TransferConfig, save_image
from nst_tutorial.fast import StyleNetwork, load_network, save_network
from nst_tutorial.fast.archive import CONFIG as NETWORK_SAYS
from nst_tutorial.fast.callbacks import ORIGIN as TRAINING
from nst_tutorial.runs.provenance import ORIGIN, config_of, read
from nst_tutorial.runtime.documents import parse
from nst_tutorial.runtime.errors import NSTWarning
from nst_tutorial.scales import coarse_to_fine
from nst_tutorial.study.cells import losses_of

HASH = "0" * 64
CONFIG = TransferConfig(size=128, steps=6, scales=1, optimizer="adam")
STAGES = coarse_to_fine((1, 128, 128, 3), CONFIG.scales, CONFIG.steps, CONFIG.learning_rate)
ORIGIN_SAID = {
    "config": json.loads(json.dumps(dataclasses.asdict(CONFIG))),
    "content": {"name": "photo.png", "sha256": HASH},
    "styles": [{"name": None, "sha256": HASH}],
    "start": None,
    "extractor": {
        "name": "pocket", "pooling": "average", "border": "reflect", "precision": "float32",
        "sha256": HASH,
    },
    "versions": {"python": "3.12.1"},
    "machine": {"threads": 2, "instructions": "AVX2", "tile": None},
    "regions": [{"mask": {"name": "mask.png", "sha256": HASH}, "style_mask": None}],
    "schedule": [[2, {"style_weight": 50.0}], [3, "half"], [4, "stop"]],
    "stopped": "interrupted, after step 5",
}  # fmt: skip
ROW = {
    "size": 64, "step": 1, "content": 0.5, "style": {"block1_conv1": 1.0}, "tv": 0.1, "total": 2.0,
    "seconds": 0.5,
}  # fmt: skip
MOMENT_SAID = {"origin": ORIGIN_SAID, "stage": 0, "done": 2, "history": [ROW, ROW]}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def places(document, so_far=()):
    """List the paths to all that a document holds."""
    yield so_far
    inside = document.items() if isinstance(document, dict) else ()
    inside = enumerate(document) if isinstance(document, list) else inside
    for key, value in inside:
        yield from places(value, (*so_far, key))


def changed(document, path, value):
    """Return a document with another value in one place, or without that place."""
    if not path:
        return value
    document = copy.deepcopy(document)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return document


def mutants(document):
    return st.builds(
        changed, st.just(document), st.sampled_from([*places(document)]),
        json_values | st.just(0) | st.just(-1) | st.just(10**10),
    )  # fmt: skip


def write_checkpoint(path, said):
    np.savez(path, words=np.array(json.dumps(said)), picture=np.zeros((1, 4, 4, 3), "float32"))
    return Checkpoint(path, resume=True)


counts = pytest.mark.parametrize("count", [100, pytest.param(5000, marks=pytest.mark.long)])


def try_mutants(count, document, holds):
    """Try so many mutants of a document; each may be refused in a sentence."""
    accepted = []

    @settings(max_examples=count, deadline=None)
    @given(said=mutants(document))
    def once(said):
        with contextlib.suppress(NSTError):
            holds(said)
            accepted.append(said)

    once()
    print(f"{count} mutants, {len(accepted)} accepted, the others a sentence, 0 failures")


@counts
def test_settings_in_a_png_are_a_config_or_a_sentence(tmp_path, count):
    def holds(said):
        save_image(tmp_path / "p.png", np.zeros((4, 4, 3)), {"nst_tutorial": json.dumps(said)})
        config = config_of(read(tmp_path / "p.png"))
        assert dataclasses.replace(config) == config

    try_mutants(count, ORIGIN_SAID, holds)


@counts
def test_a_checkpoint_is_a_moment_of_the_run_or_a_sentence(tmp_path, count):
    def holds(said):
        checkpoint = write_checkpoint(tmp_path / "c.npz", said)
        with contextlib.suppress(NSTWarning):  # versions or machine differ
            moment = checkpoint.load(ORIGIN_SAID, STAGES)
            assert (moment.stage, moment.done, len(moment.history)) == (0, 2, 2)

    try_mutants(count, MOMENT_SAID, holds)


@counts
def test_a_network_is_built_as_its_file_says_or_not_at_all(tmp_path, count):
    network = StyleNetwork(["one", "two"], width=4, blocks=1)
    save_network(network, tmp_path / "whole.keras")
    with zipfile.ZipFile(tmp_path / "whole.keras") as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    document = json.loads(members[NETWORK_SAYS])

    def holds(said):
        with zipfile.ZipFile(tmp_path / "mutant.keras", "w") as mutant:
            for name, content in {**members, NETWORK_SAYS: json.dumps(said)}.items():
                mutant.writestr(name, content)
        loaded = load_network(tmp_path / "mutant.keras", "float32")
        assert len(loaded.styles) == 2
        assert [w.shape for w in loaded.weights] == [w.shape for w in network.weights]

    try_mutants(count, document, holds)


@counts
def test_a_training_is_known_by_three_hashes_or_is_a_sentence(count):
    def holds(said):
        origin = parse(json.dumps(said), TRAINING, "document")
        assert all(isinstance(style, str) for style in origin["styles"])
        assert [len(bytes.fromhex(hash)) for hash in origin["sha256"]] == [32] * 3
        assert isinstance(origin["settings"], dict)

    training = {"styles": ["one"], "sha256": [HASH] * 3, "settings": {"steps": 2}}
    try_mutants(count, training, holds)


@counts
def test_a_cell_has_losses_that_are_numbers_or_is_painted_again(tmp_path, count):
    save_image(tmp_path / "cell.png", np.zeros((4, 4, 3)))

    def holds(said):
        (tmp_path / "cell.json").write_text(json.dumps(said))
        losses = losses_of(tmp_path, "cell")
        assert losses is None or np.isfinite(np.array([*losses.values()], "float64")).all()

    losses = {"total": 1.0, "content": 0.5, "style block1_conv1": 0.25, "tv": 0.1}
    try_mutants(count, losses, holds)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"stage": 5}, "numbers of steps cannot be"),
        ({"stage": -1}, "used: stage must be bigger than or equal to 0"),
        ({"done": 999}, "numbers of steps cannot be"),
        ({"done": -5}, "used: done must be bigger than or equal to 0"),
        ({"done": 1}, "numbers of steps cannot be"),
        ({"history": []}, "numbers of steps cannot be"),
        ({"more": 1}, "it must not contain {'more'} properties"),
    ],
)
def test_a_checkpoint_that_cannot_be(tmp_path, change, words):
    checkpoint = write_checkpoint(tmp_path / "c.npz", MOMENT_SAID | change)
    with pytest.raises(NSTError, match=words):
        checkpoint.load(ORIGIN_SAID, STAGES)


def test_a_checkpoint_that_unpacks_to_more_than_it_is(tmp_path):
    np.savez_compressed(tmp_path / "c.npz", picture=np.zeros((1, 500, 500, 3), "float32"))
    with pytest.raises(NSTError, match="it is compressed"):
        Checkpoint(tmp_path / "c.npz", resume=True).load(ORIGIN_SAID, STAGES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("NaN", "NaN is no number"),
        ("9" * 5000, "no JSON"),
        ("{}", "it must contain \\['config', "),
        (json.dumps(["x" * 10_000]), "it must be object"),
    ],
)
def test_documents_that_are_none(text, words):
    with pytest.raises(NSTError, match=words) as error:
        parse(text, ORIGIN, "a\x1b.png")
    assert len(str(error.value)) < 1200
    assert str(error.value).isprintable()


def test_a_setting_of_another_version_is_named():
    said = ORIGIN_SAID | {"config": {**ORIGIN_SAID["config"], "swirl": 1}}
    with pytest.raises(NSTError, match="another version of this package: it does not know 'swirl'"):
        config_of(said)
