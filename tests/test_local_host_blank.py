"""The local host on an emulator that nobody has prepared: this product's app works, another gets nothing made."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient
from toy_functions import HTTP_OUT, ToyApp, eventually, http_trigger, queue_trigger, timer_trigger

from local.azurite import Azurite
from local.host.process import HostProcess
from local.provision import CONTAINERS, is_blank, make_container, make_queue

pytestmark = pytest.mark.slow

OF_THE_HOST = "azure-webjobs-hosts"


@pytest.fixture
def storage() -> Iterator[str]:
    with Azurite() as azurite:
        yield azurite.connection_string


@pytest.fixture
def app(tmp_path: Path) -> ToyApp:
    """With a door, a timer and a queue, as the product's app."""
    app = ToyApp(tmp_path).function("Door", http_trigger(), HTTP_OUT, code="def main(req): return 'ok'")
    app.function("Tick", timer_trigger("0 0 0 1 1 *"), code="def main(timer): pass")
    return app.function("Worker", queue_trigger("%EXPORT_QUEUE%", "ExportStorage"), code="def main(message): pass")


def settings(storage: str) -> dict[str, str]:
    return {"ExportStorage": storage, "EXPORT_QUEUE": "export-work"}


def containers(storage: str) -> set[str]:
    with BlobServiceClient.from_connection_string(storage) as service:
        return {container.name for container in service.list_containers()}


def queues(storage: str) -> set[str]:
    with QueueServiceClient.from_connection_string(storage) as service:
        return {queue.name for queue in service.list_queues()}


def test_on_a_blank_account_it_makes_what_the_templates_make_and_keeps_its_own_there(app: ToyApp, storage: str) -> None:
    with HostProcess(app.root, settings=settings(storage), log=app.log):
        assert set(CONTAINERS) <= containers(storage)
        assert queues(storage) == {"export-work"}
        eventually(lambda: OF_THE_HOST in containers(storage))  # for its timer


def test_a_setting_of_the_host_of_its_own_holds(app: ToyApp, storage: str) -> None:
    with Azurite() as other:
        given = settings(storage) | {"AzureWebJobsStorage": other.connection_string}
        with HostProcess(app.root, settings=given, log=app.log):
            eventually(lambda: OF_THE_HOST in containers(other.connection_string))
        assert OF_THE_HOST not in containers(storage)


def test_where_a_container_is_there_nothing_is_made(app: ToyApp, storage: str) -> None:
    make_container(storage, CONTAINERS[-1])
    with HostProcess(app.root, settings=settings(storage), log=app.log):
        eventually(lambda: app.log.read_text().count("The specified queue does not exist") > 2)
    assert CONTAINERS[0] not in containers(storage)
    assert queues(storage) == set()


def test_where_the_queue_is_there_nothing_is_made(storage: str) -> None:
    make_queue(storage, "export-work")
    assert not is_blank(storage, "export-work")
    assert is_blank(storage, "another-queue")


def test_what_is_deleted_later_is_not_made_again(app: ToyApp, storage: str) -> None:
    with (
        HostProcess(app.root, settings=settings(storage), log=app.log),
        QueueClient.from_connection_string(storage, "export-work") as queue,
    ):
        queue.delete_queue()
        eventually(lambda: app.log.read_text().count("The specified queue does not exist") > 2)
        with pytest.raises(ResourceNotFoundError):
            queue.get_queue_properties()


def test_another_app_gets_nothing_made(tmp_path: Path, storage: str) -> None:
    app = ToyApp(tmp_path).function("Door", http_trigger(), HTTP_OUT, code="def main(req): return 'ok'")
    with HostProcess(app.root, settings={"ExportStorage": storage, "EXPORT_QUEUE": ""}, log=app.log):
        assert containers(storage) == queues(storage) == set()


def test_where_storage_does_not_answer_it_starts_all_the_same(tmp_path: Path, storage: str) -> None:
    app = ToyApp(tmp_path).function("Door", http_trigger(), HTTP_OUT, code="def main(req): return 'ok'")
    nobody = "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://127.0.0.1:9"
    for wrong in (nobody, "AccountName=devstoreaccount1", "no connection string"):
        with HostProcess(app.root, settings=settings(wrong), log=app.log):
            pass
    assert app.log.read_text().count("Whether the account of ExportStorage is blank is not known") == 2
