"""Where the blobs of a run lie, in the container ``export-state``."""

from shared.record.run_record import Run


def run_folder(run: Run) -> str:
    return f"runs/{run.export}/{run.id}"


def attempt_folder(run: Run) -> str:
    """Where the attempt that counts keeps what it has planned and sent. A run that an older version planned has it
    right in the folder of the run."""
    return f"{run_folder(run)}/{run.attempt}" if run.attempt else run_folder(run)


def slice_name(run: Run, number: int) -> str:
    return f"{attempt_folder(run)}/slices/{number:05}.parquet"


def already_listed_name(run: Run) -> str:
    """Of the md5 of those newcomers who were on the list before anything was sent."""
    return f"{attempt_folder(run)}/slices/there-before.parquet"


def audit_name(run: Run) -> str:
    return f"{attempt_folder(run)}/audit.csv"


def rejects_name(run: Run) -> str:
    return f"{attempt_folder(run)}/rejects.csv"


def step_name(step: str, slice_: int | None) -> str:
    """What one worker at a time does of a run."""
    return step if slice_ is None else f"slice-{slice_:05}"


def lock_name(run: Run, what: str) -> str:
    """Of the lease of a step. It is the run's, not the attempt's: two attempts must not be at work at once."""
    return f"{run_folder(run)}/locks/{what}"
