"""The checks against a bank of students' answers, and against mutants of our own functions."""

import functools
import importlib
import time

import numpy as np
import pytest
from answers import FOLDED, PAPERS, RIGHT, WRONG, mutants

from nst_tutorial import checks as check
from nst_tutorial import images, losses, scales
from nst_tutorial.checks import control, features, inputs, network, pictures, steps, student
from nst_tutorial.checks.student import PICKS, Student, Trouble
from nst_tutorial.control import colors

NAMES = [one.exercise.name for one in check.CHECKS]
COUNTS = ("receptive_field", "count_weights")  # they take no pictures
every_exercise = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """No answer here computes for so long, but those that never end."""
    monkeypatch.setattr(student, "LIMIT", 0.4)


def report_on(name, function):
    return getattr(check, name)(function)


def apart(report):
    """Whether it says, of a right answer, that the package keeps pictures apart."""
    assert report.passed, report
    return "keeps the pictures of a batch apart" in report.message


# The bank ---------------------------------------------------------------------------------------


def test_the_bank_is_large_enough():
    assert set(WRONG) == set(RIGHT) == set(PAPERS) == set(NAMES)
    assert sum(map(len, WRONG.values())) >= 120
    assert sum(map(len, RIGHT.values())) >= 40


@every_exercise
def test_wrong_answers_are_rejected_and_nine_in_ten_named(name):
    came = [report_on(name, function) for _, function in WRONG[name]]
    assert not [mistake for (mistake, _), r in zip(WRONG[name], came, strict=True) if r.passed]
    pairs = zip(WRONG[name], came, strict=True)
    missed = [(mistake, r.mistake) for (mistake, _), r in pairs if mistake != r.mistake]
    assert len(missed) <= len(came) / 10, missed


@every_exercise
def test_right_answers_are_accepted(name):
    for function in RIGHT[name]:
        assert not apart(report_on(name, function))


@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_formula_for_one_picture_is_right(name):
    report = report_on(name, PAPERS[name])
    alone = name in ("upsample", "match_colors")  # they know no batches
    any_axes = name in ("to_vgg", *COUNTS)  # its formula takes any axes, or no picture at all
    assert apart(report) == (not any_axes and not alone)
    assert ("It takes a picture as `(H, W, 3)`" in report.message) == alone


@pytest.mark.parametrize("name", FOLDED)
def test_what_would_add_two_pictures_up_is_right_for_one(name):
    for function in FOLDED[name]:
        assert apart(report_on(name, function))


@every_exercise
def test_every_known_mistake_is_recognized_as_itself(name):
    for mistake, _, *every in getattr(check, name).exercise.mistakes:
        for wrong in every:

            def answer(*args, wrong=wrong, **keywords):
                return np.asarray(wrong(*args, *keywords.values()))

            assert report_on(name, answer).mistake == mistake


@every_exercise
def test_every_property_holds_for_ours_and_every_hint_is_a_sentence(name):
    exercise = getattr(check, name).exercise
    for mistake, _, test in exercise.properties:
        came, expected = test(lambda *args, f=exercise.reference: np.asarray(f(*args)))
        np.testing.assert_allclose(came, expected, rtol=1e-4, atol=1e-4, err_msg=mistake)
    assert 3 <= len(exercise.hints) <= 4


# Mutants ----------------------------------------------------------------------------------------

STYLE_LAYER = ("gram_matrix_one_sided", "mean_gram_matrix", "gram_distance", "style_layer_loss")
SOURCES = {  # of each, what it has for itself
    "to_vgg": (images, ("to_vgg", "BGR_MEANS")),
    "from_vgg": (images, ("from_vgg", "BGR_MEANS")),
    "pool": (network, ("pool", "squares")),
    "receptive_field": (network, ("receptive_field",)),
    "count_weights": (network, ("count_weights",)),
    "content_loss": (losses, ("content_loss",)),
    "content_loss_gradient": (losses, ("content_loss_gradient",)),
    "gram_matrix": (losses, ("gram_matrix", "_positions_by_channels")),
    "style_layer_loss": (losses, STYLE_LAYER),
    "style_layer_loss_gradient": (losses, ("style_layer_loss_gradient",)),
    "style_loss": (losses, ("style_loss", "weigh_layers")),
    "total_variation_loss": (losses, ("total_variation_loss",)),
    "total_loss": (losses, ("total_loss",)),
    "optimization_step": (steps, ("optimization_step",)),
    "upsample": (scales, ("enlarge", "resize")),
    "guided_gram_matrix": (
        losses, ("guided_gram_matrix", "gram_matrix_one_sided", "_positions_by_channels")
    ),
    "match_colors": (colors, ("match_colors", "color_statistics", "symmetric_root", "FLAT")),
}  # fmt: skip


def random_arguments(name, rng):
    """Arguments as the docstrings allow them, and as the checks' own are not."""
    B, H, W, N, H2, W2 = rng.integers(1, 7, 6)
    seeds = rng.integers(1000, 9999, 2)
    F, P, S = (
        inputs.features(*shape, seed=seed)
        for shape, seed in [
            ((B, H, W, N), seeds[0]), ((B, H, W, N), seeds[1]), ((B, H2, W2, N), seeds[1])
        ]
    )  # fmt: skip
    image = rng.uniform(0, 255, (B, H + 1, W + 1, 3)).astype("float32")
    weights = steps.three(*rng.uniform(0.1, 9, 3).tolist())
    layers = tuple(dict.fromkeys("abc"[: H2 % 3 + 1], x) for x in (F, S))
    return {
        "to_vgg": ((image,), {}),
        "from_vgg": ((image - 100,), {}),
        "pool": (
            (inputs.features(B, 2 * H, 2 * W, N, seed=seeds[0]) - 1, ["average", "max"][H2 % 2]),
            {},
        ),
        "receptive_field": ((np.reshape([B, H, W, N, H2, W2], (3, 2)).tolist(),), {}),
        "count_weights": ((H.item(), W.item(), N.item()), {}),
        "content_loss": ((F, P), {}),
        "content_loss_gradient": ((F, P), {}),
        "gram_matrix": ((F,), {}),
        "style_layer_loss": ((F, S), {}),
        "style_layer_loss_gradient": ((F, S), {}),
        "style_loss": (layers if W2 % 2 else (*layers, dict.fromkeys(layers[0], 2.5)), {}),
        "total_variation_loss": ((image,) if W2 % 2 else (image, H2 / 2), {}),
        "total_loss": (tuple(rng.uniform(0, 9, 3).tolist()), weights),
        "optimization_step": ((image, 50 * rng.normal(size=image.shape), 1.0 + H2), {}),
        "upsample": ((picture_of_extremes(rng, H, W), (1, H + H2, W + W2, 3)), {}),
        "guided_gram_matrix": ((F, rng.uniform(0.1, 1, (B, H, W, 1)).astype("float32")), {}),
        "match_colors": (
            tuple(
                control.photograph(
                    H + 6, other + 6, seed, rng.uniform(50, 200, 3), 30 * np.eye(3) + 9
                )
                for other, seed in zip((W, W2), seeds, strict=True)
            ),
            {},
        ),
    }[name]


def picture_of_extremes(rng, height, width):
    return rng.choice([0.0, 7.0, 255.0], (1, height, width, 3)).astype("float32")


@functools.cache
def random_cases(name, ours):
    """Random arguments, each with our own result."""
    rng = np.random.default_rng(11)
    every = [random_arguments(name, rng) for _ in range(8)]
    return [(args, keywords, np.asarray(ours(*args, **keywords))) for args, keywords in every]


def same_on_random_inputs(name, ours, mutant):
    """Whether a mutant is right after all, in one of the ways to be so."""
    return any(same(random_cases(name, ours), Student(mutant, pick=pick)) for pick in PICKS)


def same(cases, mutant):
    for args, keywords, expected in cases:
        try:
            came = mutant(*args, **keywords)
        except Trouble:
            return False
        atol = 1e-5 * np.abs(expected).max()
        if expected.shape != came.shape or not np.allclose(expected, came, rtol=1e-4, atol=atol):
            return False
    return True


def refuse_without_a_reason(*_):
    raise Trouble("wrong result", "")


@every_exercise
def test_mutants_that_change_the_result_are_rejected(name, monkeypatch):
    judge = importlib.import_module("nst_tutorial.checks.judge")
    monkeypatch.setattr(judge, "explain", refuse_without_a_reason)  # it takes most of the time
    module, parts = SOURCES[name]
    others = {"ops": mutants.NUMPY_OPS} if module is losses else {}
    source = "enlarge" if name == "upsample" else name
    ours, counts, survivors = getattr(module, source), {"rejected": 0, "equivalent": 0}, []
    for what, mutant in mutants.mutants(source, module, parts, **others):
        if not report_on(name, mutant).passed:
            counts["rejected"] += 1
        elif same_on_random_inputs(name, ours, mutant):
            counts["equivalent"] += 1
        else:
            survivors.append(what)
    print(name, counts)
    assert not survivors
    assert counts["rejected"] >= 4


# What is said -----------------------------------------------------------------------------------


def test_the_message_of_the_lesson():
    report = check.gram_matrix(lambda features: [F @ F.T for F in inputs.flat(features)])
    assert report.mistake == "transposed Gram matrix"
    assert "Your matrix is H·W × H·W: you correlated positions; correlate channels" in repr(report)
    assert "expected the shape (1, 2, 2), came (1, 3, 3)" in report.message


def test_a_stub_says_so_at_the_start_of_all_it_shows():
    def gram_matrix(features):
        return None  # your code

    report = check.gram_matrix(gram_matrix)
    assert repr(report).startswith("not written yet")
    assert report.message.startswith("not written yet")
    assert "not written yet" in report._repr_html_()
    assert (report.passed, report.mistake) == (False, "not written yet")


def test_the_students_line_is_shown():
    def content_loss(generated, target):
        difference = generated - target
        return difference @ 3

    report = check.content_loss(content_loss)
    line = content_loss.__code__.co_firstlineno + 2
    assert report.mistake == "exception"
    assert f"ValueError at line {line}, `return difference @ 3`" in report.message


def test_an_exception_is_the_one_of_the_way_it_is_written_for():
    def gram_matrix(features):
        height, width, _channels = features.shape
        return features.reshape(height * width, channel)  # noqa: F821

    assert "name 'channel' is not defined" in check.gram_matrix(gram_matrix).message


def test_an_exception_comes_with_advice():
    report = check.gram_matrix(lambda features: inputs.flat(features).T @ inputs.flat(features))
    assert "`.T` turns all axes round" in report.message


def test_an_endless_loop_is_stopped_and_its_line_shown():
    turns = [0]

    def content_loss(generated, target):
        while True:
            turns[0] += 1

    report = check.content_loss(content_loss)
    assert report.mistake == "endless loop"
    assert "`turns[0] += 1`" in report.message or "`while True:`" in report.message
    kept = turns[0]
    time.sleep(0.05)
    assert turns[0] == kept, "it runs on"


def test_the_factor_is_named():
    report = check.gram_matrix(lambda features: 0.75 * inputs.gram(features))
    assert report.mistake == "off by a factor 3/4"


def test_an_unknown_mistake_gets_the_failing_property_and_numbers():
    report = check.gram_matrix(lambda features: inputs.gram(np.sin(features)))
    assert report.mistake == "wrong scaling"
    assert "Twice the features are 4 times the matrix." in report.message
    assert "expected [[[10, 14], [14, 21]]], came" in report.message


def test_numbers_of_a_property_come_with_its_sentence():
    report = check.match_colors(lambda image, reference: image - image.mean((0, 1, 2)))
    assert report.mistake == "another mean"
    named = check.match_colors(lambda image, reference: 1 * image)
    assert named.mistake == "picture unmoved"
    sentence = (
        "The means of red, green and blue must match the reference's.\n"
        "expected [198.3, 169.2, 121.2]"
    )
    assert sentence in report.message
    assert named.message.startswith("The picture comes back as it was.\n" + sentence)


def test_a_function_that_takes_tensors_only_is_given_tensors():
    assert check.gram_matrix(lambda features: inputs.gram(features.numpy())).passed


def test_a_students_warnings_and_prints_break_nothing(capsys):
    def gram_matrix(features):
        print(features / 0)
        return np.float32(1e30) * np.float32(1e30) * features

    assert check.gram_matrix(gram_matrix).mistake == "NaN"


@pytest.mark.parametrize(
    "strange", [len, exit, object, 3, [], "gram_matrix", lambda *_: [object()]]
)
@every_exercise
def test_nothing_a_student_gives_breaks_a_check(name, strange):
    assert not report_on(name, strange).passed


def test_strict_raises():
    check.to_vgg(images.to_vgg, strict=True)
    with pytest.raises(AssertionError, match="mean not subtracted"):
        check.to_vgg(lambda image: image[..., ::-1], strict=True)


def test_hints_come_one_at_a_time(capsys):
    fresh = check.Check(features.GRAM_MATRIX)
    for _ in range(5):
        fresh.hint()
    lines = capsys.readouterr().out.splitlines()
    assert [line[:11] for line in lines] == [f"Hint {n} of 4" for n in (1, 2, 3, 4, 4)]


def test_progress_shows_what_is_done():
    fresh = check.Check(pictures.TO_VGG)
    assert "not tried" in repr(fresh)
    check.to_vgg(images.to_vgg)
    check.from_vgg(lambda prepared: None)
    shown = check.progress()
    assert shown.states["to_vgg"] == "done"
    assert shown.states["from_vgg"] == "not written yet"
    assert "✓ to_vgg" in repr(shown)
    assert "of 17 done" in shown._repr_html_()


def test_the_panel_shows_a_students_text_as_text():
    report = check.gram_matrix(lambda features: exec("raise ValueError('<script>')"))
    assert "<script>" in report.message
    assert "<script>" not in report._repr_html_()
    assert 'role="status"' in report._repr_html_()
