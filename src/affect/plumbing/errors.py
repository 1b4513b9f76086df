"""The one exception that means: the user can mend this."""


class InputError(Exception):
    """A mistake in the data, the parameters or a command; its one-line message says what to do about it."""
