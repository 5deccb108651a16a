"""The one exception of this app's actions."""


class Refused(Exception):
    """The action is not possible now, and nothing was changed; the text says why, for a person."""
