"""The port of blobs, held to its contract on Azurite and in memory: blobs that are made of blocks."""

import base64

import pytest
from port_sides import SIDES, memory, side_of

from shared.errors import Changed
from shared.ports.blobs import Blobs

ONE, TWO, THREE = (base64.b64encode(text).decode() for text in (b"p00000001", b"p00000002", b"f00000001"))


@pytest.fixture(params=SIDES)
def blobs(request: pytest.FixtureRequest) -> Blobs:
    """With two blocks staged of the blob ``name``."""
    blobs = side_of(request).new_blobs()
    blobs.stage("name", ONE, b"first ")
    blobs.stage("name", TWO, b"second ")
    return blobs


def content(blobs: Blobs) -> bytes | None:
    read = blobs.read("name")
    return read.data if read else None


def test_staged_blocks_are_not_seen(blobs: Blobs) -> None:
    assert content(blobs) is None
    assert list(blobs.chunks("name")) == []
    assert list(blobs.list("")) == []
    assert blobs.blocks("name") == []


@pytest.mark.parametrize("order", [(ONE, TWO), (TWO, ONE), (TWO,), (ONE, ONE)])
def test_a_blob_is_made_of_blocks_in_the_order_given(blobs: Blobs, order: tuple[str, ...]) -> None:
    blobs.commit("name", list(order))
    assert content(blobs) == b"".join({ONE: b"first ", TWO: b"second "}[block] for block in order)
    assert blobs.blocks("name") == list(order)
    assert [info.name for info in blobs.list("")] == ["name"]


def test_committed_twice_it_is_the_same_blob(blobs: Blobs) -> None:
    for _ in range(3):
        blobs.commit("name", [ONE, TWO])
        assert content(blobs) == b"first second "
    blobs.stage("name", ONE, b"first ")
    blobs.stage("name", TWO, b"second ")
    blobs.commit("name", [ONE, TWO])
    assert content(blobs) == b"first second "


def test_committed_blocks_go_on_with_staged_ones(blobs: Blobs) -> None:
    blobs.commit("name", [ONE, TWO])
    blobs.stage("name", THREE, b"third")
    assert content(blobs) == b"first second "
    blobs.commit("name", [ONE, THREE])
    assert content(blobs) == b"first third"
    assert blobs.blocks("name") == [ONE, THREE]


def test_a_block_that_is_staged_again_takes_the_place_of_the_other(blobs: Blobs) -> None:
    blobs.stage("name", ONE, b"1st ")
    blobs.commit("name", [ONE, TWO])
    assert content(blobs) == b"1st second "
    blobs.stage("name", TWO, b"2nd")
    blobs.commit("name", [ONE, TWO])
    assert content(blobs) == b"1st 2nd"


def test_staged_blocks_that_were_not_named_are_gone(blobs: Blobs) -> None:
    blobs.commit("name", [ONE])
    with pytest.raises(Changed):
        blobs.commit("name", [ONE, TWO])
    assert content(blobs) == b"first "


def test_committed_blocks_that_were_not_named_are_gone(blobs: Blobs) -> None:
    blobs.commit("name", [ONE, TWO])
    blobs.commit("name", [TWO])
    with pytest.raises(Changed):
        blobs.commit("name", [ONE, TWO])
    assert content(blobs) == b"second "


def test_a_write_takes_the_place_of_the_blocks(blobs: Blobs) -> None:
    blobs.commit("name", [ONE, TWO])
    blobs.write("name", b"whole")
    assert blobs.blocks("name") == []
    with pytest.raises(Changed):
        blobs.commit("name", [ONE])
    assert content(blobs) == b"whole"


def test_deleted_its_blocks_are_gone(blobs: Blobs) -> None:
    blobs.commit("name", [ONE, TWO])
    blobs.delete("name")
    assert blobs.blocks("name") == []
    with pytest.raises(Changed):
        blobs.commit("name", [ONE, TWO])


def test_blocks_take_the_place_of_the_version_that_was_read_alone(blobs: Blobs) -> None:
    blobs.commit("name", [ONE])
    (before,) = (info.etag for info in blobs.list("name"))
    blobs.stage("name", TWO, b"second ")
    blobs.commit("name", [ONE, TWO], replaces=before)
    assert content(blobs) == b"first second "

    with pytest.raises(Changed):
        blobs.commit("name", [ONE], replaces=before)
    assert content(blobs) == b"first second "


def test_blocks_that_replace_what_is_gone_make_nothing(blobs: Blobs) -> None:
    blobs.commit("name", [ONE])
    (before,) = (info.etag for info in blobs.list("name"))
    blobs.delete("name")
    blobs.stage("name", ONE, b"first ")
    with pytest.raises(Changed):
        blobs.commit("name", [ONE], replaces=before)
    assert content(blobs) is None


def test_of_no_blocks_it_is_empty(blobs: Blobs) -> None:
    blobs.commit("name", [])
    assert content(blobs) == b""
    assert blobs.blocks("name") == []


def test_a_commit_is_a_write_to_whoever_has_read_before(blobs: Blobs) -> None:
    etag = blobs.write("name", b"whole", metadata={"status": "open"})
    blobs.stage("name", ONE, b"first ")
    blobs.commit("name", [ONE])
    with pytest.raises(Changed):
        blobs.write("name", b"mine", replaces=etag)
    assert [info.metadata for info in blobs.list("", metadata=True)] == [{}]


def test_blocks_of_one_blob_are_not_those_of_another(blobs: Blobs) -> None:
    with pytest.raises(Changed):
        blobs.commit("other", [ONE])
    assert blobs.read("other") is None


def test_in_memory_ids_of_two_lengths_are_refused_as_by_azure() -> None:
    blobs = memory().new_blobs()
    blobs.stage("name", ONE, b"")
    with pytest.raises(ValueError, match="differ in length"):
        blobs.stage("name", base64.b64encode(b"1").decode(), b"")


def test_in_memory_a_write_drops_what_is_staged_as_azure_does() -> None:
    # Azurite keeps it, and nobody may rely on either.
    blobs = memory().new_blobs()
    blobs.stage("name", ONE, b"first ")
    blobs.write("name", b"whole")
    with pytest.raises(Changed):
        blobs.commit("name", [ONE])
