"""What can keep an instance from starting, and the exit codes that tell a parent process why one ended."""

EXIT_STOPPED = 0
EXIT_CANNOT_START = 1
EXIT_WORKER_ERRORS = 3
"""The worker process died again and again; Azure recycles the instance then."""
EXIT_CUT_OFF = 4
"""An invocation was still running when the time to stop was over."""
EXIT_FAILED = 6
"""A listener failed for what nobody thought of."""
EXIT_STORAGE = 5
"""Storage refused what a listener cannot do without; Azure stops the instance, and starts it again."""


class CannotStartError(Exception):
    """The instance cannot start. The message is one sentence: which part, why, and what would help."""
