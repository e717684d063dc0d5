"""What a user is told: the one exception that a mistake raises, and the one warning."""

LONGEST = 1000  # characters of a sentence; a file's name or words may be of any length


class NSTError(ValueError):
    """One sentence on what is wrong with the input and what to do about it."""

    def __init__(self, sentence: object) -> None:
        super().__init__(printable(sentence))


class NSTWarning(UserWarning):
    """One sentence that the user should know; the run goes on."""

    def __init__(self, sentence: object) -> None:
        super().__init__(printable(sentence))


def printable(words: object) -> str:
    """Return words on one line of ordinary length, with no character that commands a terminal."""
    words = "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in str(words))
    middle = LONGEST // 2
    return words if len(words) <= LONGEST else f"{words[:middle]} … {words[-middle:]}"
