"""Several steps in one call: the same steps, and no step that is no number."""

import dataclasses

import numpy as np
import pytest

from nst_tutorial import Checkpoint, StyleTransfer, TransferConfig, descent, stylize
from nst_tutorial.descent import DivergedError

CONFIG = TransferConfig(size=64, steps=9, scales=1, margin=0, optimizer="adam")


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Let several steps fit into a call on the slowest machine."""
    monkeypatch.setattr(descent, "SECONDS", 1000.0)


def one(photograph, painting, extractor, **settings):
    config = dataclasses.replace(CONFIG, **settings)
    return StyleTransfer(photograph, [painting], extractor, config, photograph)


@pytest.mark.parametrize("optimizer", ["adam", "nadam", "nadam_keras2", "sgd"])
def test_together_they_are_the_same_steps(photograph, painting, extractor, optimizer):
    single, many = (one(photograph, painting, extractor, optimizer=optimizer) for _ in range(2))
    heard, ahead = ([], []), []
    single.run(20, heard[0].append)

    def note(terms):
        heard[1].append(terms)
        ahead.append(many.ahead)

    many.run(20, note, together=True)
    assert heard[0] == heard[1]
    np.testing.assert_array_equal(single.image, many.image)
    assert ahead == [0, *range(descent.TOGETHER - 1, -1, -1), 2, 1, 0]


def test_a_picture_of_the_same_size_shares_the_graph_and_nothing_else(
    photograph, painting, extractor
):
    first, second = (one(photograph, painting, extractor) for _ in range(2))
    for _ in range(4):
        first.step(learning_rate=CONFIG.learning_rate)
        second.step(learning_rate=100.0)
    alone = one(photograph, painting, extractor, decay=1.0)
    alone.run(4, together=True)
    np.testing.assert_array_equal(first.image, alone.image)


def test_the_steps_after_a_lost_one_are_not_taken(photograph, painting, extractor):
    transfer, heard = one(photograph, painting, extractor, clip=False), []
    transfer.run(1)
    many = transfer._descent.take([8.0, 8.0, 1e38, 8.0, 8.0], transfer.config)
    with pytest.raises(DivergedError, match="lower learning_rate"):
        heard.extend(many)
    assert np.isfinite(transfer.image).all()
    assert len(heard) in (2, 3)  # the step itself overflows, or the losses after it
    np.testing.assert_array_equal(transfer.image, before_it(photograph, painting, extractor, heard))


def before_it(photograph, painting, extractor, heard):
    transfer = one(photograph, painting, extractor, clip=False, decay=1.0)
    transfer.run(1)
    list(transfer._descent.take([8.0, 8.0, 1e38][: len(heard)], transfer.config))
    return transfer.image


def test_ctrl_c_and_checkpoints_wait_for_the_last_of_a_call(
    photograph, painting, extractor, tmp_path
):
    saved = []

    class Watched(Checkpoint):
        def due(self):
            return True

        def save(self, moment):
            saved.append(moment.done)
            super().save(moment)

    path = tmp_path / "moment.npz"
    whole = stylize(photograph, painting, extractor, CONFIG)
    stylize(photograph, painting, extractor, CONFIG, checkpoint=Watched(path))
    assert saved == [1, 9]
    np.testing.assert_array_equal(np.load(path)["picture"], whole.image)


def test_tiles_take_their_steps_one_by_one(photograph, painting, extractor):
    config = dataclasses.replace(CONFIG, content_layers="block2_conv1", style_layers="block1_conv1")
    tiled = StyleTransfer(photograph, [painting], extractor, config, photograph, tile=32)
    heard = []
    tiled.run(3, lambda terms: heard.append(tiled.ahead), together=True)
    assert heard == [0, 0, 0]
