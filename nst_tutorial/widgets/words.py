"""What the `Playground` says in words: how a run stands, what is seen, and what to try next."""

from collections.abc import Sequence
from typing import Any

from nst_tutorial.widgets.controls import in_words
from nst_tutorial.widgets.path import News, Painted
from nst_tutorial.widgets.worker import STRIDE

DWARFS = 0.95  # a term with more of the total than this hides the others
STILL = 0.5  # gray levels in `STRIDE` steps, below which a picture hardly changes
LITTLE = 2.0  # gray levels, below which the rest of a run is not worth the wait
TOO_MUCH = {
    "content": "The picture stays a photograph: raise the style weight to let the style in.",
    "style": "Raise the content weight to bring the photograph back.",
    "tv": "Everything is being smoothed away: lower the tv weight.",
}


def described(painted: Painted) -> str:
    """Say what is seen."""
    pair = f"{painted.job.content.name} in the style of {painted.job.style.name}"
    return f"{pair}, after {painted.step} steps"


def in_lines(settings: dict[str, Any]) -> str:
    """Settings in words: `style weight 300, tv weight 0`."""
    return ", ".join(f"{k.replace('_', ' ')} {in_words(value)}" for k, value in settings.items())


def in_short(weights: dict[str, Any]) -> str:
    """Weights in words, without the word: `content 2.5, style 100`."""
    return in_lines({name.removesuffix("_weight"): value for name, value in weights.items()})


def found_it(painted: Painted, secret: dict[str, Any]) -> str:
    """Say that a challenge is won, and whether by the weights of its own picture."""
    same = all(getattr(painted.job.config, name) == value for name, value in secret.items())
    whose = "my weights" if same else "other weights than mine"
    return f"You found it after {painted.step} steps, with {whose}: {in_short(secret)}."


def marks(painted: Painted) -> list[dict[str, Any]]:
    """Where settings changed on the way, and how, in words."""
    found = []
    for number, stretch in enumerate(painted.path):
        if number:
            found.append({"step": stretch.begun, "words": f"{stretch.job.style.name}"})
        changes = {at: what for at, what in stretch.schedule if isinstance(what, dict) and what}
        for at, after in zip(changes, [*changes, None][1:], strict=True):
            if after not in stretch.dragged:  # of one drag the last value counts
                found.append({"step": stretch.begun + at, "words": in_lines(changes[at])})
    return found


def status(news: News) -> str:
    """Say in a line how the run stands."""
    step = news.painted.step
    if news.phase == "preparing":
        return "Getting ready: looking at both pictures …"
    if news.phase == "running":
        left = f", {duration(news.seconds_left)} left" if news.rate else ""
        return f"Step {step} of {news.painted.planned}, {news.rate:.1f} steps a second{left}"
    return {
        "ready": "Ready: press Play",
        "paused": f"Paused after step {step}",
        "done": f"Done after step {step}: move a slider, or play on",
        "failed": "Stopped by an error",
    }[news.phase]


def as_sum(history: Sequence[dict[str, Any]]) -> str:
    """The latest total as the sum that it is, with its numbers; nothing before the first step."""
    if not history:
        return ""
    row = history[-1]
    parts = (
        f"{term} weight {in_words(weight)} × {term} {in_digits(row[term] / (weight or 1))}"
        for term, weight in row["weights"].items()
    )
    return f"total {in_digits(row['total'])} = {' + '.join(parts)}"


def in_digits(value: float) -> str:
    """A number in three digits, or with all that it has in front of the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Seconds in words, in the largest unit of which there are two."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def said(news: News | None) -> str:
    """Say in plain words what went wrong, or what the student might do now, if anything."""
    if news is None or news.message:
        return news.message if news else ""
    if news.change < STILL and news.change * news.steps_left / STRIDE < LITTLE:
        return (
            f"The picture hardly changes anymore: by {news.change:.1f} of 255 gray levels in the "
            f"last {STRIDE} steps. Keep it, or change a weight."
        )
    if len(news.history) < 10:  # at its start a term may be zero
        return ""
    last = news.history[-1]
    term = max(TOO_MUCH, key=lambda term: last[term])
    if last[term] <= DWARFS * last["total"]:
        return ""
    return f"{term} is {last[term] / last['total']:.0%} of the total. {TOO_MUCH[term]}"
