"""One call to Campaign Monitor: what is tried again, how long it waits, what ends it, and what slows all the others."""

import json
import threading
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr
from world import World

from local.memory.clock import ManualClock
from shared.azure.system_clock import SystemClock
from shared.azure.system_threads import SystemThreads
from shared.campaign_monitor.account import Accounts
from shared.campaign_monitor.pace import Pace
from shared.errors import DestinationError, TemporaryError
from shared.ports.destination import UNREADABLE, NotImported


class Unhurried(SystemClock):
    """Lets nobody wait; ``waited`` are the seconds that were to be waited."""

    def __init__(self) -> None:
        self.waited = 0.0
        self.when_asked_to_sleep: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        self.waited += seconds
        self.when_asked_to_sleep()


class Client:
    """A client of the world's account."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = Unhurried()
        accounts = Accounts(world.environment["CAMPAIGN_MONITOR_URL"], self.clock, SystemThreads())
        self.inner = accounts.open(lambda anew: SecretStr(world.key), at_once=4)

    def send(self, *emails: str) -> int:
        """How many were added."""
        rows = [json.dumps({"EmailAddress": email, "ConsentToTrack": "Unchanged"}).encode() for email in emails]
        return self.inner.import_subscribers(self.world.list_id, rows, resubscribe=False).added


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    client = Client(world)
    yield client
    client.inner.close()


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "500"},
        {"kind": "502", "body": "html"},
        {"kind": "503", "body": "empty"},
        {"kind": "504", "body": "html"},
        {"kind": "reset"},
        {"kind": "hang", "seconds": 0.2},
        {"kind": "429", "headers": "none"},
    ],
    ids=lambda fault: "-".join(str(value) for value in fault.values()),
)
def test_a_passing_fault_is_tried_again(client: Client, fault: dict[str, object]) -> None:
    client.world.faults(fault | {"calls": [1, 2]})

    assert client.send("jane@example.com") == 1
    assert len(client.world.imports()) == 3
    assert client.clock.waited > 0
    assert "jane@example.com" in client.world.listed()


def test_an_answer_lost_after_the_rows_were_stored_is_sent_again_and_counts_as_existing(client: Client) -> None:
    client.world.faults({"kind": "reset", "when": "after", "calls": [1]})

    assert client.send("jane@example.com") == 0
    assert list(client.world.listed()) == ["jane@example.com"]


def test_a_byte_order_mark_before_the_answer_is_no_fault(client: Client) -> None:
    client.world.faults({"kind": "bom", "calls": [1]})

    assert client.send("jane@example.com") == 1
    assert client.clock.waited == 0


@pytest.mark.parametrize("headers", ["reset", "retry-after"])
def test_the_wait_that_the_service_asks_for_is_kept(client: Client, headers: str) -> None:
    client.world.faults({"kind": "429", "headers": headers, "wait": 1, "calls": [1]})

    assert client.send("jane@example.com") == 1
    assert client.clock.waited == 1


@pytest.mark.parametrize("headers", ["reset", "retry-after"])
def test_no_time_to_wait_is_none_that_was_asked_for(client: Client, headers: str) -> None:
    """It would be hammered."""
    client.world.faults({"kind": "429", "headers": headers, "wait": 0, "calls": [1, 2, 3]})

    assert client.send("jane@example.com") == 1
    assert client.clock.waited > 0


def test_waits_grow_and_end(client: Client) -> None:
    client.world.faults({"kind": "503", "probability": 1})

    with pytest.raises(TemporaryError) as caught:
        client.send("jane@example.com")

    assert caught.value.code == "campaign_monitor_unavailable"
    assert len(client.world.imports()) == 6
    assert 0 < client.clock.waited <= sum(2**number for number in range(5))


def test_an_interrupted_client_makes_no_more_calls(client: Client) -> None:
    """Neither a first one nor another attempt."""
    client.world.faults({"kind": "503", "probability": 1})
    client.clock.when_asked_to_sleep = client.inner.interrupt

    for _ in range(2):
        with pytest.raises(TemporaryError):
            client.send("jane@example.com")

    assert len(client.world.imports()) == 1


def test_a_request_that_cannot_be_read_is_told_apart(client: Client) -> None:
    row = json.dumps({"EmailAddress": "jane@example.com", "ConsentToTrack": "perhaps"}).encode()

    with pytest.raises(NotImported) as caught:
        client.inner.import_subscribers(client.world.list_id, [row], resubscribe=False)

    assert caught.value.service_code == UNREADABLE
    assert client.clock.waited == 0


def test_too_many_rows_are_a_defect_of_ours_and_nothing_is_tried_again(client: Client) -> None:
    with pytest.raises(DestinationError, match="code 209") as caught:
        client.send(*(f"user{number}@example.com" for number in range(1001)))

    assert "defect" in caught.value.action
    assert client.clock.waited == 0


def test_too_many_requests_halve_the_calls_in_flight_once_for_those_that_flew_together() -> None:
    clock = ManualClock()
    pace = Pace(8, clock, SystemThreads())
    clock.sleep(1)
    with pace.call() as first, pace.call() as second:
        clock.sleep(1)
        pace.slow(first, 0)
        pace.slow(second, 0)
    assert pace.allowed == 4
    clock.sleep(1)
    with pace.call() as third:
        pace.slow(third, 0)
    assert pace.allowed == 2
    for _ in range(2 + 3):
        pace.good()
    assert pace.allowed == 4


def test_a_slowed_pace_lets_no_call_begin_before_its_time_and_no_more_than_allowed_at_once() -> None:
    pace = Pace(2, SystemClock(), SystemThreads())
    with pace.call() as begun:
        pace.slow(begun, 0.1)
    flying, most = 0, 0
    guard = threading.Lock()
    begins: list[float] = []

    def fly() -> None:
        nonlocal flying, most
        with pace.call() as begin:
            with guard:
                begins.append(begin)
                flying += 1
                most = max(most, flying)
            threading.Event().wait(0.01)
            with guard:
                flying -= 1

    threads = [threading.Thread(target=fly) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == pace.allowed == 1
    assert min(begins) >= begun + 0.1
