"""How the app is wired: the one file that knows Azure's and Campaign Monitor's side of the ports. Doors import it."""

import logging
import secrets
from functools import lru_cache

from shared import settings
from shared.azure.blob_storage import BlobStorage
from shared.azure.key_vault import KeyVault
from shared.azure.queue_storage import QueueStorage
from shared.azure.system_clock import SystemClock
from shared.azure.system_threads import SystemThreads
from shared.campaign_monitor.account import Accounts
from shared.parts import App
from shared.ports.clock import Clock
from shared.settings import Settings


@lru_cache(maxsize=1)
def app() -> App:
    """That of this process, as its settings say. Raises DeploymentError."""
    if not logging.getLogger().isEnabledFor(logging.DEBUG):
        # The SDKs would tell each call with all its headers at INFO: most of what Application Insights is paid for.
        logging.getLogger("azure").setLevel(logging.WARNING)
    return wire(settings.from_process())


def wire(chosen: Settings, clock: Clock | None = None) -> App:
    clock, threads = clock or SystemClock(), SystemThreads()
    return App(
        settings=chosen,
        state=BlobStorage(chosen.export_storage, "export-state"),
        catalog_blobs=BlobStorage(chosen.export_storage, "export-catalog"),
        segments=BlobStorage(chosen.segment_storage, chosen.segment_container),
        queue=QueueStorage(chosen.export_storage, chosen.export_queue),
        vault=KeyVault(chosen.key_vault_url, chosen.export_storage, clock),
        destinations=Accounts(chosen.campaign_monitor_url, clock, threads),
        clock=clock,
        threads=threads,
        new_suffix=lambda: secrets.token_hex(4),
    )
