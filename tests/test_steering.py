"""Schedules: what may be changed on the way, and that the same way leads to the same picture."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from quick import SHALLOW

from nst_tutorial import NSTError, TransferConfig, rerun, save_image, stylize
from nst_tutorial.runs.checkpoints import Checkpoint
from nst_tutorial.runs.schedule import SCHEDULE, count_steps, layers_of, read_schedule
from nst_tutorial.runs.steering import Steered
from nst_tutorial.runtime.documents import check

CONFIG = TransferConfig(**SHALLOW, size=64, steps=8, scales=1, optimizer="adam")


def painted(photograph, painting, extractor, schedule, **changes):
    config = dataclasses.replace(CONFIG, **changes)
    return stylize(photograph, painting, extractor, config, schedule=schedule)


# What is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "sentence"),
    [
        ("stop", "a schedule is a list"),
        ([3], "must be (step, what), such as (40, 'stop')"),
        ([(3.0, "stop")], "must be (step, what)"),
        ([(True, "stop")], "must be (step, what)"),
        ([(3, "go")], "'go' in the schedule must be settings"),
        ([(3, ["half"])], "must be settings"),
        ([(3, {"size": 99})], "size cannot change on the way; what can is content_weight"),
        ([(3, {"style_weight": -1.0})], "style_weight is -1.0"),
        ([(9, "stop")], "must be from 0 to 8"),
        ([(4, {}), (3, {})], "must be from 4 to 12"),
        ([(4, {"steps": 2}), (7, {})], "must be from 4 to 6"),
        ([(4, "stop"), (4, {})], "ends with its first 'stop'"),
        ([(1, {})] * 10_001, "at most 10000"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(schedule, sentence):
    with pytest.raises(NSTError) as error:
        read_schedule(schedule, CONFIG)
    assert sentence in str(error.value)


def test_a_schedule_steers_one_size_and_keeps_no_checkpoint(
    photograph, painting, extractor, tmp_path
):
    with pytest.raises(NSTError, match="scales=1"):
        painted(photograph, painting, extractor, [(3, "stop")], scales=2)
    with pytest.raises(NSTError, match="keeps no checkpoint"):
        stylize(
            photograph, painting, extractor, CONFIG, schedule=[(3, "stop")],
            checkpoint=Checkpoint(tmp_path / "one.npz"),
        )  # fmt: skip


# What it does -----------------------------------------------------------------------------------


def test_how_long_a_run_is_and_which_layers_it_needs():
    schedule = read_schedule([[3, {"content_layers": ["block1_conv2"]}], [5, {"steps": 4}]], CONFIG)
    assert count_steps(schedule, CONFIG) == 9
    assert count_steps((*schedule, (6, "stop")), CONFIG) == 6
    assert count_steps((), CONFIG) == 8
    assert layers_of(schedule, CONFIG) == ("block2_conv1", "block1_conv2")


def test_a_stop_is_a_shorter_way_on_the_same_road(photograph, painting, extractor):
    seen = []
    stylize(photograph, painting, extractor, CONFIG, lambda step: seen.append(step.image))
    short = painted(photograph, painting, extractor, [(5, "stop")])
    np.testing.assert_array_equal(short.image, seen[4])
    assert len(short.history) == 5
    assert short.stopped is None


def test_a_change_acts_from_its_step_on(photograph, painting, extractor):
    plain = painted(photograph, painting, extractor, [(6, "stop")])
    changed = painted(photograph, painting, extractor, [(4, {"style_weight": 0}), (6, "stop")])
    weights = dataclasses.replace(CONFIG, style_weight=0)
    assert [row["total"] for row in changed.history[:4]] == [
        row["total"] for row in plain.history[:4]
    ]
    row = changed.history[4]
    assert row["total"] == pytest.approx(
        weights.content_weight * row["content"] + weights.tv_weight * row["tv"], rel=1e-4
    )


def test_a_restart_goes_on_from_the_picture_as_a_file_holds_it(
    photograph, painting, extractor, tmp_path
):
    first = painted(photograph, painting, extractor, [(4, "stop")])
    first.save(tmp_path / "first.png")
    second = stylize(photograph, painting, extractor, CONFIG, start=tmp_path / "first.png")
    whole = painted(photograph, painting, extractor, [(4, "restart")])
    np.testing.assert_array_equal(whole.image, second.image)


def test_half_the_size_keeps_the_detail_of_the_whole(photograph, painting, extractor):
    config = dataclasses.replace(CONFIG, steps=1000)
    steered = Steered(photograph, [painting], extractor, config, photograph)
    steered.run(None, 3)
    before = steered.image
    steered.apply("half")
    assert steered.transfer.shape == (1, photograph.shape[1] // 2, photograph.shape[2] // 2, 3)
    np.testing.assert_allclose(steered.image, before, atol=0.5)
    steered.run(None, 3)
    halved = steered.image
    steered.apply("whole")
    np.testing.assert_array_equal(steered.image, halved)
    assert abs(halved - before).mean() > 0.5


WEIGHTS = some.fixed_dictionaries(
    {},
    optional={
        "style_weight": some.sampled_from([0.0, 10.0, 1000.0]),
        "content_layers": some.sampled_from(["block1_conv1", "block2_conv1"]),
        "optimizer": some.sampled_from(["adam", "lbfgs"]),
        "layer_weights": some.sampled_from([None, (1.0, 0.0)]),
    },
)
WHATS = some.lists(
    some.tuples(some.integers(0, 2), WEIGHTS | some.sampled_from(["half", "whole", "restart"])),
    max_size=6,
)


@settings(max_examples=12, deadline=None)
@given(whats=WHATS)
def test_any_way_is_taken_again_from_the_png(whats, steering_place, extractor):
    folder = steering_place
    step, schedule = 0, []
    for more, what in whats:
        step += more
        schedule.append((step, what))
    schedule.append((step + 1, "stop"))
    pictures = folder / "photo.png", folder / "style.png"
    stylize(*pictures, extractor, CONFIG, schedule=schedule).save(folder / "one.png")
    again = rerun(folder / "one.png", *_inputs(folder))
    again.save(folder / "two.png")
    assert (folder / "one.png").read_bytes() == (folder / "two.png").read_bytes()


def _inputs(folder):
    return folder / "photo.png", [folder / "style.png"]


@pytest.fixture(scope="module")
def steering_place(tmp_path_factory, photograph, painting):
    folder = tmp_path_factory.mktemp("steering")
    save_image(folder / "photo.png", photograph)
    save_image(folder / "style.png", painting)
    return folder


# In a PNG ---------------------------------------------------------------------------------------


def test_a_damaged_schedule_is_refused():
    for broken in ([[3]], [[3, "go"]], [["3", {}]], [[-1, {}]], {"3": "stop"}):
        with pytest.raises(NSTError, match="cannot be used"):
            check(broken, SCHEDULE, "a.png")


def test_rerun_says_where_the_way_is_another(photograph, painting, extractor):
    from nst_tutorial.runs.provenance import differences

    one = painted(photograph, painting, extractor, [(1, "stop")]).origin
    other = painted(photograph, painting, extractor, [(1, "restart"), (1, "stop")]).origin
    assert differences(one, other) == ["the settings change in another way while it is painted"]
    assert differences(one, one) == []
