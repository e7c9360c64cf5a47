"""What may go wrong on this machine in ways that a person can do something about.

Commands print the message of a `StackError` and exit 1; anything else is a bug and a traceback.
"""


class StackError(Exception):
    """An expected failure; its text says what to do."""


class InUse(StackError):
    """Another running supervisor owns the data directory."""


class NotStarted(StackError):
    """A server ended, or did not answer in time, while it was being started."""
