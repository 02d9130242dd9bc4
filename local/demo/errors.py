"""What the demo says when it cannot go on."""


class DemoError(Exception):
    """Sentences for the person at the terminal: what happened and what to do."""
