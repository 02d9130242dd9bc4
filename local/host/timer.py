"""The timer trigger: NCRONTAB schedules in UTC, never two ticks at a time, the function's fixed-delay retry."""

import asyncio
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azure.functions.meta import Datum
from cronsim import CronSim, CronSimError

from local.host.errors import CannotStartError
from local.host.functions import Function
from local.host.invocation import Invoker
from local.host.settings import resolve, seconds

_LATE = timedelta(seconds=1)
_NEVER = "0001-01-01T00:00:00"
"""The status of a schedule that has not ticked yet: .NET's smallest date."""


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

    def next_after(self, moment: datetime) -> datetime:
        """The first tick later than `moment` (UTC)."""
        return next(CronSim(self.expression, moment))


class TimerTrigger:
    """The listener of one timer function."""

    def __init__(self, function: Function, invoker: Invoker) -> None:
        self._function = function
        self._invoker = invoker
        self._one_at_a_time = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._last: datetime | None = None
        where = f"{function.name}/function.json"
        try:
            self._schedule = Schedule(resolve(str(function.trigger.options.get("schedule", "")), where=where))
            self._retries, self._delay = _retry(function)
        except ValueError as error:
            raise CannotStartError(f"{where}: {error}.") from None

    async def run(self) -> None:
        """Tick by the schedule until stopped; ticks that fall into a running one are left out, as in Azure."""
        if self._function.trigger.options.get("runOnStartup"):
            await self.tick()
        while not self._stopping.is_set():
            due = self._schedule.next_after(datetime.now(UTC))
            while not self._stopping.is_set() and (wait := (due - datetime.now(UTC)).total_seconds()) > 0:
                # Not longer than a minute: the wait stands still while the machine sleeps, the clock does not.
                await self._stopped_within(min(wait, 60))
            await self.tick(past_due=datetime.now(UTC) - due > _LATE)

    def stop(self) -> None:
        """Begin no further tick, nor a retry of one."""
        self._stopping.set()

    async def by_hand(self, _text: str) -> None:
        """Tick now; a timer takes no input."""
        await self.tick()

    async def tick(self, *, past_due: bool = False) -> None:
        """Run the function once, with its retries; waits while another tick is running, does nothing once stopped."""
        async with self._one_at_a_time:
            if self._stopping.is_set():
                return
            for attempt in range(self._retries + 1):
                if attempt and await self._stopped_within(self._delay):
                    break
                request = self._request(past_due=past_due)
                outcome = await self._invoker.invoke(self._function, request, attempt=attempt, attempts=self._retries)
                if outcome.succeeded:
                    break
            self._last = datetime.now(UTC)

    async def _stopped_within(self, delay: float) -> bool:
        """Wait for `delay` seconds, or until stopped: True then."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), delay)
        return self._stopping.is_set()

    def _request(self, *, past_due: bool) -> Datum:
        # Azure keeps the status in the host's storage; here it lives as long as the instance.
        now = datetime.now(UTC)
        last = self._last.isoformat() if self._last else _NEVER
        status = {"Last": last, "Next": self._schedule.next_after(now).isoformat(), "LastUpdated": last}
        content = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due}
        return Datum(json.dumps(content), "json")


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
