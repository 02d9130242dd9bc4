"""Timer functions of the local host: by schedule, by hand, one instance that ticks, and what was missed."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from azure.storage.blob import ContainerClient
from toy_functions import ToyApp, eventually, every_two_seconds_with_a_status, timer_trigger

from local.azurite import Azurite
from local.host.errors import EXIT_STOPPED
from local.host.process import HostProcess
from local.host.settings import host_id
from local.host.timer import Schedule
from local.host.timer_storage import TimerStorage
from local.host.times import Times

pytestmark = pytest.mark.slow

NEVER = "0 0 0 1 1 *"


@pytest.fixture(scope="module")
def storage() -> Iterator[dict[str, str]]:
    with Azurite() as azurite:
        yield {"AzureWebJobsStorage": azurite.connection_string}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> ToyApp:
    app = ToyApp(tmp_path_factory.mktemp("timer"))
    app.function(
        "Often",
        timer_trigger("%OFTEN%"),
        code="""
            def main(timer: func.TimerRequest) -> None:
                trace(f"Often {timer.past_due} {timer.schedule_status['Next']}")
        """,
    )
    app.function(
        "Slow",
        timer_trigger(NEVER),
        code="""
            def main(timer: func.TimerRequest) -> None:
                trace("Slow begin")
                time.sleep(1)
                trace("Slow end")
        """,
    )
    app.function(
        "Failing",
        timer_trigger("%FAILING%"),
        code="""
            def main(timer: func.TimerRequest, context: func.Context) -> None:
                trace(f"Failing {context.retry_context.retry_count}")
                raise ValueError("always")
        """,
        retry={"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:00"},
    )
    app.function(
        "ByHand",
        timer_trigger(NEVER),
        code="""
            def main(timer: func.TimerRequest) -> None:
                trace("ByHand tried")
                raise ValueError("always")
        """,
        retry={"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:00"},
    )
    return app


@pytest.fixture(scope="module")
def host(app: ToyApp, storage: dict[str, str]) -> Iterator[HostProcess]:
    with HostProcess(
        app.root, settings=storage | {"OFTEN": "*/2 * * * * *", "FAILING": "*/10 * * * * *"}, log=app.log
    ) as host:
        yield host


def traces(app: ToyApp, name: str) -> list[str]:
    return [trace.removeprefix(f"{name} ") for trace in app.traces() if trace.startswith(name)]


def test_a_tick_by_hand_is_taken_at_once_and_runs_beside_others(app: ToyApp, host: HostProcess) -> None:
    for _ in range(3):
        answer = requests.post(f"{host.url}/admin/functions/Slow", json={}, timeout=0.3)
        assert (answer.status_code, answer.content) == (202, b"")
    eventually(lambda: len(traces(app, "Slow")) == 6)

    assert traces(app, "Slow") == ["begin"] * 3 + ["end"] * 3


def test_one_by_hand_runs_beside_that_of_the_schedule_also_when_it_is_drained(
    tmp_path: Path, storage: dict[str, str]
) -> None:
    app = ToyApp(tmp_path).function("Tick", timer_trigger("*/2 * * * * *"), code=SLOW_TICK)
    with HostProcess(app.root, settings=storage, log=app.log) as host:
        eventually(app.traces)
        by_hand = f"{host.url}/admin/functions/Tick"
        assert requests.post(by_hand, json={}, timeout=10).status_code == 202
        eventually(lambda: len(app.traces()) >= 2)
        assert requests.post(f"{host.url}/admin/host/drain", timeout=10).status_code == 202
        assert requests.post(by_hand, json={}, timeout=10).status_code == 202
        eventually(lambda: len(app.traces()) >= 6)
    assert [trace.split()[0] for trace in app.traces()] == ["begin"] * 3 + ["end"] * 3


def test_a_failed_tick_is_run_again_as_its_retry_says(app: ToyApp, host: HostProcess) -> None:
    eventually(lambda: len(traces(app, "Failing")) >= 3)

    assert traces(app, "Failing")[:3] == ["0", "1", "2"]


def test_one_by_hand_is_not(app: ToyApp, host: HostProcess) -> None:
    assert requests.post(f"{host.url}/admin/functions/ByHand", json={}, timeout=10).status_code == 202
    eventually(lambda: re.search("ByHand .* failed in ", app.log.read_text()))
    time.sleep(0.5)

    assert traces(app, "ByHand") == ["tried"]


def test_what_has_no_such_name_cannot_be_run_by_hand(host: HostProcess) -> None:
    assert requests.post(f"{host.url}/admin/functions/Tock", json={}, timeout=10).status_code == 404


def test_a_schedule_ticks(app: ToyApp, host: HostProcess) -> None:
    eventually(lambda: len(traces(app, "Often")) >= 2)

    first, second = traces(app, "Often")[:2]
    assert first.startswith("False 20")
    assert first < second


TICKING = """
    def main(timer: func.TimerRequest) -> None:
        trace(f"{os.getppid()} {timer.past_due} {time.time()}")
"""


def ticks(app: ToyApp) -> list[tuple[int, bool, float]]:
    """Of which instance, whether past due, when."""
    parts = [trace.split() for trace in app.traces()]
    return [(int(pid), past_due == "True", float(at)) for pid, past_due, at in parts]


def test_a_tick_that_overran_is_made_up_for_once_and_at_once(tmp_path: Path, storage: dict[str, str]) -> None:
    """While the first one runs, two or three times of the schedule pass."""
    app = ToyApp(tmp_path)
    code = """
        first = [True]

        def main(timer: func.TimerRequest) -> None:
            trace(f"begin {timer.past_due} {time.time()}")
            if first:
                first.clear()
                time.sleep(5)
            trace(f"end {timer.past_due} {time.time()}")
    """
    app.function("Tick", timer_trigger("*/2 * * * * *"), code=code)
    with HostProcess(app.root, settings=storage, log=app.log):
        eventually(lambda: len(app.traces()) >= 6)

    begun = [float(trace.split()[2]) for trace in app.traces() if trace.startswith("begin")]
    ended = [float(trace.split()[2]) for trace in app.traces() if trace.startswith("end")]
    assert not [trace for trace in app.traces() if "True" in trace]
    assert begun[1] - ended[0] < 0.5
    assert begun[2] - begun[1] > 0.5
    assert begun[2] % 2 < 0.5


def failing_once(root: Path, delay: str) -> ToyApp:
    code = """
        def main(timer: func.TimerRequest, context: func.Context) -> None:
            trace(context.retry_context.retry_count)
            assert context.retry_context.retry_count
    """
    retry = {"strategy": "fixedDelay", "maxRetryCount": 3, "delayInterval": delay}
    return ToyApp(root).function("Tick", timer_trigger("*/2 * * * * *"), code=code, retry=retry)


def drain(host: HostProcess) -> None:
    """When its tick has failed, and waits to be run again."""
    waiting = {"state": "Disabled", "outstandingInvocations": 0, "outstandingRetries": 1}
    eventually(lambda: drain_status(host) == waiting)
    assert requests.post(f"{host.url}/admin/host/drain", timeout=10).status_code == 202
    assert drain_status(host) == waiting | {"state": "InProgress"}


def drain_status(host: HostProcess) -> dict[str, object]:
    status: dict[str, object] = requests.get(f"{host.url}/admin/host/drain/status", timeout=10).json()
    return status


def test_draining_waits_for_the_retry_of_a_failed_tick(tmp_path: Path, storage: dict[str, str]) -> None:
    app = failing_once(tmp_path, "00:00:03")
    with HostProcess(app.root, settings=storage, log=app.log) as host:
        drain(host)
        completed = {"state": "Completed", "outstandingInvocations": 0, "outstandingRetries": 0}
        eventually(lambda: drain_status(host) == completed)
        time.sleep(0.5)  # a tick that were made up for would come at once
    assert app.traces() == ["0", "1"]


def test_a_stop_drops_the_retry_of_a_failed_tick(tmp_path: Path, storage: dict[str, str]) -> None:
    app = failing_once(tmp_path, "00:01:00")
    with HostProcess(app.root, settings=storage, log=app.log) as host:
        drain(host)
        assert host.stop() == EXIT_STOPPED
    assert app.traces() == ["0"]


def test_one_of_two_instances_ticks_and_the_other_takes_over(tmp_path: Path, storage: dict[str, str]) -> None:
    app = ToyApp(tmp_path).function("Tick", timer_trigger("*/2 * * * * *"), code=TICKING)
    quick = Times(tick_lease=15)
    with HostProcess(app.root, settings=storage, times=quick, log=app.log) as first:
        eventually(app.traces)
        with HostProcess(app.root, settings=storage, times=quick, log=app.log) as second:
            eventually(lambda: len(ticks(app)) >= 3)
            assert {pid for pid, _, _ in ticks(app)} == {first.pid}
            first.signal(signal.SIGKILL)
            died = time.time()
            eventually(lambda: ticks(app)[-1][0] == second.pid)

    assert next(at for pid, _, at in ticks(app) if pid == second.pid) - died < 2 * 15 + 5


def test_whoever_is_stopped_lets_go_so_that_another_ticks_at_once(tmp_path: Path, storage: dict[str, str]) -> None:
    """Not only when the lease of a minute is over."""
    app = ToyApp(tmp_path).function("Tick", timer_trigger("*/2 * * * * *"), code=TICKING)
    for number in (1, 2):
        with HostProcess(app.root, settings=storage, log=app.log) as host:
            eventually(lambda number=number: len({pid for pid, _, _ in ticks(app)}) == number, seconds=20)
            assert host.stop() == EXIT_STOPPED


SLOW_TICK = """
    def main(timer: func.TimerRequest) -> None:
        trace(f"begin {os.getppid()} {timer.past_due} {time.time()}")
        time.sleep(6)
        trace(f"end {os.getppid()}")
"""


@pytest.mark.parametrize("how", ["drain", "stop"])
def test_a_drain_or_a_stop_lets_another_instance_tick_beside_the_tick_that_still_runs(
    tmp_path: Path, storage: dict[str, str], how: str
) -> None:
    """Past due, because no status tells yet of the first one."""
    app = ToyApp(tmp_path).function("Tick", timer_trigger(every_two_seconds_with_a_status()), code=SLOW_TICK)
    with HostProcess(app.root, settings=storage, log=app.log) as first:
        eventually(app.traces)
        if how == "drain":
            assert requests.post(f"{first.url}/admin/host/drain", timeout=10).status_code == 202
        else:
            os.kill(first.pid, signal.SIGTERM)
        with HostProcess(app.root, settings=storage, log=app.log) as second:
            eventually(lambda: len(app.traces()) == 3)
            assert second.kill()
        assert [trace.rsplit(" ", 1)[0] for trace in app.traces()[:2]] == [
            f"begin {first.pid} False",
            f"begin {second.pid} True",
        ]
        assert app.traces()[2] == f"end {first.pid}"


def test_a_status_says_when_the_tick_began_and_what_comes_after_that(
    tmp_path: Path, storage: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the times that passed during a tick are past due at the next start."""
    app = ToyApp(tmp_path).function("Tick", timer_trigger(every_two_seconds_with_a_status()), code=SLOW_TICK)
    with HostProcess(app.root, settings=storage, log=app.log) as host:
        eventually(app.traces)
        assert host.stop() == EXIT_STOPPED
    monkeypatch.setenv("AzureWebJobsStorage", storage["AzureWebJobsStorage"])
    kept = TimerStorage(host_id(app.root.resolve()), "Tick", lease_seconds=60, patience=0)
    status = kept.read()
    assert status is not None
    assert status.last is not None
    assert abs(float(app.traces()[0].split()[3]) - status.last.timestamp()) < 1
    assert (status.next - status.last).total_seconds() <= 2


def test_after_a_restart_a_missed_time_is_made_up_for_once_and_past_due(
    tmp_path: Path, storage: dict[str, str]
) -> None:
    """By a status that the first instance has left, stopped or dead; of a schedule that comes once a minute at most."""
    minute = time.time() // 60 + 1
    if minute * 60 - time.time() < 10:  # not enough to start
        minute += 1
    settings = storage | {"SCHEDULE": f"0 {time.gmtime(minute * 60).tm_min} * * * *"}
    quick = Times(tick_lease=15)
    apps = []
    for end in (signal.SIGTERM, signal.SIGKILL):
        app = ToyApp(tmp_path / end.name).function("Tick", timer_trigger("%SCHEDULE%"), code=TICKING)
        with HostProcess(app.root, settings=settings, times=quick, log=app.log) as first:
            eventually(lambda app=app: "timers" in blobs(storage, app))
            first.signal(end)
            first.wait(30)
        apps.append(app)
    time.sleep(max(0.0, minute * 60 - time.time()) + 0.5)
    for app in apps:
        for _ in range(2):  # once is enough, however often it is started
            with HostProcess(app.root, settings=settings, times=quick, log=app.log):
                eventually(app.traces)
                time.sleep(1)
        assert [past_due for _, past_due, _ in ticks(app)] == [True]


def test_another_schedule_makes_nothing_due(tmp_path: Path, storage: dict[str, str]) -> None:
    app = ToyApp(tmp_path).function("Tick", timer_trigger("%SCHEDULE%"), code=TICKING)
    now = time.gmtime()
    for schedule in (NEVER, f"0 {now.tm_min} {(now.tm_hour - 1) % 24} * * *"):
        with HostProcess(app.root, settings=storage | {"SCHEDULE": schedule}, log=app.log):
            eventually(lambda: "timers" in blobs(storage, app))
            time.sleep(1)
    assert app.traces() == []


def blobs(storage: dict[str, str], app: ToyApp) -> str:
    with ContainerClient.from_connection_string(storage["AzureWebJobsStorage"], "azure-webjobs-hosts") as container:
        names = container.list_blob_names() if container.exists() else []
        return " ".join(name for name in names if host_id(app.root.resolve()) in name)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("* */15 * * * *", "every second of each minute"),
        ("0 0 12 1 * 1", "NCRONTAB wants both"),
        ("0 0 0 L * *", "NCRONTAB does not know"),
        ("0 0 0 * * 7", "weekday 7"),
        ("0 61 * * * *", "not an NCRONTAB schedule"),
        ("", "not an NCRONTAB schedule"),
    ],
)
def test_a_schedule_that_azure_reads_in_another_way_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Schedule(expression)


@pytest.mark.parametrize("expression", ["0 */15 * * * *", "30 0 2 * JUL MON-FRI", "0 5 1 * *"])
def test_an_ordinary_schedule_is_taken(expression: str) -> None:
    Schedule(expression)


@pytest.mark.parametrize(
    ("expression", "is_kept"),
    [
        ("0 * * * * *", True),
        ("* * * * *", True),
        ("0 */15 * * * *", True),
        ("*/2 30 * * * *", True),
        ("*/2 * 12 * * *", True),
        ("*/2 * * * * MON", True),
        ("0,30 * * * * *", False),
        ("*/5 * * * * *", False),
        ("*/5 */1 0-23 1-31 JAN-DEC *", False),
    ],
)
def test_a_status_is_kept_unless_it_comes_several_times_in_every_minute(expression: str, is_kept: bool) -> None:
    assert Schedule(expression).is_slow == is_kept
