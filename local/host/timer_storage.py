"""What the host keeps of a timer in its own storage: who ticks, and when it ticked last.

As the timer's extension does in ``azure-webjobs-hosts`` of AzureWebJobsStorage: a lease that one instance holds
(SingletonListener), and a status (StorageScheduleMonitor), by which it tells after a restart that a time was missed.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient

from local.host.storage_service import blob_service

_CONTAINER = "azure-webjobs-hosts"


@dataclass(frozen=True)
class Status:
    """``last`` is when the last tick began, None as long as there was none; ``next`` is the first time after that, or
    else after ``updated``."""

    last: datetime | None
    next: datetime
    updated: datetime


class TimerStorage:
    """Of one timer function of the app ``host_id``. Everything in it calls the storage, and blocks."""

    def __init__(self, host_id: str, function: str, *, lease_seconds: float, patience: float) -> None:
        service = blob_service("AzureWebJobsStorage", patience=patience)
        self._container = service.get_container_client(_CONTAINER)
        self._lock = self._container.get_blob_client(f"locks/{host_id}/{function}.Listener")
        self._status = self._container.get_blob_client(f"timers/{host_id}/{function}/status")
        self._seconds = int(lease_seconds)
        self._lease: BlobLeaseClient | None = None

    def hold(self) -> bool:
        """Whether this instance ticks from now on, as long as it renews that. Raises AzureError."""
        with suppress(ResourceExistsError):
            self._container.create_container()
        with suppress(ResourceExistsError, HttpResponseError):  # it is there; and held, where it cannot be written
            self._lock.upload_blob(b"", overwrite=False)
        lease = BlobLeaseClient(self._lock, lease_id=str(uuid4()))
        try:
            lease.acquire(lease_duration=self._seconds)
        except HttpResponseError as error:
            if error.status_code == 409:
                return False
            raise
        self._lease = lease
        return True

    def renew(self) -> None:
        """Raises AzureError, also where it is another instance by now."""
        assert self._lease is not None
        self._lease.renew()

    def let_go(self) -> None:
        """For the next one, which need not wait for the end of the lease then."""
        lease, self._lease = self._lease, None
        with suppress(AzureError):
            if lease:
                lease.release()

    def read(self) -> Status | None:
        try:
            said = json.loads(self._status.download_blob().readall())
        except ResourceNotFoundError:
            return None
        last = datetime.fromisoformat(said["Last"]) if said["Last"] else None
        return Status(last, datetime.fromisoformat(said["Next"]), datetime.fromisoformat(said["LastUpdated"]))

    def write(self, status: Status) -> None:
        last = status.last.isoformat() if status.last else None
        said = {"Last": last, "Next": status.next.isoformat(), "LastUpdated": status.updated.isoformat()}
        self._status.upload_blob(json.dumps(said), overwrite=True)
