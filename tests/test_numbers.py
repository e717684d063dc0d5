"""No number without its witness: what a lesson reports stands in an output or in code above it."""

import re
from decimal import ROUND_HALF_UP, Decimal

import pytest
from test_notebooks import cells, every_notebook

SILENT = re.compile(  # parts of prose whose numbers report nothing
    r"""```.*?``` | \$\$.*?\$\$ | \$[^$]*\$ | `[^`]*` | \]\([^)]*\) | <[^>]*>
    | arXiv\ \d+\.\d+ | \b\d{4}\.\d{5}\b
    | \b(?:eq(?:uation)?s?|figure|version|lessons?)\b\.?\ \d[\d.]*(?:(?:,|\ and|\ to)\ \d+)*""",
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
NUMBER = re.compile(  # decimal fractions, whole numbers of three digits and more, and percent
    r"""(?<![\w.,^/×-])
    [−-]?(?: (?!(?:19|20)\d\d\b(?!,\d)) \d{1,3}(?:,?\d{3})*(?:\.\d+)? | \d+\.\d+ )
    (?!\w|[.,/×]\d)(?:\ ?%)?""",
    re.VERBOSE,
)
PRINTED = re.compile(r"[−-]?\d+(?:\.\d+)?(?:e[−+-]?\d+)?")


def reported(prose):
    """The numbers of a sentence that somebody must have measured, set or computed."""
    found = NUMBER.findall(SILENT.sub(" ", prose))
    return [word for word in found if "." in word or "%" in word or abs(number(word)) >= 100]


def number(word):
    return Decimal(word.strip("% ").replace("−", "-").replace(",", ""))


def is_seen(word, numbers):
    """Whether a number that was printed rounds to it."""
    value, shares = number(word), (1, 100) if "%" in word else (1,)
    numbers = [one * share for one in numbers for share in shares]
    unit = Decimal(1).scaleb(value.as_tuple().exponent)
    return any(
        abs(abs(one) - abs(value)) <= unit / 2
        or abs(one).quantize(unit, ROUND_HALF_UP) == abs(value)
        for one in numbers
    )


def shown(output):
    data = output.get("data", {})
    return "\n".join(
        [output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")]
    )


def unwitnessed(path):
    """The numbers of the prose that no code sets and no output above them shows."""
    seen = {one for cell in cells(path, "code") for one in numbers_of(cell.source)}
    missing = []
    for place, cell in enumerate(cells(path)):
        if cell.cell_type == "markdown":
            words = reported(cell.source)
            missing += [(place, word) for word in words if not is_seen(word, seen)]
        else:
            seen |= {one for output in cell.outputs for one in numbers_of(shown(output))}
    return missing


def numbers_of(text):
    return [number(word) for word in PRINTED.findall(text)]


@pytest.mark.parametrize(
    ("word", "printed", "right"),
    [("0.24", "0.2449", True), ("0.24", "0.246", False), ("12 %", "0.118", True),
     ("−0.98", "-0.9788", True), ("1,234", "1234", True), ("115", "116", False)],
)  # fmt: skip
def test_a_witness_rounds_to_the_number(word, printed, right):
    assert is_seen(word, [number(printed)]) is right


def test_what_is_reported():
    assert reported("From 0.24 to 12 % in 2015 (eq. 4.1, `0.5`), at 128 px, in 5 layers") == [
        "0.24", "12 %", "128",
    ]  # fmt: skip


@every_notebook
def test_every_number_has_a_witness(path):
    assert unwitnessed(path) == []
