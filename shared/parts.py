"""What the app is made of: the ports to the outside, and the stores that stand on them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import SecretStr

from shared.catalog.documents import Connection, Export
from shared.catalog.store import Catalog
from shared.errors import Conflict
from shared.ports.blobs import Blobs
from shared.ports.clock import Clock
from shared.ports.destination import Destination, Destinations
from shared.ports.queue import Queue
from shared.ports.threads import Threads
from shared.ports.vault import Vault
from shared.record.batch_results import Results
from shared.record.blob_places import attempt_folder, lock_name, rejects_name
from shared.record.duckdb_workspace import Workspaces, workspace
from shared.record.export_claim import Claims
from shared.record.rejects import RejectsFile
from shared.record.run_record import Run
from shared.record.run_store import Runs
from shared.record.slices import Sizes
from shared.record.step_lock import StepLock, step_lock
from shared.record.step_outcome import Message, Next
from shared.settings import Settings


@dataclass(frozen=True)
class App:
    """``state`` is the container ``export-state``. ``new_suffix`` gives the eight hexadecimal digits that tell apart
    what began in the same millisecond."""

    settings: Settings
    state: Blobs
    catalog_blobs: Blobs
    segments: Blobs
    queue: Queue
    vault: Vault
    destinations: Destinations
    clock: Clock
    threads: Threads
    new_suffix: Callable[[], str]
    workspace: Workspaces = workspace
    sizes: Sizes = field(default_factory=Sizes)
    # Hands over well before the platform would end an invocation (functionTimeout in host.json: 30 minutes).
    invocation_seconds: float = 15 * 60
    # Planning and audits are not divided: there is nothing to keep of one that is not whole. They end by themselves,
    # with the time of one call to spare.
    undivided_seconds: float = 25 * 60
    # How often finished batches are saved, and whether to stop is looked up.
    checkpoint_seconds: float = 2

    @cached_property
    def catalog(self) -> Catalog:
        return Catalog(self.catalog_blobs, self.clock, self.threads)

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.state)

    @cached_property
    def claims(self) -> Claims:
        return Claims(self.state)

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

    def account(
        self,
        connection: Connection,
        *,
        at_once: int = 1,
        patient: bool = True,
        may_call: Callable[[], None] | None = None,
    ) -> Destination:
        """The account of the connection. Raises what its key's vault raises."""

        def key(anew: bool) -> SecretStr:
            return self.vault.key(connection.secret_name, anew=anew)

        return self.destinations.open(key, at_once=at_once, patient=patient, may_call=may_call)

    def enqueue(self, run: Run, following: Next) -> None:
        message = Message(step=following.step, export=run.export, run=run.id, slice=following.slice)
        self.queue.put(message.model_dump_json(exclude_none=True), delay=following.delay)

    def results(self, run: Run) -> Results:
        return Results(self.state, attempt_folder(run))

    def rejects(self, run: Run) -> RejectsFile:
        return RejectsFile(self.state, rejects_name(run))

    def locked(self, run: Run, what: str) -> AbstractContextManager[StepLock]:
        """Makes one worker at a time do ``what`` of the run, and keeps the run's heart beating meanwhile.

        Raises Held.
        """

        def beat() -> None:
            self.claims.heartbeat(run.export, run.id, self.clock.now())

        return step_lock(self.state, lock_name(run, what), self.clock, self.threads, beat)

    def is_at_work(self, run: Run, *, besides: str) -> bool:
        """Whether somebody holds the lock of another step of the run."""
        listed = self.state.list(lock_name(run, ""))
        return any(
            one.leased and self.state.is_leased(one.name) for one in listed if one.name != lock_name(run, besides)
        )
