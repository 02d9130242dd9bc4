"""Queue functions of the local host: every message is run until it succeeds or is poison, whatever dies."""

import json
import os
import signal
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from azure.storage.queue import QueueClient, TextBase64EncodePolicy
from toy_functions import ToyApp, eventually, queue_trigger

from local.azurite import Azurite
from local.host.errors import EXIT_CUT_OFF, EXIT_STOPPED
from local.host.process import HostProcess
from local.host.times import Times

pytestmark = pytest.mark.slow

SHORT = Times(invisible=1)


@pytest.fixture(scope="module")
def storage() -> Iterator[str]:
    with Azurite() as azurite:
        yield azurite.connection_string


@pytest.fixture
def app(tmp_path: Path) -> ToyApp:
    return ToyApp(tmp_path).host(queues={"visibilityTimeout": "00:00:00"})


class Queue:
    """A queue of its own for one test, `%TOYS%` for the function, with the settings for a host."""

    def __init__(self, storage: str, name: str) -> None:
        self.settings = {"ToyStorage": storage, "TOYS": name}
        self.client = QueueClient.from_connection_string(storage, name, message_encode_policy=TextBase64EncodePolicy())
        self.poison = QueueClient.from_connection_string(storage, f"{name}-poison")
        self.client.create_queue()

    def is_empty(self) -> bool:
        return self.client.get_queue_properties().approximate_message_count == 0


@pytest.fixture
def queue(storage: str, tmp_path: Path) -> Queue:
    return Queue(storage, tmp_path.name.replace("_", "-").strip("-"))


TRACING = """
    def main(message: func.QueueMessage) -> None:
        trace(message.get_body().decode())
"""


def test_messages_are_run_with_their_metadata_and_deleted(app: ToyApp, queue: Queue) -> None:
    code = """
        import json

        def main(message: func.QueueMessage) -> None:
            trace(json.dumps(message.to_dict()))
    """
    app.function("Worker", queue_trigger("%TOYS%"), code=code)
    sent = {text: queue.client.send_message(text) for text in ("one", "zwei", "dreißig")}
    with HostProcess(app.root, settings=queue.settings, log=app.log):
        eventually(queue.is_empty)

    seen = {message["body"]: message for message in map(json.loads, app.traces())}
    assert len(app.traces()) == 3
    assert seen.keys() == sent.keys()
    for text, message in seen.items():
        assert (message["id"], message["dequeue_count"]) == (sent[text].id, 1)
        assert message["pop_receipt"]
        assert datetime.fromisoformat(message["insertion_time"]) == sent[text].inserted_on
        assert datetime.fromisoformat(message["expiration_time"]) == sent[text].expires_on
        assert datetime.fromisoformat(message["time_next_visible"]) > datetime.now(UTC)


def test_a_message_by_hand_goes_past_the_queue(app: ToyApp, queue: Queue) -> None:
    app.function("Worker", queue_trigger("%TOYS%"), code=TRACING)
    with HostProcess(app.root, settings=queue.settings, log=app.log) as host:
        answer = requests.post(f"{host.url}/admin/functions/Worker", json={"input": "by hand"}, timeout=10)
        assert answer.status_code == 202
        eventually(app.traces)

    assert app.traces() == ["by hand"]


def test_an_exception_brings_the_message_back_and_after_five_it_is_poison(app: ToyApp, queue: Queue) -> None:
    code = """
        def main(message: func.QueueMessage) -> None:
            trace(message.dequeue_count)
            raise ValueError("a toy exception")
    """
    app.function("Worker", queue_trigger("%TOYS%"), code=code)
    queue.client.send_message("bad")
    with HostProcess(app.root, settings=queue.settings, log=app.log):
        eventually(queue.is_empty)

    assert app.traces() == ["1", "2", "3", "4", "5"]
    (poison,) = queue.poison.receive_messages()
    assert poison.content == b64encode(b"bad").decode()
    log = app.log.read_text()
    assert log.count("ValueError: a toy exception") >= 5
    assert "failed after 5 deliveries and goes to" in log


def test_what_cannot_be_run_is_poison_at_once(app: ToyApp, queue: Queue) -> None:
    app.function("Worker", queue_trigger("%TOYS%"), code=TRACING)
    queue.client.send_message("instances died with it")
    for _ in range(5):
        taken = queue.client.receive_message()
        assert taken is not None
        queue.client.update_message(taken.id, taken.pop_receipt, visibility_timeout=0)
    not_base64 = QueueClient.from_connection_string(queue.settings["ToyStorage"], queue.settings["TOYS"])
    not_base64.send_message("{}")
    with HostProcess(app.root, settings=queue.settings, log=app.log):
        eventually(queue.is_empty)

    assert app.traces() == []
    poison = sorted(message.content for message in queue.poison.receive_messages())
    assert poison == [b64encode(b"instances died with it").decode(), "{}"]


def test_whatever_is_base64_is_run_with_blanks_empty_or_no_text_at_all(app: ToyApp, queue: Queue) -> None:
    code = """
        def main(message: func.QueueMessage) -> None:
            trace(message.get_body().hex())
    """
    app.function("Worker", queue_trigger("%TOYS%"), code=code)
    raw = QueueClient.from_connection_string(queue.settings["ToyStorage"], queue.settings["TOYS"])
    for text in ("Zm9v\n YmFy", "", "//79"):
        raw.send_message(text)
    with HostProcess(app.root, settings=queue.settings, log=app.log):
        eventually(queue.is_empty)

    assert sorted(app.traces()) == ["", b"foobar".hex(), b"\xff\xfe\xfd".hex()]


def test_a_queue_that_is_not_there_is_asked_for_until_it_is_and_never_made(
    app: ToyApp, storage: str, tmp_path: Path
) -> None:
    app.function("Worker", queue_trigger("%TOYS%"), code=TRACING)
    settings = {"ToyStorage": storage, "TOYS": "made-later"}
    with HostProcess(app.root, settings=settings, log=app.log):
        eventually(lambda: app.log.read_text().count("made-later: The specified queue does not exist") > 2)
        late = Queue(storage, "made-later")  # fails where it is there
        late.client.send_message("at last")
        eventually(app.traces)

    assert app.traces() == ["at last"]


def test_a_failed_message_waits_for_the_visibility_timeout(app: ToyApp, queue: Queue) -> None:
    code = """
        def main(message: func.QueueMessage) -> None:
            trace(time.time())
            if message.dequeue_count == 1:
                raise ValueError("once")
    """
    app.function("Worker", queue_trigger("%TOYS%"), code=code)
    queue.client.send_message("again")
    settings = queue.settings | {"AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:01"}
    with HostProcess(app.root, settings=settings, log=app.log):
        eventually(queue.is_empty)

    first, second = map(float, app.traces())
    assert second - first > 0.9


SLOW = """
    async def main(message: func.QueueMessage) -> None:
        trace("begin")
        time.sleep({seconds})  # blocks the event loop, too
        trace("end")
"""


def test_a_running_message_stays_hidden_longer_than_its_first_invisibility(app: ToyApp, queue: Queue) -> None:
    app.function("Worker", queue_trigger("%TOYS%"), code=SLOW.format(seconds=2.5))
    queue.client.send_message("long")
    with (
        HostProcess(app.root, settings=queue.settings, times=SHORT, log=app.log),
        HostProcess(app.root, settings=queue.settings, times=SHORT, log=app.log),
    ):
        eventually(queue.is_empty)

    assert app.traces() == ["begin", "end"]


def test_when_an_instance_is_killed_another_gets_the_message(app: ToyApp, queue: Queue) -> None:
    code = """
        def main(message: func.QueueMessage) -> None:
            trace(f"{os.getppid()} {message.dequeue_count}")
            if message.dequeue_count == 1:
                time.sleep(60)
    """
    app.function("Worker", queue_trigger("%TOYS%"), code=code)
    queue.client.send_message("survives")
    with HostProcess(app.root, settings=queue.settings, times=SHORT, log=app.log) as first:
        eventually(app.traces)
        first.kill()
        with HostProcess(app.root, settings=queue.settings, times=SHORT, log=app.log) as second:
            eventually(queue.is_empty)

    assert app.traces() == [f"{first.pid} 1", f"{second.pid} 2"]


def test_an_instance_that_is_told_to_stop_finishes_its_message(app: ToyApp, queue: Queue) -> None:
    code = """
        def main(message: func.QueueMessage) -> None:
            trace("begin")
            time.sleep(0.5)
            trace("end")
    """
    app.function("Worker", queue_trigger("%TOYS%"), code=code)
    queue.client.send_message("last")
    queue.client.send_message("stays")
    with HostProcess(app.root, settings=queue.settings, log=app.log) as host:
        eventually(app.traces)
        assert host.stop() == EXIT_STOPPED

    assert app.traces() == ["begin", "end"]
    assert queue.client.get_queue_properties().approximate_message_count == 1


def test_what_runs_longer_than_a_stop_leaves_it_is_cut_off(app: ToyApp, queue: Queue) -> None:
    """Its message is not given back: it is hidden for as long as it was when it was taken."""
    app.function("Worker", queue_trigger("%TOYS%"), code=SLOW.format(seconds=60))
    queue.client.send_message("long")
    times = Times(grace=1)
    with HostProcess(app.root, settings=queue.settings, times=times, log=app.log) as host:
        eventually(app.traces)
        assert host.stop() == EXIT_CUT_OFF

    assert app.traces() == ["begin"]
    assert queue.client.get_queue_properties().approximate_message_count == 1
    assert queue.client.receive_message() is None


def test_it_is_drained_by_hand_and_waits_for_what_runs(app: ToyApp, queue: Queue) -> None:
    code = """
        def main(message: func.QueueMessage) -> None:
            trace("begin")
            time.sleep(3)
            trace("end")
    """
    app.function("Worker", queue_trigger("%TOYS%"), code=code)
    queue.client.send_message("last")
    queue.client.send_message("stays")
    with HostProcess(app.root, settings=queue.settings, times=Times(grace=1), log=app.log) as host:
        eventually(app.traces)
        assert requests.post(f"{host.url}/admin/host/drain", timeout=10).status_code == 202
        eventually(
            lambda: requests.get(f"{host.url}/admin/host/drain/status", timeout=10).json()["state"] == "Completed"
        )
        assert app.traces() == ["begin", "end"]
        assert host.stop() == EXIT_STOPPED

    assert queue.client.get_queue_properties().approximate_message_count == 1


def test_a_signal_to_the_worker_as_well_lets_the_message_be_finished(app: ToyApp, queue: Queue) -> None:
    """As at Ctrl-C in a terminal, and where a supervisor stops the whole group."""
    app.function("Worker", queue_trigger("%TOYS%"), code=SLOW.format(seconds=1))
    queue.client.send_message("last")
    with HostProcess(app.root, settings=queue.settings, log=app.log) as host:
        eventually(app.traces)
        host.signal(signal.SIGTERM)
        assert host.wait(15) == EXIT_STOPPED

    assert app.traces() == ["begin", "end"]
    assert queue.is_empty()


def test_ctrl_c_ends_it_as_well(app: ToyApp, queue: Queue) -> None:
    app.function("Worker", queue_trigger("%TOYS%"), code=TRACING)
    with HostProcess(app.root, settings=queue.settings, log=app.log) as host:
        os.kill(host.pid, signal.SIGINT)
        assert host.wait(10) == EXIT_STOPPED


def test_an_invocation_over_the_function_timeout_ends_the_worker_and_fails(app: ToyApp, queue: Queue) -> None:
    code = """
        def main(message: func.QueueMessage) -> None:
            trace(f"{os.getpid()} {message.dequeue_count}")
            if message.dequeue_count == 1:
                time.sleep(60)
    """
    app.host(functionTimeout="00:00:01", queues={"visibilityTimeout": "00:00:00"})
    app.function("Worker", queue_trigger("%TOYS%"), code=code)
    queue.client.send_message("endless")
    with HostProcess(app.root, settings=queue.settings, log=app.log):
        eventually(queue.is_empty)

    first, second = (trace.split() for trace in app.traces())
    assert (first[1], second[1]) == ("1", "2")
    assert first[0] != second[0]
    assert "Timeout value of 0:00:01 exceeded" in app.log.read_text()
