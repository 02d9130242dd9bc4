"""The step that sends one slice: of subscribers by imports, of leavers by a call for each."""

from collections.abc import Callable, Iterator
from contextlib import closing

from shared.catalog.documents import Export
from shared.errors import Conflict, SliceMissing
from shared.leavers.removal_call import take_off
from shared.parts import App
from shared.ports.destination import Destination
from shared.record.batch_results import BatchResult
from shared.record.blob_places import slice_name
from shared.record.run_record import Run
from shared.record.slices import read_leavers, read_slice
from shared.record.step_lock import StepLock
from shared.record.step_outcome import Outcome
from shared.runs.next_steps import after_slice, open_slices
from shared.send.batch_turns import InFlight
from shared.send.import_call import send_batch

SECONDS_TO_END = 300  # after the time of an invocation, for the calls that are in flight

# Sends a batch, of which some may have been answered before.
type _Call = Callable[[int, BatchResult | None], BatchResult]


def send(app: App, run: Run, number: int, lock: StepLock) -> Iterator[Outcome]:
    """One slice to Campaign Monitor; then the next one follows, or the end of the run."""
    if run.status != "sending" or number >= run.slices:
        return
    is_import = number < run.import_slices
    if not is_import and any(slice_ < run.import_slices for slice_ in open_slices(app, run)):
        return  # nobody is removed before everybody else is sent
    export = app.catalog.export(run.export)
    time = _Time(app, run, lock)
    at_once = app.settings.upload_concurrency
    # Whoever lost the lock must not send what somebody else may have sent, with what is newer, in the meantime.
    with closing(app.account(app.agreed(export), at_once=at_once, may_call=lock.check)) as account:
        call, batches = (_imports if is_import else _removals)(app, run, export, number, account)
        in_flight = InFlight(
            call,
            number,
            batches,
            app.results(run),
            clock=app.clock,
            checkpoint_seconds=app.checkpoint_seconds,
            stop=time.is_up,
            interrupt=lambda: None if time.may_be_taken else account.interrupt(),
        )
        saved = in_flight.work_off(app.threads, at_once)
        if in_flight.in_vain and time.is_late:
            raise in_flight.in_vain  # handed over like this it would go on for ever; delivered again it counts
        load = account.load()
    yield Outcome(follow=after_slice(app, run, number, complete=saved.complete), counts=saved.totals.__dict__ | load)


class _Time:
    """That of one invocation of a step that sends. When it is over, what has begun may end all calls that it takes."""

    def __init__(self, app: App, run: Run, lock: StepLock) -> None:
        self._app = app
        self._run = run
        self._lock = lock
        self._ends_at = app.clock.monotonic() + app.invocation_seconds
        self._run_is_over = False

    def is_up(self) -> bool:
        """Whether no more is to begin. Raises LockLost."""
        self._lock.check()
        newest = self._app.runs.get(self._run.export, self._run.id)
        self._run_is_over = newest.stopping or newest.ended or newest.attempt != self._run.attempt
        return self._run_is_over or self.is_late

    @property
    def is_late(self) -> bool:
        return self._app.clock.monotonic() > self._ends_at

    @property
    def may_be_taken(self) -> bool:
        """Whether only the time of the invocation is over, and the platform's is not soon."""
        late = self._app.clock.monotonic() - self._ends_at
        return not self._run_is_over and 0 < late < SECONDS_TO_END


def read_planned(app: App, run: Run, number: int) -> bytes:
    """The slice as the plan wrote it. Raises SliceMissing."""
    name = slice_name(run, number)
    blob = app.state.read(name)
    if blob is None:
        raise SliceMissing(name)
    return blob.data


def _imports(app: App, run: Run, export: Export, number: int, account: Destination) -> tuple[_Call, int]:
    """What is called for each batch, and how many there are."""
    with app.workspace() as work:
        slice_ = read_slice(work, read_planned(app, run, number))

    def call(batch: int, so_far: BatchResult | None) -> BatchResult:
        begin = batch * app.sizes.batch
        rows = range(begin, min(begin + app.sizes.batch, len(slice_.bodies)))
        return send_batch(account, run.list_id, slice_, rows, resubscribe=export.resubscribe, so_far=so_far)

    return call, app.sizes.batches(len(slice_.bodies))


def _removals(app: App, run: Run, export: Export, number: int, account: Destination) -> tuple[_Call, int]:
    """The same, each leaver a batch."""
    how = run.removals
    if how == "keep" or (export.removals, export.list_id) != (how, run.list_id):
        raise Conflict(
            "export_changed",
            "The export was changed after the run had planned whom to remove, so it removes nobody else.",
            "Run the export again: it goes by what is saved now.",
            field="removals",
        )
    with app.workspace() as work:
        leavers = read_leavers(work, read_planned(app, run, number))
    return lambda row, _: take_off(account, run.list_id, leavers[row], how), len(leavers)
