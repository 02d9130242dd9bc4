"""What a step of a run comes to: what changes in the run's record, and which messages follow. The worker commits it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.catalog.documents import Id
from shared.record.run_record import RUN_ID

Step = Literal["plan", "send", "finish"]


class Message(BaseModel):
    """A message of the queue: one step of one run. ``looks`` is how often in a row it met the lock of somebody else,
    ``again`` whether it was not at its first delivery when it did. What a newer version says beside is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    v: Literal[1] = 1
    step: Step
    export: Id
    run: Annotated[str, StringConstraints(pattern=f"^{RUN_ID.pattern}$")]
    slice: int | None = None
    looks: int = Field(default=0, exclude_if=lambda looks: not looks)
    again: bool = Field(default=False, exclude_if=lambda again: not again)


@dataclass(frozen=True)
class Next:
    """A step that follows; ``delay`` in seconds."""

    step: Step
    slice: int | None = None
    delay: int = 0


@dataclass(frozen=True)
class Outcome:
    """``changes`` are fields of the run. ``counts`` are for the log. What is ``rejected`` is told, too: how many for
    each reason."""

    changes: Mapping[str, object] = field(default_factory=dict)
    follow: tuple[Next, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
