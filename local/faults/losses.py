"""Messages of the queue are lost with the machines that worked on them; the sweep must take the runs up again."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from local.faults.errors import FaultsError
from local.faults.kills import LATENCY
from local.faults.programs import QUEUE, WORKERS, Kill, Programs
from local.faults.trial import Expectation, Trial, prepare, tick
from local.faults.verdict import Verdict, judge

STATES = ("queued", "planning", "sending", "finishing")

# Longer than a run may be silent before the sweep takes it up.
_SILENCE = timedelta(minutes=6)
_MOST_DELIVERIES = 5  # maxDequeueCount of host.json
_PATIENCE = 60.0
_ATTEMPTS = 5


@dataclass(frozen=True)
class Loss:
    """``ended_after`` in seconds from the tick."""

    what: str
    ended_after: float
    verdict: Verdict


def campaign(programs: Programs, expectation: Expectation, states: tuple[str, ...] = STATES) -> Iterator[Loss]:
    """In each state all workers die and every message is lost; last, one message is delivered too often."""
    names = (f"loss-{number}" for number in count(1))
    for state in states:
        trial, kill = _stopped_in(state, programs, expectation, names)
        with _queue(programs, QUEUE) as queue:
            queue.clear_messages()
        yield _taken_up(trial, kill, f"every message lost while {state}")
    trial, kill = _stopped_in("queued", programs, expectation, names)
    _wear_out(programs)
    programs.workers.start()
    _wait_for_poison(programs)
    yield _taken_up(trial, kill, f"the message of the plan moved to {QUEUE}-poison")


def _stopped_in(state: str, programs: Programs, expectation: Expectation, names: Iterator[str]) -> tuple[Trial, Kill]:
    """A run whose workers have died in this state, which may be over before they do: then it is tried again."""
    everybody = tuple(WORKERS)
    for _ in range(_ATTEMPTS):
        prepare(programs, latency=LATENCY)
        trial = Trial(programs, next(names), expectation)
        trial.set_up()
        if state == "queued":
            kill = programs.workers.kill(everybody)
            trial.start()
            return trial, kill
        trial.start()
        trial.wait_for(state)
        if state == "sending":
            trial.wait_for_calls(expectation.batches // 2)
        kill = programs.workers.kill(everybody)
        if trial.run()["status"] == state:
            return trial, kill
        programs.workers.start()
    raise FaultsError(f"No run was caught {state} in {_ATTEMPTS} attempts: it takes more profiles for that.")


def _taken_up(trial: Trial, kill: Kill, what: str) -> Loss:
    put_back_heartbeat(trial)
    trial.programs.workers.start()
    ticked = time.time()
    tick(trial.programs)
    run = trial.wait_for_end()
    ended = datetime.fromisoformat(run["ended_at"]).timestamp()
    return Loss(what, ended - ticked, judge(trial, run, [kill]))


def put_back_heartbeat(trial: Trial) -> None:
    """As if the run had been silent for minutes already."""
    with ContainerClient.from_connection_string(trial.programs.storage, "export-state") as state:
        name = f"exports/{trial.name}/active.json"
        claim = json.loads(state.download_blob(name).readall())
        heartbeat = datetime.fromisoformat(claim["heartbeat"]) - _SILENCE
        state.upload_blob(name, json.dumps(claim | {"heartbeat": heartbeat.isoformat()}), overwrite=True)


def _wear_out(programs: Programs) -> None:
    """Takes the message as often as it may be delivered, without ever being done with it."""
    with _queue(programs, QUEUE) as queue:
        for _ in range(_MOST_DELIVERIES):
            message = queue.receive_message(visibility_timeout=60)
            if message is None:
                raise FaultsError("The queue does not hold the message of the plan.")
            queue.update_message(message, visibility_timeout=0)


def _wait_for_poison(programs: Programs) -> None:
    deadline = time.monotonic() + _PATIENCE
    with _queue(programs, f"{QUEUE}-poison") as poison:
        while time.monotonic() < deadline:
            try:
                if poison.peek_messages():
                    return
            except ResourceNotFoundError:
                pass  # made with the first message
            time.sleep(0.1)
    raise FaultsError("The message was not moved to the poison queue.")


def _queue(programs: Programs, name: str) -> QueueClient:
    return QueueClient.from_connection_string(programs.storage, name)
