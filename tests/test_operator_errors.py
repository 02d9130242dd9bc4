"""What an operator sees when something around a run is wrong: what it is, where, and what to do about it."""

import os
import uuid
from collections.abc import Callable

import pytest
from world import COLUMNS, SEGMENT, World, balances, csv_rows, person

from shared.app import wire
from shared.errors import ConfigurationError
from shared.settings import read

TABLE = SEGMENT.split("/")[1]
AT = "2026/11/23/0900"


@pytest.fixture
def world(world: World) -> World:
    """With two profiles, and a client that does not wait between its attempts."""
    world.clock.sleeps = False
    world.put_rows(csv_rows(person(1), person(2)))
    world.save()
    return world


def rewired(world: World, **environment: str) -> None:
    """The same app with other settings."""
    world.clock.sleeps = False
    world.app = wire(read(world.environment | environment), world.clock)


def wrong_key(world: World) -> None:
    os.environ[f"SECRET_KEY_OF_{world.id.upper()}"] = "not-the-key"


def missing_secret(world: World) -> None:
    del os.environ[f"SECRET_KEY_OF_{world.id.upper()}"]


def unknown_list(world: World) -> None:
    world.save(list_id=uuid.uuid4().hex)


def list_of_another_account(world: World) -> None:
    other = uuid.uuid4().hex
    one = {"id": other, "title": "Theirs", "fields": []}
    client = {"id": f"client-{other}", "name": "Fabrikam", "lists": [one]}
    world.control("POST", "accounts", {"api_key": f"key-{other}", "clients": [client]})
    world.save(list_id=other)


def missing_field(world: World) -> None:
    fields = [{"key": "Postcode", "column": "City"}]
    world.save(mapping={"email": "EMail", "custom_fields": fields})


def unknown_segment(world: World) -> None:
    world.save(segments=["BlobExport/No"])


def incomplete_snapshot(world: World) -> None:
    world.put_model(partitions=2)


def young_snapshot(world: World) -> None:
    rewired(world, QUIET_MINUTES="60")


def missing_column(world: World) -> None:
    world.save(mapping={"email": "Mail"})


def too_many_profiles(world: World) -> None:
    world.save(max_profiles=1)


def container_missing(world: World) -> None:
    world.segments.delete_container()


def campaign_monitor_down(world: World) -> None:
    rewired(world, CAMPAIGN_MONITOR_URL="http://127.0.0.1:9/api/v3.3")


CASES = [
    (wrong_key, "key_rejected", "does not accept the API key of the connection", "Store a valid key in Key Vault"),
    (missing_secret, "secret_missing", "holds no secret key-of-{id}", "Set SECRET_KEY_OF_{ID} to the API key"),
    (unknown_list, "list_not_found", "does not know the list of the export", "Check list_id"),
    (list_of_another_account, "list_not_found", "for this account", "the connection is to the list's account"),
    (missing_field, "fields_missing", "has no custom field Postcode", "Its fields are: City, BirthDate."),
    (
        unknown_segment,
        "segment_not_found",
        "{container} holds no snapshot of the segment BlobExport/No",
        "name",
    ),
    (incomplete_snapshot, "snapshot_incomplete", f"{AT} lacks {TABLE}_2.csv", "try again in some minutes"),
    (young_snapshot, "snapshot_incomplete", f"{AT} was written to", "try again in some minutes"),
    (missing_column, "columns_missing", f"{TABLE}_1.csv has no column Mail", ", ".join(COLUMNS)),
    (too_many_profiles, "too_many_profiles", "has 2 profiles; the export takes at most 1", "raise max_profiles"),
    (container_missing, "container_missing", "has no container {container}", "check SEGMENT_CONTAINER"),
    (campaign_monitor_down, "campaign_monitor_unavailable", "does not answer", "when the service works"),
]


@pytest.mark.parametrize(("break_it", "code", "message", "action"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_run_that_cannot_go_on_says_what_where_and_what_to_do(
    world: World, break_it: Callable[[World], None], code: str, message: str, action: str
) -> None:
    break_it(world)

    run = world.run()

    names = {"id": world.id, "ID": world.id.upper(), "container": world.segments.container_name}
    assert run.status == "failed"
    assert run.error
    assert run.error.code == code
    assert message.format(**names) in run.error.message
    assert action.format(**names) in run.error.action
    assert world.key not in run.model_dump_json()
    assert "@" not in run.model_dump_json()
    # Nothing was sent, every row that was read has its place in the account, and the next run may start.
    assert world.listed() == {}
    assert balances(run)
    assert world.app.claims.held(run.export) is None
    assert world.start().id != run.id


def no_consent(world: World) -> None:
    connection = world.app.catalog.connection(f"c-{world.id}")
    world.app.catalog.save(connection.model_copy(update={"consent": None}))


def no_connection(world: World) -> None:
    world.app.catalog.remove(world.app.catalog.connection(f"c-{world.id}"))


@pytest.mark.parametrize(
    ("break_it", "code", "message", "action"),
    [
        (no_consent, "consent_missing", "Nobody has agreed", "An administrator states who agrees"),
        (no_connection, "connection_not_found", "no connection c-{id}", "GET /api/connections"),
    ],
)
def test_a_run_that_may_not_start_is_refused_before_there_is_one(
    world: World,
    break_it: Callable[[World], None],
    code: str,
    message: str,
    action: str,
) -> None:
    break_it(world)

    with pytest.raises(ConfigurationError) as caught:
        world.start()

    assert caught.value.code == code
    assert message.format(id=world.id) in caught.value.message
    assert action in caught.value.action
    assert list(world.app.runs.ids(f"e-{world.id}")) == []
    assert world.app.claims.held(f"e-{world.id}") is None


def test_consent_that_is_withdrawn_stops_a_run_that_was_started(world: World) -> None:
    run = world.start()
    no_consent(world)

    world.pump()

    run = world.app.runs.get(run.export, run.id)
    assert run.status == "failed"
    assert run.error
    assert run.error.code == "consent_missing"
    assert world.listed() == {}
    assert world.app.claims.held(run.export) is None
