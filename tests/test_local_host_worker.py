"""The worker process of the local host: what happens when it dies alone, and whose the lines are that it sends."""

import os
import signal
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from azure.storage.queue import QueueClient, TextBase64EncodePolicy
from toy_functions import HTTP_OUT, ToyApp, eventually, http_trigger, queue_trigger

from local.azurite import Azurite
from local.host.errors import EXIT_STOPPED, EXIT_WORKER_ERRORS
from local.host.process import HostProcess
from local.host.times import Times
from local.host.worker_channel import Deaths

pytestmark = pytest.mark.slow


@pytest.fixture
def storage() -> Iterator[str]:
    with Azurite() as azurite:
        yield azurite.connection_string


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch, storage: str) -> QueueClient:
    queue = QueueClient.from_connection_string(storage, "toys", message_encode_policy=TextBase64EncodePolicy())
    queue.create_queue()
    monkeypatch.setenv("ToyStorage", storage)
    return queue


def test_a_worker_that_dies_alone_fails_what_it_had_in_work_and_another_one_is_started(
    tmp_path: Path, queue: QueueClient
) -> None:
    app = ToyApp(tmp_path).host(queues={"visibilityTimeout": "00:00:00"})
    code = """
        def main(message: func.QueueMessage) -> None:
            trace(f"{os.getppid()} {os.getpid()} {message.dequeue_count}")
            if message.dequeue_count <= 2:
                time.sleep(1)
                os._exit(137)
    """
    app.function("Worker", queue_trigger("toys"), code=code)
    waiting = """
        def main(req: func.HttpRequest) -> str:
            time.sleep(60)
            return "never"
    """
    app.function("Waiting", http_trigger(route="waiting"), HTTP_OUT, code=waiting)
    queue.send_message("kills")
    with HostProcess(app.root, log=app.log) as host, ThreadPoolExecutor() as pool:
        beside = pool.submit(requests.get, f"{host.url}/api/waiting", timeout=30)
        eventually(lambda: queue.get_queue_properties().approximate_message_count == 0)
        assert beside.result().status_code == 500
        first, second, third = (trace.split() for trace in app.traces())

    assert {first[0], second[0], third[0]} == {str(host.pid)}
    assert len({first[1], second[1], third[1]}) == 3
    assert [first[2], second[2], third[2]] == ["1", "2", "3"]
    assert "The worker process has ended with exit code 137" in app.log.read_text()


def test_at_the_third_death_the_instance_ends(tmp_path: Path, queue: QueueClient) -> None:
    app = ToyApp(tmp_path).host(queues={"visibilityTimeout": "00:00:00"})
    code = """
        def main(message: func.QueueMessage) -> None:
            trace(message.dequeue_count)
            os._exit(1)
    """
    app.function("Worker", queue_trigger("toys"), code=code)
    queue.send_message("kills")
    with HostProcess(app.root, log=app.log) as host:
        assert host.wait(30) == EXIT_WORKER_ERRORS
    assert app.traces() == ["1", "2", "3"]


def test_a_message_with_which_workers_die_is_poison_after_five(
    tmp_path: Path, queue: QueueClient, storage: str
) -> None:
    """Also where it takes two instances: the third death ends the first one."""
    app = ToyApp(tmp_path).host(queues={"visibilityTimeout": "00:00:00"})
    code = """
        def main(message: func.QueueMessage) -> None:
            trace(f"{os.getppid()} {message.dequeue_count}")
            os._exit(137)
    """
    app.function("Worker", queue_trigger("toys"), code=code)
    queue.send_message("kills")
    short = Times(invisible=2)  # the first instance does not give it back
    with HostProcess(app.root, times=short, log=app.log) as first:
        assert first.wait(30) == EXIT_WORKER_ERRORS
    with HostProcess(app.root, times=short, log=app.log) as second:
        eventually(lambda: queue.get_queue_properties().approximate_message_count == 0)
        assert second.stop() == EXIT_STOPPED

    assert app.traces() == [f"{first.pid} {n}" for n in (1, 2, 3)] + [f"{second.pid} {n}" for n in (4, 5)]
    poison = QueueClient.from_connection_string(storage, "toys-poison")
    assert [message.content for message in poison.receive_messages()] == [b64encode(b"kills").decode()]


def test_a_death_counts_as_long_as_each_is_within_half_an_hour_of_the_one_before() -> None:
    made, *died = 0.0, 60, 60 + 1800, 60 + 3600, 60 + 3600 + 1801, 60 + 3600 + 1802
    moments = iter([made, *died])
    deaths = Deaths(lambda: next(moments))
    counts = []
    for _ in died:
        deaths.add()
        counts.append(deaths.count)
    assert counts == [1, 2, 3, 1, 2]


def restarting(root: Path, what_the_second_start_does: str) -> ToyApp:
    """Its worker dies on demand; each start leaves an x in ``starts``."""
    (root / "starts").write_text("")
    code = f"""
        file = pathlib.Path(__file__).parent.parent / "starts"
        file.write_text(file.read_text() + "x")
        if len(file.read_text()) == 2:
            {what_the_second_start_does}

        def main(req: func.HttpRequest) -> str:
            if req.params.get("die"):
                os._exit(9)
            return "alive"
    """
    return ToyApp(root).host(functionTimeout="00:00:02").function("Toy", http_trigger(), HTTP_OUT, code=code)


def test_one_that_dies_while_it_loads_is_one_death_among_three(tmp_path: Path) -> None:
    app = restarting(tmp_path, "os._exit(9)")
    with HostProcess(app.root, log=app.log) as host:
        assert requests.get(f"{host.url}/api/Toy?die=1", timeout=30).status_code == 500
        eventually(lambda: requests.get(f"{host.url}/api/Toy", timeout=30).text == "alive")
    assert (tmp_path / "starts").read_text() == "xxx"


def test_the_time_that_an_invocation_waits_for_a_worker_counts(tmp_path: Path) -> None:
    app = restarting(tmp_path, "time.sleep(5)")
    with HostProcess(app.root, log=app.log) as host:
        assert requests.get(f"{host.url}/api/Toy?die=1", timeout=30).status_code == 500
        assert requests.get(f"{host.url}/api/Toy", timeout=30).status_code == 500
    assert "Timeout value of 0:00:02 exceeded" in app.log.read_text()


def test_what_runs_over_its_time_is_no_death(tmp_path: Path) -> None:
    """However often: at the third death the instance would end."""
    app = ToyApp(tmp_path).host(functionTimeout="00:00:02")
    code = """
        def main(req: func.HttpRequest) -> str:
            time.sleep(30 if req.params else 0)
            return "in time"
    """
    app.function("Toy", http_trigger(), HTTP_OUT, code=code)
    with HostProcess(app.root, log=app.log) as host:
        for _ in range(4):
            assert requests.get(f"{host.url}/api/Toy?long=1", timeout=30).status_code == 500
            eventually(lambda: requests.get(f"{host.url}/api/Toy", timeout=30).text == "in time")
        assert host.stop() == EXIT_STOPPED


def test_what_the_worker_cannot_tell_has_no_answer_until_it_is_over_its_time(tmp_path: Path) -> None:
    """Lone surrogates are no text for protobuf. Azure's classic worker answers nothing then, by its source."""
    app = ToyApp(tmp_path).host(functionTimeout="00:00:02")
    app.function("Toy", http_trigger(), HTTP_OUT, code="def main(req): raise ValueError(chr(0xD800))")
    with HostProcess(app.root, log=app.log) as host:
        assert requests.get(f"{host.url}/api/Toy", timeout=30).status_code == 500
    assert "Timeout value of 0:00:02 exceeded" in app.log.read_text()


def test_a_clean_stop_logs_no_error(tmp_path: Path) -> None:
    """Several, because it depends on who ends first."""
    app = ToyApp(tmp_path).function("Toy", http_trigger(), HTTP_OUT, code="def main(req): return 'ok'")
    for _ in range(4):
        with HostProcess(app.root, log=app.log) as host:
            assert host.stop() == EXIT_STOPPED
    log = app.log.read_text()
    assert log.count("Stopping: ") == 4
    assert " ERROR " not in log
    assert "Traceback" not in log


def test_the_worker_ends_with_its_instance(tmp_path: Path) -> None:
    app = ToyApp(tmp_path)
    app.function("Who", http_trigger(), HTTP_OUT, code="def main(req): return str(os.getpid())")
    with HostProcess(app.root, log=app.log) as host:
        worker = int(requests.get(f"{host.url}/api/Who", timeout=10).text)
        os.kill(host.pid, signal.SIGKILL)
        host.wait(10)
        eventually(lambda: not _is_alive(worker), seconds=10)


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


LOGGING = """
    import contextvars, threading

    def main(req: func.HttpRequest) -> str:
        logging.info("of the function")
        alone = threading.Thread(target=logging.info, args=("of a thread",))
        alone.start()
        alone.join()
        carried = threading.Thread(target=contextvars.copy_context().run, args=(logging.info, "of its context"))
        carried.start()
        carried.join()
        return "ok"
"""


@pytest.mark.parametrize("native", [False, True])
def test_what_a_thread_logs_is_dropped_unless_it_has_the_context(tmp_path: Path, native: bool) -> None:
    app = ToyApp(tmp_path).function("Log", http_trigger(), HTTP_OUT, code=LOGGING)
    with HostProcess(app.root, native=native, log=app.log) as host:
        requests.get(f"{host.url}/api/Log", timeout=10).raise_for_status()
    log = app.log.read_text()
    assert "root: of the function" in log
    assert "root: of its context" in log
    assert "of a thread" not in log
    assert "A line of root belongs to no invocation that is running, and is dropped" in log
