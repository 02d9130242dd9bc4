"""The listeners of the local host, where storage fails: what they cannot do without ends the instance, as in Azure,
also in the middle of a step or a tick."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.storage.queue import QueueClient, TextBase64EncodePolicy
from toy_functions import (
    HTTP_OUT,
    ToyApp,
    eventually,
    every_two_seconds_with_a_status,
    http_trigger,
    queue_trigger,
    timer_trigger,
)

from local.azurite import Azurite
from local.host.errors import EXIT_STOPPED, EXIT_STORAGE
from local.host.process import HostProcess
from local.host.storage_service import blob_service, queue_client
from local.host.times import Times
from local.storage_proxy import StorageProxy

pytestmark = pytest.mark.slow

QUICK = Times(invisible=2, storage_patience=1)
MESSAGES = r"^/toys/messages\b"
ONE_MESSAGE = r"^/toys/messages/"


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    with Azurite() as azurite:
        yield azurite


@pytest.fixture
def proxy(azurite: Azurite) -> Iterator[StorageProxy]:
    with StorageProxy(azurite.connection_string) as proxy:
        yield proxy


@pytest.fixture
def queue(azurite: Azurite) -> Iterator[QueueClient]:
    queue = QueueClient.from_connection_string(
        azurite.connection_string, "toys", message_encode_policy=TextBase64EncodePolicy()
    )
    queue.create_queue()
    yield queue
    queue.delete_queue()


@pytest.fixture
def app(tmp_path: Path) -> ToyApp:
    code = """
        def main(message: func.QueueMessage) -> None:
            text = message.get_body().decode()
            trace(f"begin {text}")
            time.sleep({"long": 30, "short": 1}.get(text, 0))
            trace(f"end {text}")
            assert text != "bad"
    """
    app = ToyApp(tmp_path).host(queues={"visibilityTimeout": "00:00:00"})
    return app.function("Worker", queue_trigger("toys"), code=code)


def started(app: ToyApp, proxy: StorageProxy, times: Times = QUICK) -> HostProcess:
    settings = {"ToyStorage": proxy.connection_string}
    return HostProcess(app.root, settings=settings, times=times, log=app.log)


def is_empty(queue: QueueClient) -> bool:
    return queue.get_queue_properties().approximate_message_count == 0


def test_a_receive_that_is_forbidden_ends_it_at_once(app: ToyApp, proxy: StorageProxy, queue: QueueClient) -> None:
    with started(app, proxy) as host, proxy.refusing("GET", MESSAGES, 403):
        assert host.wait(10) == EXIT_STORAGE
    assert "storage refuses a receive, so this instance ends" in app.log.read_text()


def test_a_receive_that_fails_is_tried_again_for_as_long_as_it_takes(
    app: ToyApp, proxy: StorageProxy, queue: QueueClient
) -> None:
    queue.send_message("one")
    with ExitStack() as stack:
        with proxy.refusing("GET", MESSAGES, 500):
            stack.enter_context(started(app, proxy))
            eventually(lambda: "host.queue: Queue toys: " in app.log.read_text())
        eventually(lambda: is_empty(queue))
    assert app.traces() == ["begin one", "end one"]


@pytest.mark.parametrize("status", [403, 500])
def test_a_renewal_that_is_refused_ends_it_in_the_middle_of_a_step(
    app: ToyApp, proxy: StorageProxy, queue: QueueClient, status: int
) -> None:
    queue.send_message("long")
    with started(app, proxy) as host:
        eventually(app.traces)
        with proxy.refusing("PUT", ONE_MESSAGE, status):
            assert host.wait(20) == EXIT_STORAGE
    assert app.traces() == ["begin long"]
    assert "storage refuses a renewal" in app.log.read_text()


def test_a_deletion_that_is_refused_ends_it_and_the_message_is_run_again(
    app: ToyApp, proxy: StorageProxy, queue: QueueClient
) -> None:
    queue.send_message("one")
    with proxy.refusing("DELETE", ONE_MESSAGE, 403), started(app, proxy) as host:
        assert host.wait(10) == EXIT_STORAGE
    with started(app, proxy):
        eventually(lambda: is_empty(queue))
    assert app.traces() == ["begin one", "end one"] * 2


def test_a_move_to_poison_that_is_refused_ends_it(app: ToyApp, proxy: StorageProxy, queue: QueueClient) -> None:
    """With the role that lacks it an app restarts for ever: the next instance meets the same message."""
    queue.send_message("bad")
    with proxy.refusing("POST", r"^/toys-poison/messages", 403):
        for _ in range(2):
            with started(app, proxy) as host:
                assert host.wait(10) == EXIT_STORAGE
    assert len(app.traces()) == 10


def test_a_receive_that_is_under_way_at_a_drain_begins_nothing(
    app: ToyApp, proxy: StorageProxy, queue: QueueClient
) -> None:
    with started(app, proxy) as host:
        with proxy.delaying("GET", MESSAGES, 3):
            eventually(lambda: len(proxy.calls) > 2)
            time.sleep(2.5)  # one is on its way now
            requests.post(f"{host.url}/admin/host/drain", timeout=10)
            queue.send_message("late")
            time.sleep(4)
        state = requests.get(f"{host.url}/admin/host/drain/status", timeout=10).json()
        assert state == {"state": "Completed", "outstandingInvocations": 0, "outstandingRetries": 0}
        assert host.stop() == EXIT_STOPPED
    assert app.traces() == []


def test_a_stop_during_a_receive_cuts_nothing_off(app: ToyApp, proxy: StorageProxy, queue: QueueClient) -> None:
    with started(app, proxy, Times(grace=1)) as host:
        eventually(lambda: proxy.calls)
        with proxy.delaying("GET", MESSAGES, 20):
            time.sleep(1)  # one is on its way now
            begun = time.monotonic()
            assert host.stop() == EXIT_STOPPED
    assert 0.9 < time.monotonic() - begun < 10
    assert "cut off" not in app.log.read_text()


def test_a_queue_that_is_deleted_during_a_step_ends_nothing(
    app: ToyApp, proxy: StorageProxy, queue: QueueClient
) -> None:
    queue.send_message("short")
    with started(app, proxy) as host:
        eventually(app.traces)
        queue.delete_queue()
        eventually(lambda: "a message is not there any more" in app.log.read_text())
        assert not host.has_ended
    queue.create_queue()


@pytest.mark.parametrize("service", ["queue", "blob"])
def test_a_call_that_fails_is_tried_five_times_more_within_the_patience(
    monkeypatch: pytest.MonkeyPatch, proxy: StorageProxy, service: str
) -> None:
    monkeypatch.setenv("ToyStorage", proxy.connection_string)
    begun = time.monotonic()
    with proxy.refusing("GET", ".", 500), pytest.raises(HttpResponseError):
        if service == "queue":
            queue_client("ToyStorage", "toys", patience=2).receive_message()
        else:
            blob_service("ToyStorage", patience=2).get_account_information()
    assert [call.status for call in proxy.calls] == [500] * 6
    assert 1.9 < time.monotonic() - begun < 4


def test_so_is_one_that_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with StorageProxy("QueueEndpoint=http://127.0.0.1:9/toys;SharedAccessSignature=none") as gone:
        monkeypatch.setenv("ToyStorage", gone.connection_string)
    begun = time.monotonic()
    with pytest.raises(ServiceRequestError):
        queue_client("ToyStorage", "toys", patience=2).receive_message()
    assert 1.9 < time.monotonic() - begun < 4


def ticking(root: Path, seconds: float = 0) -> ToyApp:
    code = f"""
        def main(timer: func.TimerRequest) -> None:
            trace("begin")
            time.sleep({seconds})
            trace("end")
    """
    return ToyApp(root).function("Tick", timer_trigger("*/2 * * * * *"), code=code)


LEASE = "comp=lease"
RENEWED_SOON = Times(tick_lease=15, storage_patience=1)  # 15 s is the shortest lease that there is


def test_an_instance_whose_timer_cannot_start_lives_and_tries_again(tmp_path: Path, proxy: StorageProxy) -> None:
    app = ticking(tmp_path).function("Door", http_trigger(), HTTP_OUT, code="def main(req): return 'open'")
    settings = {"AzureWebJobsStorage": proxy.connection_string}
    with ExitStack() as stack:
        with proxy.refusing("PUT", LEASE, 403):
            host = stack.enter_context(HostProcess(app.root, settings=settings, times=QUICK, log=app.log))
            eventually(lambda: app.log.read_text().count("The timer of Tick does not start") >= 2)
            assert requests.get(f"{host.url}/api/Door", timeout=10).text == "open"
        assert app.traces() == []
        eventually(app.traces)


@pytest.mark.parametrize("status", [403, 409])
def test_a_lease_that_is_lost_ends_the_instance_in_the_middle_of_a_tick(
    tmp_path: Path, proxy: StorageProxy, status: int
) -> None:
    app = ticking(tmp_path, seconds=60)
    settings = {"AzureWebJobsStorage": proxy.connection_string}
    with HostProcess(app.root, settings=settings, times=RENEWED_SOON, log=app.log) as host:
        eventually(app.traces)
        with proxy.refusing("PUT", LEASE, status):
            assert host.wait(20) == EXIT_STORAGE
    assert app.traces() == ["begin"]
    assert "The lease of Tick is lost, so this instance ends" in app.log.read_text()


def test_a_lease_whose_renewal_fails_is_renewed_later(tmp_path: Path, proxy: StorageProxy) -> None:
    app = ticking(tmp_path)
    settings = {"AzureWebJobsStorage": proxy.connection_string}
    with HostProcess(app.root, settings=settings, times=RENEWED_SOON, log=app.log) as host:
        eventually(app.traces)
        with proxy.refusing("PUT", LEASE, 500):
            eventually(lambda: "The lease of Tick is not renewed" in app.log.read_text())
        calls, traces = len(proxy.calls), len(app.traces())
        eventually(lambda: any(LEASE in call.path and call.status == 200 for call in proxy.calls[calls:]))
        eventually(lambda: len(app.traces()) > traces)
        assert not host.has_ended


def test_a_status_that_cannot_be_written_keeps_a_timer_from_nothing(tmp_path: Path, proxy: StorageProxy) -> None:
    code = """
        def main(timer: func.TimerRequest) -> None:
            trace("tick")
    """
    app = ToyApp(tmp_path).function("Tick", timer_trigger(every_two_seconds_with_a_status()), code=code)
    settings = {"AzureWebJobsStorage": proxy.connection_string}
    with (
        proxy.refusing("PUT", "/timers/.*/status", 403),
        HostProcess(app.root, settings=settings, times=QUICK, log=app.log) as host,
    ):
        eventually(lambda: len(app.traces()) >= 2)
        assert host.stop() == EXIT_STOPPED
    refused = [call for call in proxy.calls if call.status == 403]
    assert len(refused) >= 2
    assert app.log.read_text().count("The status of Tick cannot be written") == len(refused)


def test_idle_it_asks_less_and_less_often(app: ToyApp, proxy: StorageProxy, queue: QueueClient) -> None:
    app.host(queues={"maxPollingInterval": "00:00:02"})
    with started(app, proxy):
        time.sleep(8)
    asked = [call.at for call in proxy.calls if call.path.startswith("/toys/messages?")]
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    least = [0.12, 0.21, 0.36, 0.64, 1.12, 1.96, 2.0, 2.0, 2.0]
    assert len(pauses) > 3
    assert all(pause >= expected - 0.02 for pause, expected in zip(pauses, least, strict=False)), pauses
