"""This product's own app, which is known by its settings: an emulator that is empty is all that it needs."""

import logging
from os import environ

from azure.core.exceptions import AzureError

from local.provision import is_blank, provide

logger = logging.getLogger("host")

_EMULATOR = ("UseDevelopmentStorage=true", "AccountName=devstoreaccount1")

_OF_THE_APP, _OF_THE_HOST = "ExportStorage", "AzureWebJobsStorage"


def prepare() -> None:
    """Where ExportStorage (an emulator's) and EXPORT_QUEUE are set: the host keeps its own there, too, unless it
    is told where, and what the templates make is made once, on an account that has none of it.

    Where any of it is there nothing is made: what is missing then is missing in Azure, too. Where storage cannot be
    used this is left as it is; whoever needs it says so.
    """
    storage, queue = environ.get(_OF_THE_APP), environ.get("EXPORT_QUEUE")
    if not storage or not queue or not _is_emulator(storage):
        return
    if not environ.get(_OF_THE_HOST) and not environ.get(f"{_OF_THE_HOST}__blobServiceUri"):
        environ[_OF_THE_HOST] = storage
    try:
        if is_blank(storage, queue):
            logger.info("The account of ExportStorage is blank: its containers and the queue %s are made", queue)
            provide(storage, queue)
    except (AzureError, ValueError) as error:
        logger.warning("Whether the account of ExportStorage is blank is not known: %s", type(error).__name__)


def _is_emulator(storage: str) -> bool:
    return any(mark in storage for mark in _EMULATOR)
