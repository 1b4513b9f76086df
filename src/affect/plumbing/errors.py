"""An error that the user can fix; its message says how."""


class InputError(Exception):
    """A mistake in the data, the parameters or a command, told in one line with what to do about it."""
