"""Azure Storage beyond the contract of the ports: how a message is encoded, and what is told where the deployment
lacks something."""

import base64
import uuid
from collections.abc import Callable

import pytest
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from local.azurite import Azurite
from local.provision import make_container, make_queue
from shared.azure.blob_storage import BlobStorage
from shared.azure.queue_storage import QueueStorage
from shared.errors import DeploymentError
from shared.settings import StorageAccount


@pytest.fixture
def account(azurite: Azurite) -> StorageAccount:
    return StorageAccount("ExportStorage", azurite.connection_string)


@pytest.fixture
def container(account: StorageAccount, azurite: Azurite) -> BlobStorage:
    made = BlobStorage(account, f"c-{uuid.uuid4().hex}")
    make_container(azurite.connection_string, made.name)
    return made


def test_a_message_is_in_the_queue_as_the_queue_trigger_reads_it(account: StorageAccount, azurite: Azurite) -> None:
    name = f"q-{uuid.uuid4().hex}"
    queue = QueueStorage(account, name)
    make_queue(azurite.connection_string, name)
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
        lambda container: container.blocks("name"),
        lambda container: container.delete("name"),
        lambda container: container.delete("name", etag="0x8D"),
        lambda container: list(container.list("")),
        lambda container: list(container.folders("")),
        lambda container: container.lease("name", 15),
        lambda container: container.is_leased("name"),
        lambda container: container.probe(),
    ],
    ids=[
        "read",
        "chunks",
        "pinned",
        "write",
        "stage",
        "blocks",
        "delete",
        "conditional",
        "list",
        "folders",
        "lease",
        "is_leased",
        "probe",
    ],
)
def test_a_container_that_is_not_there_is_named(container: BlobStorage, use: Callable[[BlobStorage], object]) -> None:
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
        QueueStorage(account, "none").put("message")
