"""The one exception that a user's mistake raises."""


class NSTError(ValueError):
    """One sentence on what is wrong with the input and what to do about it."""


class NSTWarning(UserWarning):
    """Something that the user should know; the run goes on."""
