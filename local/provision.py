"""What the templates make in Azure, for a storage account of this machine: the containers of the app, and its queue."""

import argparse
from contextlib import suppress

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

CONTAINERS = ("export-state", "export-catalog")


def provide(connection_string: str, queue: str) -> None:
    """What is there already stays. Raises azure.core.exceptions.AzureError."""
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for name in CONTAINERS:
            with suppress(ResourceExistsError):
                blobs.create_container(name)
    with QueueClient.from_connection_string(connection_string, queue) as client, suppress(ResourceExistsError):
        client.create_queue()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.provision", description=__doc__)
    parser.add_argument("--storage", default="UseDevelopmentStorage=true", help="its connection string (Azurite)")
    parser.add_argument("--queue", default="export-work", help="EXPORT_QUEUE (default: export-work)")
    given = parser.parse_args()
    provide(given.storage, given.queue)


if __name__ == "__main__":
    main()
