"""The runner of the storage emulator."""

import os
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azurite import Azurite, AzuriteError

pytestmark = pytest.mark.slow


def test_blobs_and_queues_answer_and_the_process_ends() -> None:
    with Azurite() as azurite:
        BlobServiceClient.from_connection_string(azurite.connection_string).create_container("toys")
        queue = QueueServiceClient.from_connection_string(azurite.connection_string).create_queue("toys")
        queue.send_message("one")

        assert [message.content for message in queue.receive_messages()] == ["one"]

    with pytest.raises(ProcessLookupError):
        os.kill(azurite.pid, 0)


def test_a_location_keeps_what_was_written(tmp_path: Path) -> None:
    with Azurite(tmp_path / "kept") as azurite:
        container = BlobServiceClient.from_connection_string(azurite.connection_string).create_container("toys")
        container.upload_blob("duck", b"quack")

    with Azurite(tmp_path / "kept") as azurite:
        blob = BlobServiceClient.from_connection_string(azurite.connection_string).get_blob_client("toys", "duck")
        assert blob.download_blob().readall() == b"quack"


def test_without_its_packages_the_error_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(AzuriteError, match=r"run npm ci in "):
        Azurite(node_modules=tmp_path / "node_modules")


def test_without_node_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AzuriteError, match="needs Node 20 or newer"):
        Azurite()
