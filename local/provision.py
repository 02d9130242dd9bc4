"""What the templates make in Azure, for a storage account of this machine: the containers of the app, and its queue."""

import argparse
from contextlib import suppress

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

CONTAINERS = ("export-state", "export-catalog")


def provide(connection_string: str, queue: str) -> None:
    """What is there already stays. Raises azure.core.exceptions.AzureError."""
    for name in CONTAINERS:
        make_container(connection_string, name)
    make_queue(connection_string, queue)


def is_blank(connection_string: str, queue: str) -> bool:
    """Whether none of it is there. Raises azure.core.exceptions.AzureError at the first call that fails, and ValueError
    where it is no connection string."""
    for name in CONTAINERS:
        with ContainerClient.from_connection_string(connection_string, name, retry_total=0) as container:
            if container.exists():
                return False
    with QueueClient.from_connection_string(connection_string, queue, retry_total=0) as client:
        try:
            client.get_queue_properties()
        except ResourceNotFoundError:
            return True
    return False


def make_container(connection_string: str, name: str) -> None:
    with ContainerClient.from_connection_string(connection_string, name) as client, suppress(ResourceExistsError):
        client.create_container()


def make_queue(connection_string: str, name: str) -> None:
    with QueueClient.from_connection_string(connection_string, name) as client, suppress(ResourceExistsError):
        client.create_queue()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.provision", description=__doc__)
    parser.add_argument("--storage", default="UseDevelopmentStorage=true", help="its connection string (Azurite)")
    parser.add_argument("--queue", default="export-work", help="EXPORT_QUEUE (default: export-work)")
    given = parser.parse_args()
    provide(given.storage, given.queue)


if __name__ == "__main__":
    main()
