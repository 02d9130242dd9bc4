"""What the product is made of, wired in one place: settings, catalog, state, segments, queue and vault."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, SecretStr, StringConstraints

from shared import segments, settings
from shared.campaign_monitor import CampaignMonitor
from shared.catalog import Connection, Export, Id
from shared.catalog_store import Catalog
from shared.errors import Conflict
from shared.idempotency import Keys
from shared.rejects import RejectsFile
from shared.results import Results
from shared.runs import RUN_ID, Run, Runs
from shared.segments import Snapshot
from shared.settings import Settings
from shared.storage import Container, Lock, WorkQueue
from shared.vault import Vault

Step = Literal["plan", "send", "finish"]


class Work(BaseModel):
    """A message of the queue: one step of one run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    v: Literal[1] = 1
    step: Step
    export: Id
    run: Annotated[str, StringConstraints(pattern=f"^{RUN_ID.pattern}$")]
    slice: int | None = None


@dataclass(frozen=True)
class App:
    settings: Settings
    catalog: Catalog
    runs: Runs
    keys: Keys
    state: Container
    segments: Container
    queue: WorkQueue
    vault: Vault
    now: Callable[[], datetime]
    # Hands over well before the platform would end an invocation (functionTimeout in host.json: 30 minutes).
    invocation_seconds: float = 15 * 60
    # Planning is not divided: until its end nothing is sent, so there is nothing to keep. It stops by itself, too.
    planning_seconds: float = 25 * 60
    # How often finished batches are saved, and whether to stop is looked up.
    checkpoint_seconds: float = 2
    # Between two attempts of a call; None waits as the client does.
    sleep: Callable[[float], None] | None = None

    def agreed(self, export: Export) -> Connection:
        """The connection of the export. Raises Conflict where it has none, or nobody has agreed to what that does."""
        if export.connection is None:
            raise Conflict(
                "connection_detached",
                f"The export {export.id} is detached: it has no connection.",
                "Save it with a connection; the rest of its configuration is kept.",
                field="connection",
            )
        connection = self.catalog.connection(export.connection)
        if connection.consent is None:
            raise Conflict(
                "consent_missing",
                f"Nobody has agreed that the connection {connection.id} sends personal data to Campaign Monitor.",
                "An administrator states who agrees, as consent of the connection.",
                field="consent",
            )
        return connection

    def client(self, connection: Connection, connections: int = 1, *, patient: bool = True) -> CampaignMonitor:
        def key(anew: bool) -> SecretStr:
            return self.vault.key(connection.secret_name, anew=anew)

        return CampaignMonitor(
            self.settings.campaign_monitor_url, key, connections=connections, sleep=self.sleep, patient=patient
        )

    def snapshot(self, segment: str) -> Snapshot:
        """The newest complete one. Raises SegmentError."""
        return segments.find(
            self.segments, segment, now=self.now(), quiet=timedelta(minutes=self.settings.quiet_minutes)
        )

    def snapshots(self, export: Export) -> tuple[Snapshot, ...]:
        """The newest complete snapshot of each segment, in the configured order."""
        return tuple(self.snapshot(segment) for segment in export.segments)

    def enqueue(self, step: Step, run: Run, slice_: int | None = None, *, delay: int = 0) -> None:
        work = Work(step=step, export=run.export, run=run.id, slice=slice_)
        self.queue.put(work.model_dump_json(exclude_none=True), delay=delay)

    def results(self, run: Run) -> Results:
        return Results(self.state, self.runs.folder(run))

    def rejects(self, run: Run) -> RejectsFile:
        return RejectsFile(self.state, f"{self.runs.folder(run)}/rejects.csv")

    def locked(self, run: Run, what: str) -> AbstractContextManager[Lock]:
        """Makes one instance at a time work on ``what`` of the run, and keeps the run's heart beating meanwhile.

        Raises Held.
        """
        return self.state.locked(self._lock(run, what), lambda: self.runs.heartbeat(run, self.now()))

    def is_locked(self, run: Run, what: str) -> bool:
        return self.state.is_locked(self._lock(run, what))

    def _lock(self, run: Run, what: str) -> str:
        return f"{self.runs.folder(run)}/locks/{what}"


@lru_cache(maxsize=1)
def app() -> App:
    """That of this process, as its settings say. Raises DeploymentError."""
    if not logging.getLogger().isEnabledFor(logging.DEBUG):
        # The SDKs would tell each call with all its headers at INFO: most of what Application Insights is paid for.
        logging.getLogger("azure").setLevel(logging.WARNING)
    return wire(settings.from_process())


def wire(chosen: Settings) -> App:
    """Where the account is given by connection string (local use), what the templates would have made is made here."""
    state = Container(chosen.export_storage, "export-state")
    catalog = Container(chosen.export_storage, "export-catalog")
    queue = WorkQueue(chosen.export_storage, chosen.export_queue)
    if chosen.export_storage.connection_string:
        catalog.create()
        state.create()
        queue.create()
    return App(
        settings=chosen,
        catalog=Catalog(catalog),
        runs=Runs(state),
        keys=Keys(state),
        state=state,
        segments=Container(chosen.segment_storage, chosen.segment_container),
        queue=queue,
        vault=Vault(chosen.key_vault_url, chosen.export_storage),
        now=lambda: datetime.now(UTC),
    )
