"""The port of blobs, held to its contract on Azurite and in memory: leases."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from port_sides import SIDES, side_of

from shared.errors import Changed, Held
from shared.ports.blobs import Blobs, Lease

SECONDS = 15  # the shortest that Azure gives
BLOCK = "MQ=="


@pytest.fixture(params=SIDES)
def blobs(request: pytest.FixtureRequest) -> Blobs:
    return side_of(request).new_blobs()


def test_a_lease_is_had_by_one_at_a_time(blobs: Blobs) -> None:
    lease = blobs.lease("name", SECONDS)
    assert blobs.is_leased("name")
    for seconds in (SECONDS, 60):
        with pytest.raises(Held, match="name is being worked on"):
            blobs.lease("name", seconds)

    lease.release()

    assert not blobs.is_leased("name")
    blobs.lease("name", 60)
    assert blobs.is_leased("name")


def test_a_listing_tells_what_is_leased(blobs: Blobs) -> None:
    lease = blobs.lease("locks/plan", SECONDS)
    blobs.lease("locks/send", SECONDS).release()
    assert {one.name: one.leased for one in blobs.list("locks/")} == {"locks/plan": True, "locks/send": False}
    lease.release()
    assert not any(one.leased for one in blobs.list("locks/"))


def test_of_two_blobs_two_have_leases(blobs: Blobs) -> None:
    blobs.lease("locks/plan", SECONDS).release()
    blobs.lease("locks/send", SECONDS)
    assert not blobs.is_leased("locks/plan")
    blobs.lease("locks/plan", SECONDS)


def test_a_lease_makes_the_blob_where_it_is_not_there(blobs: Blobs) -> None:
    blobs.lease("new", SECONDS)
    etag = blobs.write("old", b"one")
    blobs.lease("old", SECONDS).renew()

    new, old = blobs.read("new"), blobs.read("old")

    assert new
    assert old
    assert (new.data, old.data, old.etag) == (b"", b"one", etag)


def test_a_leased_blob_can_be_read(blobs: Blobs) -> None:
    etag = blobs.write("name", b"one")
    blobs.lease("name", SECONDS)
    assert list(blobs.chunks("name", etag)) == [b"one"]
    assert [info.name for info in blobs.list("")] == ["name"]


@pytest.mark.parametrize(
    "change",
    [
        lambda blobs, _: blobs.write("name", b"mine"),
        lambda blobs, etag: blobs.write("name", b"mine", replaces=etag),
        lambda blobs, _: blobs.write("name", b"mine", new=True),
        lambda blobs, _: blobs.delete("name"),
        lambda blobs, etag: blobs.delete("name", etag=etag),
        lambda blobs, _: blobs.stage("name", BLOCK, b"mine"),
        lambda blobs, _: blobs.commit("name", []),
    ],
    ids=["write", "replace", "new", "delete", "delete this", "stage", "commit"],
)
def test_a_leased_blob_is_not_changed_without_the_lease(blobs: Blobs, change: Callable[[Blobs, str], object]) -> None:
    etag = blobs.write("name", b"one")
    blobs.lease("name", SECONDS)

    with pytest.raises(Changed):
        change(blobs, etag)

    read = blobs.read("name")
    assert read
    assert (read.data, read.etag) == (b"one", etag)


def test_what_was_leased_can_be_changed_afterwards(blobs: Blobs) -> None:
    blobs.lease("name", SECONDS).release()
    blobs.write("name", b"one")
    blobs.delete("name")


def test_a_lease_that_was_released_is_over(blobs: Blobs) -> None:
    lease = blobs.lease("name", SECONDS)
    lease.renew()
    lease.release()
    lease.release()
    with pytest.raises(Changed):
        lease.renew()
    assert not blobs.is_leased("name")


def test_what_one_releases_twice_is_not_taken_from_the_next(blobs: Blobs) -> None:
    lease = blobs.lease("name", SECONDS)
    lease.release()
    blobs.lease("name", SECONDS)

    lease.release()

    assert blobs.is_leased("name")
    with pytest.raises(Changed):
        lease.renew()


@dataclass(frozen=True)
class RunOut:
    """``SECONDS`` after their beginning: the leases by the names of their blobs. That of ``renewed`` was renewed in
    between."""

    blobs: Blobs
    leases: dict[str, Lease]


@pytest.fixture(params=SIDES, scope="module")
def run_out(request: pytest.FixtureRequest) -> RunOut:
    """One wait for all tests; each has a blob of its own."""
    side = side_of(request)
    blobs = side.new_blobs()
    names = ("seen", "renewed", "late", "taken", "written", "deleted", "made anew", "released", "read")
    leases = {name: blobs.lease(name, SECONDS) for name in names}
    side.pass_by(SECONDS / 3)
    leases["renewed"].renew()
    side.pass_by(SECONDS * 2 / 3)
    return RunOut(blobs, leases)


def test_a_lease_runs_out(run_out: RunOut) -> None:
    assert not run_out.blobs.is_leased("seen")


def test_a_lease_that_is_renewed_goes_on(run_out: RunOut) -> None:
    assert run_out.blobs.is_leased("renewed")
    assert [one.leased for one in run_out.blobs.list("renewed")] == [True]
    with pytest.raises(Held):
        run_out.blobs.lease("renewed", SECONDS)
    run_out.leases["renewed"].renew()


def test_a_lease_that_nobody_took_is_renewed_late(run_out: RunOut) -> None:
    run_out.leases["late"].renew()
    assert run_out.blobs.is_leased("late")
    with pytest.raises(Held):
        run_out.blobs.lease("late", SECONDS)


def test_a_lease_that_somebody_took_is_lost(run_out: RunOut) -> None:
    theirs = run_out.blobs.lease("taken", SECONDS)
    with pytest.raises(Changed, match="taken was changed"):
        run_out.leases["taken"].renew()
    run_out.leases["taken"].release()
    assert run_out.blobs.is_leased("taken")
    theirs.renew()


def test_a_lease_is_lost_with_a_write_after_it_ran_out(run_out: RunOut) -> None:
    run_out.blobs.write("written", b"theirs")
    with pytest.raises(Changed):
        run_out.leases["written"].renew()


def test_a_lease_is_lost_with_its_blob(run_out: RunOut) -> None:
    for name in ("deleted", "made anew"):
        run_out.blobs.delete(name)
    run_out.blobs.write("made anew", b"")
    for name in ("deleted", "made anew"):
        with pytest.raises(Changed):
            run_out.leases[name].renew()
        run_out.leases[name].release()


def test_a_lease_is_released_late(run_out: RunOut) -> None:
    run_out.leases["released"].release()
    with pytest.raises(Changed):
        run_out.leases["released"].renew()


def test_reading_what_was_leased_loses_nothing(run_out: RunOut) -> None:
    read = run_out.blobs.read("read")
    assert read
    assert read.data == b""
    run_out.leases["read"].renew()
