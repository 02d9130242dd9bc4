"""Blobs and the queue, on Azurite: what is written is read, by whom it was replaced is noticed."""

import base64
import uuid
from collections.abc import Callable

import pytest
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from local.azurite import Azurite
from shared.errors import Changed, DeploymentError, Held
from shared.settings import StorageAccount
from shared.storage import Container, WorkQueue

PIECE = 4 * 1024 * 1024


@pytest.fixture
def account(azurite: Azurite) -> StorageAccount:
    return StorageAccount("ExportStorage", azurite.connection_string)


@pytest.fixture
def container(account: StorageAccount) -> Container:
    made = Container(account, f"c-{uuid.uuid4().hex}")
    made.create()
    made.create()  # is there already
    return made


def test_what_is_written_is_read(container: Container) -> None:
    etag = container.write("a/b.json", b"one", metadata={"total": "1"})

    read = container.read("a/b.json")

    assert read
    assert (read.data, read.etag) == (b"one", etag)
    (info,) = container.list("a/", metadata=True)
    assert (info.name, info.etag.strip('"'), info.size) == ("a/b.json", etag.strip('"'), 3)
    assert info.metadata == {"total": "1"}
    assert info.modified.tzinfo
    assert container.read("a/c.json") is None


def test_a_write_without_conditions_replaces(container: Container) -> None:
    first = container.write("name", b"one")
    assert container.write("name", b"two") != first
    read = container.read("name")
    assert read
    assert read.data == b"two"


def test_a_new_blob_is_written_once(container: Container) -> None:
    container.write("name", b"one", new=True)
    with pytest.raises(Changed, match="name was changed"):
        container.write("name", b"two", new=True)
    read = container.read("name")
    assert read
    assert read.data == b"one"


@pytest.mark.parametrize(
    "use",
    [
        lambda container, etag: container.write("name", b"mine", replaces=etag),
        lambda container, etag: container.delete("name", etag=etag),
        lambda container, etag: list(container.chunks("name", etag)),
    ],
    ids=["write", "delete", "chunks"],
)
def test_what_somebody_else_has_written_is_not_touched(
    container: Container, use: Callable[[Container, str], object]
) -> None:
    etag = container.write("name", b"one")
    use(container, etag)  # as long as it is the same blob
    etag = container.write("name", b"one")
    container.write("name", b"theirs")

    with pytest.raises(Changed):
        use(container, etag)

    read = container.read("name")
    assert read
    assert read.data == b"theirs"


def test_what_somebody_else_has_deleted_is_not_written_anew(container: Container) -> None:
    etag = container.write("name", b"one")
    container.delete("name")
    with pytest.raises(Changed):
        container.write("name", b"mine", replaces=etag)
    with pytest.raises(Changed):
        list(container.chunks("name", etag))
    assert container.read("name") is None


def test_what_is_not_there_is_deleted_in_silence(container: Container) -> None:
    container.delete("name")


def test_a_large_blob_comes_in_pieces(container: Container) -> None:
    data = bytes(range(256)) * (9 * PIECE // 4 // 256)
    etag = container.write("large", data)

    pieces = list(container.chunks("large", etag))

    assert [len(piece) for piece in pieces] == [PIECE, PIECE, PIECE // 4]
    assert b"".join(pieces) == data


def test_a_blob_that_changes_between_two_pieces_is_noticed(container: Container) -> None:
    etag = container.write("large", b"a" * (PIECE + 1))
    pieces = container.chunks("large", etag)
    assert next(pieces) == b"a" * PIECE

    container.write("large", b"b" * (PIECE + 1))

    with pytest.raises(Changed):
        next(pieces)


def test_without_an_etag_a_blob_that_is_not_there_is_empty(container: Container) -> None:
    assert list(container.chunks("name")) == []


def test_a_blob_of_blocks_is_seen_when_it_is_committed(container: Container) -> None:
    one, two, three = (base64.b64encode(text).decode() for text in (b"1", b"2", b"3"))
    container.stage("name", one, b"first ")
    container.stage("name", two, b"second ")
    assert container.read("name") is None
    assert container.blocks("name") == []

    container.commit("name", [one, two])
    container.stage("name", three, b"third")
    container.commit("name", [one, three])

    read = container.read("name")
    assert read
    assert read.data == b"first third"
    assert container.blocks("name") == [one, three]


def test_folders_are_those_of_one_level(container: Container) -> None:
    for name in ("b/2/x", "b/1/y/z", "b/1/x", "b/file", "bc/3/x", "a"):
        container.write(name, b"")

    assert list(container.folders("")) == ["b", "bc"]
    assert list(container.folders("b/")) == ["1", "2"]
    assert [info.name for info in container.list("b/1")] == ["b/1/x", "b/1/y/z"]


def test_a_lock_is_had_by_one_at_a_time(container: Container) -> None:
    beats: list[str] = []
    with container.locked("locks/plan", lambda: beats.append("one")) as lock:
        lock.check()
        assert container.is_locked("locks/plan")
        with pytest.raises(Held), container.locked("locks/plan", lambda: beats.append("two")):
            pass
        with container.locked("locks/send", lambda: beats.append("three")):
            pass

    assert not container.is_locked("locks/plan")
    with container.locked("locks/plan", lambda: beats.append("four")):
        pass
    assert beats == ["one", "three", "four"]


def test_a_message_is_in_the_queue_as_the_queue_trigger_reads_it(account: StorageAccount, azurite: Azurite) -> None:
    name = f"q-{uuid.uuid4().hex}"
    queue = WorkQueue(account, name)
    queue.create()
    queue.create()
    queue.put('{"city": "Vilnius, Žvėrynas"}')
    queue.put("later", delay=600)

    client = QueueClient.from_connection_string(azurite.connection_string, name)
    (message,) = client.receive_messages(max_messages=10)

    assert base64.b64decode(message.content).decode() == '{"city": "Vilnius, Žvėrynas"}'
    assert message.expires_on
    assert message.inserted_on
    assert (message.expires_on - message.inserted_on).days > 10_000
    assert client.get_queue_properties().approximate_message_count == 2


@pytest.mark.parametrize(
    "use",
    [
        lambda container: container.read("name"),
        lambda container: list(container.chunks("name")),
        lambda container: list(container.chunks("name", "0x8D")),
        lambda container: container.write("name", b""),
        lambda container: container.stage("name", "MQ==", b"1"),
        lambda container: list(container.list("")),
        lambda container: list(container.folders("")),
    ],
    ids=["read", "chunks", "pinned", "write", "stage", "list", "folders"],
)
def test_a_container_that_is_not_there_is_named(container: Container, use: Callable[[Container], object]) -> None:
    service = ContainerClient.from_connection_string(container._account.connection_string or "", container.name)
    service.delete_container()

    with pytest.raises(DeploymentError) as caught:
        use(container)

    assert caught.value.code == "container_missing"
    assert caught.value.message == f"The storage account of ExportStorage has no container {container.name}."
    assert "SEGMENT_CONTAINER" in caught.value.action


def test_a_queue_that_is_not_there_is_named(account: StorageAccount) -> None:
    with pytest.raises(
        DeploymentError, match="container_missing: The storage account of ExportStorage has no queue none"
    ):
        WorkQueue(account, "none").put("message")
