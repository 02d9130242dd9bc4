"""Timer functions of the local host: by schedule, by hand, never two ticks at a time."""

from pathlib import Path

import pytest
import requests
from toy_functions import ToyApp, eventually, timer_trigger

from local.host.process import HostProcess
from local.host.timer import Schedule

pytestmark = pytest.mark.slow

NEVER = "0 0 0 1 1 *"


def test_a_schedule_ticks(tmp_path: Path) -> None:
    app = ToyApp(tmp_path).function(
        "Tick",
        timer_trigger("%OFTEN%"),
        code="""
            def main(timer: func.TimerRequest) -> None:
                trace(f"{timer.past_due} {timer.schedule_status['Next']}")
        """,
    )
    with HostProcess(app.root, settings={"OFTEN": "*/2 * * * * *"}, log=app.log):
        eventually(lambda: len(app.traces()) == 2)

    assert app.traces()[0].startswith("False 20")
    assert app.traces()[0] < app.traces()[1]


def test_a_tick_by_hand_is_taken_at_once_and_two_run_one_after_the_other(tmp_path: Path) -> None:
    app = ToyApp(tmp_path).function(
        "Tick",
        timer_trigger(NEVER),
        code="""
            def main(timer: func.TimerRequest) -> None:
                trace("begin")
                time.sleep(0.3)
                trace("end")
        """,
    )
    with HostProcess(app.root, log=app.log) as host:
        for _ in range(2):
            answer = requests.post(f"{host.url}/admin/functions/Tick", json={}, timeout=0.25)
            assert (answer.status_code, answer.content) == (202, b"")
        eventually(lambda: len(app.traces()) == 4)

    assert app.traces() == ["begin", "end"] * 2


def test_what_has_no_such_name_cannot_be_run_by_hand(tmp_path: Path) -> None:
    app = ToyApp(tmp_path).function("Tick", timer_trigger(NEVER), code="def main(timer): pass")
    with HostProcess(app.root, log=app.log) as host:
        assert requests.post(f"{host.url}/admin/functions/Tock", json={}, timeout=10).status_code == 404


def test_a_failed_tick_is_run_again_as_its_retry_says(tmp_path: Path) -> None:
    app = ToyApp(tmp_path).function(
        "Tick",
        timer_trigger(NEVER),
        code="""
            def main(timer: func.TimerRequest, context: func.Context) -> None:
                trace(context.retry_context.retry_count)
                raise ValueError("always")
        """,
        retry={"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:00"},
    )
    with HostProcess(app.root, log=app.log) as host:
        requests.post(f"{host.url}/admin/functions/Tick", json={}, timeout=10)
        eventually(lambda: app.log.read_text().count(" failed in ") == 3)

    assert app.traces() == ["0", "1", "2"]


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
