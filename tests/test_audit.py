"""The audit: drift between what an export believes and what the list holds is seen, and nothing is sent."""

import csv
import uuid

import pytest
from snapshots import calls, put_snapshot
from world import FIELDS, SEGMENT, World, person

from shared.errors import Conflict
from shared.plan import pinned_snapshots
from shared.record.run_record import Run
from shared.runs.audit_step import audit_name
from shared.runs.cancel import cancel
from shared.runs.due import last_snapshots, new_snapshots

TABLE = SEGMENT.split("/")[1]
PEOPLE = 8


def email(number: int) -> str:
    return person(number)[1]


@pytest.fixture
def world(world: World) -> World:
    put_snapshot(world, {TABLE: [person(number) for number in range(PEOPLE)]})
    world.save()
    world.run()
    return world


def found(world: World, run: Run) -> list[list[str]]:
    """The rows of audit.csv, without its header and the times."""
    text = b"".join(world.app.state.chunks(audit_name(run))).decode("utf-8-sig")
    header, *rows = csv.reader(text.splitlines())
    assert header == ["email", "finding", "field", "since"]
    return [row[:3] for row in rows]


def test_a_list_that_is_as_it_should_be_gives_no_finding(world: World) -> None:
    before = len(calls(world))

    run = world.run(audit=True)

    assert run.status == "succeeded"
    assert run.findings is not None
    assert (run.findings.acknowledged, run.findings.active) == (PEOPLE, PEOPLE)
    assert (run.findings.sampled, run.findings.fields_dropped) == (PEOPLE, 0)
    assert found(world, run) == []
    assert len(calls(world)) == before
    assert run.counts.rows_read == 0
    assert world.app.claims.held(run.export) is None


def test_who_is_inactive_and_whose_field_is_gone_is_counted_and_named(world: World) -> None:
    states = ["Unconfirmed", "Unsubscribed", "Bounced", "Deleted"]
    world.hold(*({"email": email(number), "state": state} for number, state in enumerate(states)))
    world.hold({"email": email(4), "fields": {"BirthDate": "1990-02-03"}}, {"email": "somebody.else@example.com"})

    run = world.run(audit=True)

    assert run.findings is not None
    assert run.findings.model_dump() == {
        "acknowledged": PEOPLE,
        "active": PEOPLE - len(states),
        "unconfirmed": 1,
        "unsubscribed": 1,
        "bounced": 1,
        "deleted": 1,
        "absent": 0,
        "sampled": PEOPLE,
        "fields_dropped": 1,
    }
    assert sorted(found(world, run)) == sorted(
        [[email(number), state.lower(), ""] for number, state in enumerate(states)]
        + [[email(4), "field_dropped", "City"]]
    )


def test_who_is_not_on_the_list_at_all_is_absent(world: World) -> None:
    """The account was restored, and the list with its id is empty."""
    world.control("POST", "reset")
    world.make_list(world.list_id)

    run = world.run(audit=True)

    assert run.findings is not None
    assert (run.findings.absent, run.findings.active) == (PEOPLE, 0)
    assert len(found(world, run)) == PEOPLE


def test_lists_are_read_page_by_page(world: World) -> None:
    world.hold(*({"email": f"old{number:05}@example.com"} for number in range(2500)))

    run = world.run(audit=True)

    assert run.findings is not None
    assert run.findings.active == PEOPLE
    path = f"lists/{world.list_id}/active"
    assert len(world.control("GET", f"log?path={path}").json()["calls"]) == 3


def test_before_the_first_run_there_is_nothing_to_compare(world: World) -> None:
    other = uuid.uuid4().hex
    second = {"client_id": f"client-{world.list_id}", "id": other, "title": "B", "fields": FIELDS}
    world.control("POST", "lists", second)
    world.save(list_id=other)

    run = world.run(audit=True)

    assert run.findings is not None
    assert run.findings.acknowledged == run.findings.sampled == 0


def test_an_audit_is_no_run_to_the_schedule_and_no_other_kind_of_run_joins_it(world: World) -> None:
    audit = world.start(audit=True)
    with pytest.raises(Conflict, match="it is an audit"):
        world.start()
    world.pump()

    assert world.app.runs.get(audit.export, audit.id).status == "succeeded"
    newest = [
        pinned_snapshots.used(one) for one in pinned_snapshots.newest(world.app, world.app.catalog.export(audit.export))
    ]
    assert new_snapshots(last_snapshots(world.app.runs.newest(audit.export)), newest) is None


@pytest.mark.parametrize("steps_done", [0, 1])
def test_an_audit_ends_as_any_run_does(world: World, steps_done: int) -> None:
    """Cancelled before it begins, or stopped by a key that is not accepted."""
    world.clock.sleeps = False
    run = world.start(audit=True)
    if steps_done:
        world.control("POST", "reset")
    else:
        cancel(world.app, run.export, run.id)
    world.pump_until_ended(run)

    run = world.app.runs.get(run.export, run.id)
    assert run.status == ("failed" if steps_done else "cancelled")
    assert run.findings is None
