"""The port of blobs, held to its contract on Azurite and in memory: bytes, ETags, pieces, listings."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from port_sides import SIDES, Side, memory, side_of

from local.memory.blobs import PAGE
from shared.errors import Changed
from shared.ports.blobs import CHUNK_BYTES, Blobs, same_etag


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return side_of(request)


@pytest.fixture
def blobs(side: Side) -> Blobs:
    return side.new_blobs()


def content(blobs: Blobs, name: str = "name") -> bytes | None:
    read = blobs.read(name)
    return read.data if read else None


USES = [
    pytest.param(lambda blobs, etag: blobs.write("name", b"mine", replaces=etag), id="write"),
    pytest.param(lambda blobs, etag: blobs.delete("name", etag=etag), id="delete"),
    pytest.param(lambda blobs, etag: list(blobs.chunks("name", etag)), id="chunks"),
]
Use = Callable[[Blobs, str], object]


def test_what_is_written_is_read(blobs: Blobs) -> None:
    etag = blobs.write("a/b.json", b"one")
    read = blobs.read("a/b.json")
    assert read
    assert (read.data, read.etag) == (b"one", etag)


def test_what_is_not_there(blobs: Blobs, tmp_path: Path) -> None:
    blobs.write("name-of-another", b"one")
    blobs.probe()
    blobs.delete("name")

    assert blobs.read("name") is None
    assert blobs.download("name", tmp_path / "file") is None
    assert not (tmp_path / "file").exists()
    assert list(blobs.chunks("name")) == []
    assert blobs.blocks("name") == []
    assert not blobs.is_leased("name")
    assert list(blobs.list("none/")) == []
    assert list(blobs.folders("none/")) == []


def test_a_write_without_conditions_replaces(blobs: Blobs) -> None:
    first = blobs.write("name", b"one")
    assert blobs.write("name", b"one") != first
    blobs.write("name", io.BytesIO(b"two"))
    assert content(blobs) == b"two"


def test_a_new_blob_is_written_once(blobs: Blobs) -> None:
    blobs.write("name", b"one", new=True)
    with pytest.raises(Changed, match="name was changed"):
        blobs.write("name", b"two", new=True)
    assert content(blobs) == b"one"
    blobs.delete("name")
    blobs.write("name", b"three", new=True)


def test_each_write_replaces_the_one_before(blobs: Blobs) -> None:
    etag = blobs.write("name", b"0", new=True)
    for number in range(1, 4):
        etag = blobs.write("name", str(number).encode(), replaces=etag)
    assert content(blobs) == b"3"


@pytest.mark.parametrize("use", USES)
def test_what_somebody_else_has_written_is_not_touched(blobs: Blobs, use: Use) -> None:
    etag = blobs.write("name", b"one")
    use(blobs, etag)  # as long as it is the same blob
    etag = blobs.write("name", b"one")
    blobs.write("name", b"one")

    with pytest.raises(Changed):
        use(blobs, etag)
    assert content(blobs) == b"one"


@pytest.mark.parametrize("use", USES)
def test_what_was_deleted_and_made_anew_is_another_blob(blobs: Blobs, use: Use) -> None:
    etag = blobs.write("name", b"one")
    blobs.delete("name")
    blobs.write("name", b"one")
    with pytest.raises(Changed):
        use(blobs, etag)


@pytest.mark.parametrize("use", USES)
def test_the_etag_of_a_listing_is_as_good(blobs: Blobs, use: Use) -> None:
    etag = blobs.write("name", b"one")
    (info,) = blobs.list("")
    assert same_etag(info.etag, etag)

    use(blobs, info.etag)

    blobs.write("name", b"two")
    with pytest.raises(Changed):
        use(blobs, info.etag)


def test_an_etag_of_what_is_gone(blobs: Blobs) -> None:
    etag = blobs.write("name", b"one")
    blobs.delete("name", etag=etag)

    blobs.delete("name", etag=etag)
    with pytest.raises(Changed):
        blobs.write("name", b"mine", replaces=etag)
    with pytest.raises(Changed):
        list(blobs.chunks("name", etag))
    assert content(blobs) is None


def test_an_empty_blob_is_one(blobs: Blobs, tmp_path: Path) -> None:
    etag = blobs.write("name", b"", new=True)

    assert content(blobs) == b""
    assert b"".join(blobs.chunks("name", etag)) == b""
    assert blobs.download("name", tmp_path / "file") == etag
    assert (tmp_path / "file").read_bytes() == b""
    assert [info.size for info in blobs.list("")] == [0]
    with pytest.raises(Changed):
        blobs.write("name", b"", new=True)


@pytest.mark.parametrize("quarters", [1, 4, 9])
def test_a_blob_comes_in_pieces_or_as_a_file(blobs: Blobs, tmp_path: Path, quarters: int) -> None:
    data = bytes(range(256)) * (quarters * CHUNK_BYTES // 4 // 256)
    etag = blobs.write("large", io.BytesIO(data))

    pieces = list(blobs.chunks("large", etag))

    whole, rest = divmod(len(data), CHUNK_BYTES)
    assert [len(piece) for piece in pieces] == [CHUNK_BYTES] * whole + [rest] * bool(rest)
    assert b"".join(pieces) == b"".join(blobs.chunks("large")) == content(blobs, "large") == data
    assert blobs.download("large", tmp_path / "file") == etag
    assert (tmp_path / "file").read_bytes() == data


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "unpinned"])
@pytest.mark.parametrize("deleted", [True, False], ids=["deleted", "written"])
def test_a_blob_that_changes_between_two_pieces_is_noticed(blobs: Blobs, pinned: bool, deleted: bool) -> None:
    etag = blobs.write("large", b"a" * (CHUNK_BYTES + 1))
    pieces = blobs.chunks("large", etag if pinned else None)
    assert next(pieces) == b"a" * CHUNK_BYTES

    if deleted:
        blobs.delete("large")
    else:
        blobs.write("large", b"a" * (CHUNK_BYTES + 1))

    with pytest.raises(Changed):
        next(pieces)


def test_metadata_is_that_of_the_last_write(blobs: Blobs) -> None:
    blobs.write("a", b"1", metadata={"status": "queued", "total": "1"})
    blobs.write("b", b"2", metadata={"status": "failed"})
    blobs.write("b", b"3")

    marks = {info.name: info.metadata for info in blobs.list("", metadata=True)}

    assert marks == {"a": {"status": "queued", "total": "1"}, "b": {}}
    assert [info.metadata for info in blobs.list("")] == [{}, {}]


def test_a_listing_is_in_the_order_of_the_names(blobs: Blobs) -> None:
    names = ["b/2/x", "b/1/y/z", "b/10", "b/1/x", "b/file", "bc/3/x", "b-/x", "B/x", "b0", "a", "ä/x", "b"]
    for name in names:
        blobs.write(name, name.encode())

    assert [(info.name, info.size) for info in blobs.list("")] == [(name, len(name.encode())) for name in sorted(names)]
    assert [info.name for info in blobs.list("b/1")] == ["b/1/x", "b/1/y/z", "b/10"]
    assert [info.name for info in blobs.list("b/1/x")] == ["b/1/x"]


def test_a_listing_tells_when_a_blob_was_written(side: Side, blobs: Blobs) -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC) if side.name == "memory" else datetime.now(UTC)
    blobs.write("a", b"1")
    side.pass_by(1)
    blobs.write("b", b"1")

    first, second = (info.modified for info in blobs.list(""))

    assert timedelta(seconds=-1) <= first - now <= timedelta(seconds=10)  # Azure gives whole seconds
    assert timedelta(seconds=1) <= second - first <= timedelta(seconds=3)


def test_folders_are_those_of_one_level(blobs: Blobs) -> None:
    for name in ("b/2/x", "b/1/y/z", "b/1/x", "b/file", "bc/3/x", "b-/x", "b0/x", "a"):
        blobs.write(name, b"")

    assert list(blobs.folders("")) == ["b-", "b", "b0", "bc"]
    assert list(blobs.folders("b/")) == ["1", "2"]
    assert list(blobs.folders("b/1/")) == ["y"]
    assert list(blobs.folders("b/1/y/")) == []


def test_what_is_deleted_is_listed_no_more(blobs: Blobs) -> None:
    for name in ("a/1", "a/2", "b/1"):
        blobs.write(name, b"")
    blobs.delete("a/2")
    blobs.delete("b/1")
    assert [info.name for info in blobs.list("")] == ["a/1"]
    assert list(blobs.folders("")) == ["a"]


def test_a_long_listing_in_memory_goes_on_over_its_pages_while_blobs_come_and_go() -> None:
    blobs = memory().new_blobs()
    for number in range(2 * PAGE + 1):
        blobs.write(f"a/{number:05}", b"")
    blobs.write("b", b"")

    names = blobs.list("a/")
    first = next(names).name
    blobs.delete(f"a/{PAGE:05}")
    blobs.write(f"a/{2 * PAGE:05}+", b"")
    listed = [first, *(info.name for info in names)]

    expected = [f"a/{number:05}" for number in range(2 * PAGE + 1) if number != PAGE]
    assert listed == [*expected, f"a/{2 * PAGE:05}+"]
