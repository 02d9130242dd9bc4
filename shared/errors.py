"""What can go wrong, grouped by who must act.

    ExportError
    ├── ConfigurationError   a setting, a connection or an export is wrong: whoever saved it mends it
    │   ├── NotFound         nothing is saved under that name
    │   ├── Conflict         it does not go with what is saved or running: that has to change first
    │   └── DeploymentError  a setting, a role or a resource of the deployment is: whoever operates the app mends it
    ├── Forbidden            the caller's role does not allow it
    ├── SegmentError         the files of a segment cannot be used: mend or wait for the export of Customer Insights
    ├── DestinationError     Campaign Monitor says no, and will say no again: mend the account, the key or the list
    ├── TemporaryError       an outside service does not answer: trying again later may help
    ├── Changed              somebody else wrote first: read again, then decide again
    ├── LockLost             what was ours to do is no longer: this process slept, or the storage was away
    ├── Held                 somebody else is at work on it: come back later
    └── Unreadable           a stored record is not as this version knows it: whoever operates the app mends it

A bad row is none of these: rows are data, and what becomes of them stands in the account of the run.
No message ever holds an address, a key or a row.
"""


class ExportError(Exception):
    """Stops a step.

    ``code`` is stable, for programs; ``message`` says what happened and where, for the caller; ``action`` says
    what to do, for the operator. The cause, for the developer, is the chained exception.
    """

    def __init__(self, code: str, message: str, action: str) -> None:
        super().__init__(f"{code}: {message} {action}".strip())
        self.code = code
        self.message = message
        self.action = action


class ConfigurationError(ExportError):
    """``field`` names the setting or the field, where there is one."""

    def __init__(self, code: str, message: str, action: str, *, field: str | None = None) -> None:
        super().__init__(code, message, action)
        self.field = field


class NotFound(ConfigurationError):
    pass


class Conflict(ConfigurationError):
    pass


class DeploymentError(ConfigurationError):
    pass


class Forbidden(ExportError):
    pass


class SegmentError(ExportError):
    pass


class DestinationError(ExportError):
    pass


class TemporaryError(ExportError):
    """``retry_after`` is what the service asked for, in seconds."""

    def __init__(self, code: str, message: str, action: str, *, retry_after: float | None = None) -> None:
        super().__init__(code, message, action)
        self.retry_after = retry_after


class NotQueued(TemporaryError):
    """What follows is written down, and its message could not be queued: whoever comes next queues it."""


class Changed(ExportError):
    def __init__(self, name: str) -> None:
        super().__init__("changed", f"{name} was changed by somebody else in the meantime.", "Read it again.")


class LockLost(ExportError):
    def __init__(self, name: str) -> None:
        super().__init__(
            "lock_lost",
            f"The lock {name} was not renewed in time, so somebody else may be at work.",
            "Nothing is lost. If it happens again and again: the machine stands still, or the storage does not answer.",
        )


class SliceMissing(ExportError):
    def __init__(self, name: str) -> None:
        super().__init__(
            "slice_missing",
            f"{name} is gone: what it held can neither be sent nor, where it was, be acknowledged.",
            "Somebody or a lifecycle rule deleted it. Run the export again: what was confirmed of the others is kept.",
        )


class Held(ExportError):
    def __init__(self, name: str) -> None:
        super().__init__("held", f"{name} is being worked on by another instance.", "Nothing is to be done.")


class Unreadable(ExportError):
    def __init__(self, name: str) -> None:
        super().__init__(
            "record_unreadable",
            f"{name} cannot be read.",
            "A newer version of the app wrote it, or somebody changed it by hand: deploy that version again, or mend "
            "the blob by hand.",
        )


def defect(cause: Exception) -> ExportError:
    """What nobody thought of, as an error of this product: the log holds the cause."""
    error = ExportError(
        "internal",
        "The app met something that nobody thought of.",
        "Nothing is lost. Report it with the time, and the id of the run where there is one: the log holds the cause.",
    )
    error.__cause__ = cause
    return error
