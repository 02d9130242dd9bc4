"""Rejects and audits as files: whole, or an answer that says why not."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from http_world import caller_of, listening
from memory_world import EXPORT, MemoryWorld
from world import csv_rows, person

from shared.errors import Changed, DeploymentError, TemporaryError
from shared.record.run_record import Run
from shared.web import api

FORBIDDEN = DeploymentError("storage_forbidden", "The storage turns the app away.", "Give it its role.")
AWAY = TemporaryError("storage_unavailable", "The storage does not answer.", "Try again.")


class Breaking:
    """Blobs of which none but a record can be read to its end."""

    def __init__(self, blobs: Any, error: Exception) -> None:
        self._blobs = blobs
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)

    def chunks(self, name: str, etag: str | None = None) -> Iterator[bytes]:
        yield next(self._blobs.chunks(name, etag))
        raise self._error


@pytest.fixture
def world() -> MemoryWorld:
    world = MemoryWorld()
    world.save()
    world.put_rows(csv_rows(person(1), person(2, EMail="nobody")), at="2026/11/23/0900")
    return world


def got(world: MemoryWorld, run: Run, file: str, **parts: Any) -> requests.Response:
    app = world.new_app(**parts)
    with listening(api.create(lambda: app, caller_of)) as url:
        return requests.get(f"{url}/api/exports/{EXPORT}/runs/{run.id}/{file}", timeout=10)


@pytest.mark.parametrize("file", ["rejects", "rejects/summary", "audit"])
@pytest.mark.parametrize("error", [AWAY, FORBIDDEN, Changed("rejects.csv")], ids=lambda error: error.code)
def test_a_file_that_cannot_be_read_to_its_end_is_told_as_a_problem(
    world: MemoryWorld, file: str, error: Exception
) -> None:
    run = world.run()
    audit = world.run(audit=True)

    answer = got(world, audit if file == "audit" else run, file, state=Breaking(world.state, error))

    assert answer.status_code >= 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("file", ["rejects", "rejects/summary"])
def test_a_file_that_changes_while_it_is_read_is_read_again(world: MemoryWorld, file: str) -> None:
    """A run that ends adds to it."""
    run = world.run()
    whole = got(world, run, file).content

    class Once(Breaking):
        def chunks(self, name: str, etag: str | None = None) -> Iterator[bytes]:
            yield next(self._blobs.chunks(name, etag))[:40]
            self.chunks = self._blobs.chunks  # type: ignore[method-assign]
            raise self._error

    answer = got(world, run, file, state=Once(world.state, Changed("rejects.csv")))

    assert (answer.status_code, answer.content) == (200, whole)


def test_a_summary_of_what_a_newer_version_tells_more_of(world: MemoryWorld) -> None:
    run = world.run()
    (name,) = (info.name for info in world.state.list(f"runs/{EXPORT}/") if info.name.endswith("rejects.csv"))
    header, row, *_ = world.state.read(name).data.decode().splitlines()  # type: ignore[union-attr]
    world.state.write(name, f"{header},advice\r\n{row},Ask them.\r\n".encode())

    (group,) = got(world, run, "rejects/summary").json()

    assert (group["reason"], group["count"]) == ("email_invalid", 1)
