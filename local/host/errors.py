"""What can keep an instance from starting, and the exit codes that tell a parent process why one ended."""

EXIT_STOPPED = 0
EXIT_CANNOT_START = 1
EXIT_TIMED_OUT = 3
"""An invocation ran longer than host.json's functionTimeout; Azure restarts the worker process then."""
EXIT_CUT_OFF = 4
"""An invocation was still running when the time to stop was over."""


class CannotStartError(Exception):
    """The instance cannot start. The message is one sentence: which part, why, and what would help."""
