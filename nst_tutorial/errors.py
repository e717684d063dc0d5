"""What a user is told: the one exception that a mistake raises, and the one warning."""


class NSTError(ValueError):
    """One sentence on what is wrong with the input and what to do about it."""


class NSTWarning(UserWarning):
    """One sentence that the user should know; the run goes on."""
