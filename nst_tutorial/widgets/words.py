"""What the `Playground` says in words: how a run stands, what is seen, and what to try next."""

from typing import Any

from nst_tutorial.widgets.controls import in_words
from nst_tutorial.widgets.path import News, Painted

DWARFS = 0.95  # a term with more of the total than this hides the others
STILL = 0.5  # grey levels in ten steps, below which a picture has stopped changing
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


def marks(painted: Painted) -> list[dict[str, Any]]:
    """Where settings changed on the way, and how, in words."""
    found = []
    for number, stretch in enumerate(painted.path):
        if number:
            found.append({"step": stretch.begun, "words": f"{stretch.job.style.name}"})
        for at, what in stretch.schedule:
            if isinstance(what, dict) and what:
                found.append({"step": stretch.begun + at, "words": in_lines(what)})
    return found


def status(news: News) -> str:
    """Say in a line how the run stands."""
    step = news.painted.step
    if news.phase == "preparing":
        return "Getting ready: the network is looking at both pictures …"
    if news.phase == "running":
        left = f", {duration(news.seconds_left)} left" if news.rate else ""
        return f"Step {step} of {news.painted.planned}, {news.rate:.1f} steps a second{left}"
    return {
        "ready": "Ready: press Play",
        "paused": f"Paused after step {step}",
        "done": f"Done after step {step}: move a slider, or play on",
        "failed": "Stopped by an error",
    }[news.phase]


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
    if news.change < STILL:
        return "The picture has all but stopped changing: keep it, or change a weight."
    if len(news.history) < 10:  # at its start a term may be zero
        return ""
    last = news.history[-1]
    term = max(TOO_MUCH, key=lambda term: last[term])
    if last[term] <= DWARFS * last["total"]:
        return ""
    return f"{term} is {last[term] / last['total']:.0%} of the total. {TOO_MUCH[term]}"
