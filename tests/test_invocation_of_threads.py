"""What a thread logs belongs to the invocation of the function that it works for, as the Functions worker finds it."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import anyio
import azure.functions as func
import pytest
from azure_functions_runtime_v1.bindings.context import Context, _invocation_id_local

from local.host.worker.rpc_log import current_invocation
from shared.azure.function_invocation import carried
from shared.azure.system_clock import SystemClock
from shared.azure.system_threads import SystemThreads
from shared.ports.threads import each, one_ahead

TICK = 0.03  # seconds

log = logging.getLogger("shared.of_threads")
threads = SystemThreads()
clock = SystemClock()


class WorkersHandler(logging.Handler):
    """Finds the invocation of a line as the worker does."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str | None]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.getMessage(), current_invocation()))


@pytest.fixture
def lines() -> Iterator[list[tuple[str, str | None]]]:
    handler = WorkersHandler()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield handler.lines
    log.removeHandler(handler)


def invoke(invocation: str, call: Callable[[], object], *, carry: bool = True) -> None:
    """As the worker runs a door that is a coroutine, which does what blocks in a thread."""

    async def main(context: func.Context) -> None:
        with carried(context) if carry else nullcontext():
            await anyio.to_thread.run_sync(call)

    asyncio.run(main(context_of(invocation)))


def context_of(invocation: str) -> func.Context:
    return Context("ExportHttp", "", invocation, _invocation_id_local, None, None)  # type: ignore[arg-type,return-value]


def say(*what: str) -> bool:
    clock.sleep(TICK)
    log.info(" ".join(what))
    return True


def in_a_crew() -> None:
    each(threads, say, ["one", "two", "three"], at_once=2)


def in_a_crew_of_a_crew() -> None:
    each(threads, lambda one: each(threads, lambda two: say(one, two), "xy", at_once=2), "ab", at_once=2)


def repeated() -> None:
    with threads.repeat(lambda: say("beat"), TICK):
        clock.sleep(6 * TICK)


def repeated_beside_a_crew_of_the_repetition() -> None:
    with threads.repeat(lambda: bool(each(threads, say, ["beat"], at_once=1)), TICK):
        clock.sleep(6 * TICK)


def one_ahead_of_another() -> None:
    assert all(one_ahead(threads, (say(letter) for letter in "abc")))


CALLS = [in_a_crew, in_a_crew_of_a_crew, repeated, repeated_beside_a_crew_of_the_repetition, one_ahead_of_another]


@pytest.mark.parametrize("call", CALLS)
def test_a_line_of_a_thread_belongs_to_its_invocation(
    call: Callable[[], None], lines: list[tuple[str, str | None]]
) -> None:
    invoke("4f1c", call)
    assert lines
    assert {invocation for _, invocation in lines} == {"4f1c"}


def test_without_it_the_line_belongs_nowhere(lines: list[tuple[str, str | None]]) -> None:
    invoke("4f1c", in_a_crew, carry=False)
    assert [invocation for _, invocation in lines] == [None, None, None]


def test_lines_of_invocations_at_once_are_told_apart(lines: list[tuple[str, str | None]]) -> None:
    with ThreadPoolExecutor(3) as pool:
        for letter in "abc":
            pool.submit(invoke, f"of {letter}", lambda letter=letter: each(threads, say, [letter] * 4, at_once=2))
    assert sorted(set(lines)) == [("a", "of a"), ("b", "of b"), ("c", "of c")]
    assert len(lines) == 12


def test_where_nothing_is_invoked_threads_work_all_the_same(lines: list[tuple[str, str | None]]) -> None:
    in_a_crew()
    assert [invocation for _, invocation in lines] == [None, None, None]


def test_what_was_carried_is_over_with_the_block(lines: list[tuple[str, str | None]]) -> None:
    with threads.crew(1) as crew:
        with carried(context_of("4f1c")):
            crew.start(lambda: say("inside"))
        crew.start(lambda: say("outside"))  # in the same thread
    assert lines == [("inside", "4f1c"), ("outside", None)]
