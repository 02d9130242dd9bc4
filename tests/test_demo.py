"""The demo as a process: it stops what it started, whatever ends it, and tells what has gone wrong."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local.demo.client import Client
from local.demo.errors import DemoError
from local.demo.processes import Programs

PROJECT = Path(__file__).resolve().parents[1]


def test_a_program_that_has_ended_is_named_and_can_still_be_asked_for_its_exit_code():
    with subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"]) as process:
        programs = Programs(storage="", standin="", host="", pids={"Azurite": process.pid})
        with pytest.raises(DemoError, match="Azurite has ended by itself"):
            eventually(programs.check)
        assert process.wait() == 7


def test_a_program_that_runs_is_left_alone():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        Programs(storage="", standin="", host="", pids={"Azurite": process.pid}).check()


def eventually(check) -> None:
    """Calls it until it raises, at most 10 seconds long."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        check()
        time.sleep(0.01)


def told_about(run: dict[str, object], *, patience: float = 60) -> str:
    """What the demo's client says of a run that stays like this."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(run).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            with pytest.raises(DemoError) as caught:
                list(Client(url, patience=patience).follow(f"{url}/api/runs/1", check=lambda: None))
        finally:
            server.shutdown()
    return str(caught.value)


def test_a_run_that_fails_is_told_with_what_to_do():
    error = {"code": "key_refused", "message": "The key is not taken.", "action": "Store a new one."}
    run = {"status": "failed", "progress": {"batches": 0, "done": 0}, "error": error}
    assert told_about(run) == "The run did not succeed (failed): The key is not taken. Store a new one."


def test_a_run_that_does_not_move_is_given_up():
    run = {"status": "queued", "progress": {"batches": 0, "done": 0}, "error": None}
    assert told_about(run, patience=0.3).startswith("The run is queued and has not moved for 0 seconds")


class Serving:
    """`python -m local.demo --serve`, when everything is up. `lines`: what it has said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        for line in process.stdout:
            self.lines.append(line)
            if line.startswith("Everything stays up"):
                break
        self.pids = [int(pid) for pid in re.findall(r"\(process (\d+)\)", "".join(self.lines))]

    def rest(self) -> str:
        return self.process.communicate(timeout=60)[0]

    def still_running(self) -> list[int]:
        return [pid for pid in self.pids if is_running(pid)]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    process = subprocess.Popen(
        [sys.executable, "-m", "local.demo", "--serve", "--profiles", "1000"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Serving(process)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_that_was_started(serving: Serving, number: int):
    assert len(serving.still_running()) == 3
    serving.process.send_signal(number)
    assert "Stopping" in serving.rest()
    assert serving.process.returncode == 0
    assert serving.still_running() == []


@pytest.mark.slow
def test_a_program_that_dies_ends_the_demo_with_a_sentence(serving: Serving):
    _, standin, _ = serving.pids
    os.kill(standin, signal.SIGKILL)
    said = serving.rest()
    assert "The stand-in for Campaign Monitor has ended by itself" in said
    assert ".demo/*.log" in said
    assert serving.process.returncode == 1
    assert serving.still_running() == []
