"""The timer trigger: NCRONTAB schedules in UTC, one instance that ticks, and the function's fixed-delay retry.

Rules of the timer's extension (TimerListener, SingletonListener, StorageScheduleMonitor), measured with it: never two
ticks of the schedule at a time on one instance, but one by hand beside them; one tick more, at once, after one that
overran; one at once, past due, after a restart where a time was missed; another instance takes over a minute or two
after the end of the one that ticks, and at a drain or stop of it beside the tick that still runs there.
"""

import asyncio
import json
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import AzureError
from cronsim import CronSim, CronSimError

from local.host.errors import EXIT_STORAGE, CannotStartError
from local.host.functions import Function
from local.host.invocation import Invoker
from local.host.protos import protos
from local.host.settings import resolve, seconds
from local.host.storage_service import is_of_the_server, short
from local.host.timer_storage import Status, TimerStorage
from local.host.times import Times

logger = logging.getLogger("host.timer")

_NEVER = "0001-01-01T00:00:00"
"""The status of a schedule that has not ticked yet: .NET's smallest date."""


_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 120.0  # seconds between tries to start the listener (FunctionListener)


@dataclass(frozen=True)
class Schedule:
    """An NCRONTAB expression of six fields (five are read with second 0), as far as it means the same to cronsim."""

    expression: str

    def __post_init__(self) -> None:
        """Refuse what this host would read in another way than Azure does; ValueError says why."""
        fields = self.expression.upper().split()
        try:
            ticks = CronSim(self.expression, datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(f"{self.expression!r} is not an NCRONTAB schedule: {error}") from None
        if len(ticks.seconds) == 60:
            raise ValueError(
                f"{self.expression!r} would tick in every second of each minute that it names, because its first "
                "field is the seconds; write 0 there"
            )
        day, _month, weekday = fields[-3:]
        if day != "*" and weekday != "*":
            raise ValueError(
                f"{self.expression!r} names days of the month and of the week: NCRONTAB wants both, cron either"
            )
        if re.search(r"#|(?<![A-Z])L", f"{day} {weekday}") or "7" in weekday:
            raise ValueError(f"{self.expression!r} uses what NCRONTAB does not know: L, # or weekday 7 (Sunday is 0)")

    @property
    def is_slow(self) -> bool:
        """Whether a status is kept of it: not where it comes more than once in every minute
        (TimerSchedule, ShouldDisableScheduleMonitor)."""
        ticks = CronSim(self.expression, datetime.now(UTC))
        every = (ticks.minutes, ticks.hours, ticks.days, ticks.months, ticks.weekdays - {7})  # Sunday is 0 and 7
        return len(ticks.seconds) == 1 or [len(field) for field in every] != [60, 24, 31, 12, 7]

    def next_after(self, moment: datetime) -> datetime:
        """The first tick later than `moment` (UTC)."""
        return next(CronSim(self.expression, moment))


class TimerListener:
    """The listener of one timer function. ``end`` ends the instance, with an exit code."""

    def __init__(
        self, function: Function, invoker: Invoker, times: Times, *, host_id: str, end: Callable[[int], None]
    ) -> None:
        self._function = function
        self._invoker = invoker
        self._look_again = times.tick_lease
        self._end = end
        self._draining = asyncio.Event()
        self._stopping = asyncio.Event()
        self._last: datetime | None = None
        self._name = function.name
        options = function.trigger.options
        where = f"{function.name}/function.json"
        try:
            self._schedule = Schedule(resolve(str(options.get("schedule", "")), where=where))
            self._retries, self._delay = _retry(function)
        except ValueError as error:
            raise CannotStartError(f"{where}: {error}.") from None
        self._starts_with_a_tick = bool(options.get("runOnStartup"))
        self._is_monitored = bool(options.get("useMonitor", True)) and self._schedule.is_slow
        self._storage = TimerStorage(
            host_id, function.name, lease_seconds=times.tick_lease, patience=times.storage_patience
        )

    async def run(self) -> None:
        """Tick by the schedule until drained, as long as this is the instance that ticks.

        Where storage refuses what it needs to begin it tries again, less and less often; the instance does without its
        timer until then (AllowPartialHostStartup).
        """
        if self._starts_with_a_tick:
            await self._tick()
        pause = _FIRST_PAUSE
        while not self._draining.is_set():
            try:
                if await asyncio.to_thread(self._storage.hold):
                    await self._tick_while_it_holds()
                else:
                    await _is_set_within(self._draining, self._look_again)
            except AzureError as error:
                logger.error("The timer of %s does not start: %s; in %.0f s again", self._name, short(error), pause)
                await _is_set_within(self._draining, pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def drain(self) -> None:
        """Begin no further tick; one that has failed is run again all the same."""
        self._draining.set()

    def stop(self) -> None:
        """Begin no further tick, nor a retry of one."""
        self.drain()
        self._stopping.set()

    async def by_hand(self, _text: str) -> None:
        """Tick now and once, beside whatever else ticks, also when it is drained; a timer takes no input."""
        await self._invoker.invoke(self._function, self._request(past_due=False))

    async def _tick_while_it_holds(self) -> None:
        keeping = asyncio.create_task(self._keep_the_lease())
        try:
            due = self._schedule.next_after(datetime.now(UTC))
            if self._is_monitored and await asyncio.to_thread(self._has_missed_one) and not self._draining.is_set():
                due = await self._tick(past_due=True)
            while await self._comes(due):
                due = await self._tick(due)
            await keeping
        finally:
            keeping.cancel()
            await asyncio.to_thread(self._storage.let_go)

    async def _keep_the_lease(self) -> None:
        """Until drained: it lets go of it then, and does not wait for a tick that runs (SingletonListener)."""
        while not await _is_set_within(self._draining, self._look_again / 2):
            try:
                await asyncio.to_thread(self._storage.renew)
            except AzureError as error:
                if is_of_the_server(error):
                    logger.warning("The lease of %s is not renewed: %s", self._name, short(error))
                    continue
                logger.error("The lease of %s is lost, so this instance ends: %s", self._name, short(error))
                self._end(EXIT_STORAGE)
        await asyncio.to_thread(self._storage.let_go)

    async def _comes(self, due: datetime) -> bool:
        """Wait until then; False where it is drained."""
        while not self._draining.is_set():
            wait = (due - datetime.now(UTC)).total_seconds()
            if wait <= 0:
                return True
            # Not longer than a few seconds: the wait stands still while the machine sleeps, the clock does not.
            await _is_set_within(self._draining, min(wait, 5))
        return False

    def _has_missed_one(self) -> bool:
        """Since some instance ticked last, or looked first. Raises AzureError."""
        status, now = self._storage.read(), datetime.now(UTC)
        if status is None:
            self._note(Status(None, self._schedule.next_after(now), now))
            return False
        since = status.last or status.updated
        following = self._schedule.next_after(since)
        if following != status.next:  # it had another schedule then: nothing of that is due
            since = since if following > now else now
            self._note(Status(None, self._schedule.next_after(since), since))
            return False
        self._last = status.last
        return status.next <= now

    def _note(self, status: Status) -> None:
        """A status that cannot be written keeps nobody from ticking."""
        try:
            self._storage.write(status)
        except AzureError as error:
            logger.warning("The status of %s cannot be written: %s", self._name, type(error).__name__)

    async def _tick(self, due: datetime | None = None, *, past_due: bool = False) -> datetime:
        """Run the function once, with its retries, and none once stopped. Returns the next time after it began: one
        that passes while it runs is made up for, by this instance or by the next one."""
        began = datetime.now(UTC)
        for attempt in range(self._retries + 1):
            if attempt and not await self._retry_comes():
                break
            request = self._request(past_due=past_due)
            outcome = await self._invoker.invoke(self._function, request, attempt=attempt, attempts=self._retries)
            if outcome.succeeded:
                break
        # As if not before it was due, where the clock went back since: else the same time would come twice.
        self._last = max(began, due or began)
        following = self._schedule.next_after(self._last)
        if self._is_monitored:
            await asyncio.to_thread(self._note, Status(self._last, following, self._last))
        return following

    async def _retry_comes(self) -> bool:
        """Wait until then; False where it is stopped."""
        with self._invoker.retry_pending():
            return not await _is_set_within(self._stopping, self._delay)

    def _request(self, *, past_due: bool) -> Any:
        now = datetime.now(UTC)
        last = self._last.isoformat() if self._last else _NEVER
        status = {"Last": last, "Next": self._schedule.next_after(now).isoformat(), "LastUpdated": last}
        content = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
        return protos.TypedData(json=json.dumps(content))


async def _is_set_within(event: asyncio.Event, delay: float) -> bool:
    """Wait for `delay` seconds, or until it is set: True then."""
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), delay)
    return event.is_set()


def _retry(function: Function) -> tuple[int, float]:
    """How often and after how many seconds a failed tick is run again; ValueError for what is not done here."""
    retry = function.config.get("retry")
    if retry is None:
        return 0, 0.0
    if retry.get("strategy") != "fixedDelay":
        raise ValueError(f"the retry strategy {retry.get('strategy')!r} is not known to this host; it knows fixedDelay")
    count = retry.get("maxRetryCount")
    if not isinstance(count, int) or count < 0:
        raise ValueError(f"its retry needs a maxRetryCount of 0 or more, not {count!r}")
    return count, seconds(retry.get("delayInterval", ""))
