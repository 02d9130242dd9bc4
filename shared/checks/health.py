"""Whether what the app stands on answers, and how the timer and the queue are."""

from collections.abc import Callable

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.errors import ExportError
from shared.parts import App
from shared.runs.last_tick import last_tick


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Model):
    """Whether one thing answers; if not, what is wrong and what to do."""

    ok: bool
    code: str | None = None
    message: str | None = None
    action: str | None = None


class LastTick(_Model):
    at: AwareDatetime
    age_seconds: float


class Health(_Model):
    """``ok`` is whether every part is. ``last_tick`` is null until the timer has ticked for the first time;
    ``poison_messages`` counts what was given up after several deliveries, and is null where the queue does not answer.
    """

    ok: bool
    storage: Part
    segments: Part
    queue: Part
    vault: Part
    last_tick: LastTick | None
    poison_messages: int | None


def look(app: App) -> Health:
    storage = _part(app.state.probe)
    segments = _part(app.segments.probe)
    queue = _part(app.queue.probe)
    vault = _part(app.vault.probe)
    return Health(
        ok=storage.ok and segments.ok and queue.ok and vault.ok,
        storage=storage,
        segments=segments,
        queue=queue,
        vault=vault,
        last_tick=_last_tick(app) if storage.ok else None,
        poison_messages=app.queue.poison_length() if queue.ok else None,
    )


def _part(probe: Callable[[], None]) -> Part:
    try:
        probe()
    except ExportError as error:
        return Part(ok=False, code=error.code, message=error.message, action=error.action)
    return Part(ok=True)


def _last_tick(app: App) -> LastTick | None:
    at = last_tick(app.state)
    return LastTick(at=at, age_seconds=round((app.clock.now() - at).total_seconds(), 1)) if at else None
