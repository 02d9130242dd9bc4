"""Timer functions of the local host: by schedule, by hand, never two ticks at a time."""

from collections.abc import Iterator

import pytest
import requests
from toy_functions import ToyApp, eventually, timer_trigger

from local.host.process import HostProcess
from local.host.timer import Schedule

pytestmark = pytest.mark.slow

NEVER = "0 0 0 1 1 *"


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
                time.sleep(0.4)
                trace("Slow end")
        """,
    )
    app.function(
        "Failing",
        timer_trigger(NEVER),
        code="""
            def main(timer: func.TimerRequest, context: func.Context) -> None:
                trace(f"Failing {context.retry_context.retry_count}")
                raise ValueError("always")
        """,
        retry={"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:00"},
    )
    return app


@pytest.fixture(scope="module")
def host(app: ToyApp) -> Iterator[HostProcess]:
    with HostProcess(app.root, settings={"OFTEN": "*/2 * * * * *"}, log=app.log) as host:
        yield host


def traces(app: ToyApp, name: str) -> list[str]:
    return [trace.removeprefix(f"{name} ") for trace in app.traces() if trace.startswith(name)]


def test_a_tick_by_hand_is_taken_at_once_and_two_run_one_after_the_other(app: ToyApp, host: HostProcess) -> None:
    for _ in range(2):
        answer = requests.post(f"{host.url}/admin/functions/Slow", json={}, timeout=0.3)
        assert (answer.status_code, answer.content) == (202, b"")
    eventually(lambda: len(traces(app, "Slow")) == 4)

    assert traces(app, "Slow") == ["begin", "end"] * 2


def test_a_failed_tick_is_run_again_as_its_retry_says(app: ToyApp, host: HostProcess) -> None:
    requests.post(f"{host.url}/admin/functions/Failing", json={}, timeout=10)
    eventually(lambda: app.log.read_text().count(" failed in ") == 3)

    assert traces(app, "Failing") == ["0", "1", "2"]


def test_what_has_no_such_name_cannot_be_run_by_hand(host: HostProcess) -> None:
    assert requests.post(f"{host.url}/admin/functions/Tock", json={}, timeout=10).status_code == 404


def test_a_schedule_ticks(app: ToyApp, host: HostProcess) -> None:
    eventually(lambda: len(traces(app, "Often")) >= 2)

    first, second = traces(app, "Often")[:2]
    assert first.startswith("False 20")
    assert first < second


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
