"""What a campaign says when it cannot go on."""


class FaultsError(Exception):
    """A sentence: a program does not answer, or a run does not move."""
