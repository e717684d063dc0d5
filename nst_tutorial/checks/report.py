"""What a check says: text in a terminal, a panel in a notebook."""

import dataclasses
import html

PANEL = (
    '<div role="status" aria-label="{label}" style="border-left: 5px solid {color}; '
    'padding: 0.3em 1em; margin: 0.3em 0; color: inherit; background: transparent">{body}</div>'
)  # the text keeps the theme's own color; the border's has contrast on white and on black
COLORS = {"done": "#2e8b57", "not written yet": "#808080"}
SIGNS = {"done": "✓", "not written yet": "○"}


@dataclasses.dataclass(frozen=True)
class Report:
    """A verdict and its reason."""

    name: str  # of the exercise
    mistake: str | None  # its short name; None if there is none
    message: str

    @property
    def passed(self) -> bool:
        return self.mistake is None

    @property
    def state(self) -> str:
        return "done" if self.mistake is None else self.mistake

    def __repr__(self) -> str:
        if self.mistake == "not written yet":
            return self.message
        text = f"{SIGNS.get(self.state, '✗')} {self.name}: {self.state}\n{self.message}"
        return text if self.passed else f"{text}\nStuck? check.{self.name}.hint()"

    def _repr_html_(self):
        title, *lines = repr(self).splitlines()
        body = "<br>".join([f"<strong>{html.escape(title)}</strong>", *map(html.escape, lines)])
        return PANEL.format(
            label=f"check of {self.name}", color=COLORS.get(self.state, "#c2571a"), body=body
        )


@dataclasses.dataclass(frozen=True)
class Checklist:
    """What is done so far."""

    states: dict[str, str]  # exercise: "done", "not tried", or the last mistake

    def __repr__(self) -> str:
        rows = (f"{SIGNS.get(s, '·')} {name:26} {s}" for name, s in self.states.items())
        return "\n".join([*rows, self._count()])

    def _repr_html_(self):
        rows = "".join(
            f'<tr><th scope="row" style="text-align: left">{name}</th>'
            f'<td style="text-align: left">{SIGNS.get(s, "·")} {html.escape(s)}</td></tr>'
            for name, s in self.states.items()
        )
        return f'<table style="color: inherit"><caption>{self._count()}</caption>{rows}</table>'

    def _count(self):
        return f"{list(self.states.values()).count('done')} of {len(self.states)} done"
