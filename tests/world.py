"""Everything around one export, for tests: real storage, the stand-in over HTTP, and a pump for the queue."""

import json
import os
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import requests
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient, TextBase64DecodePolicy
from steered_clock import SteeredClock

from local.provision import make_container, provide
from shared.app import wire
from shared.azure.blob_storage import BlobStorage
from shared.catalog.documents import Connection, Export
from shared.parts import App
from shared.record.run_record import Run
from shared.runs import worker
from shared.runs.start import start
from shared.settings import read

INSTANCE = "CustomerInsights_0f3c1d6e-6f0a-4b52-9d7c-2f1f6c0a9b11"
SEGMENT = "BlobExport/HighValueSegment"
COLUMNS = ("CustomerId", "EMail", "FirstName", "LastName", "City", "BirthDate")
FIELDS = [{"name": "City"}, {"name": "BirthDate", "type": "Date"}]
MAPPING = {
    "email": "EMail",
    "first_name": "FirstName",
    "last_name": "LastName",
    "custom_fields": [{"key": "City", "column": "City"}, {"key": "BirthDate", "column": "BirthDate"}],
}


@dataclass
class World:
    """A container of segments, a list and an export of its own, on an Azurite and a stand-in that are shared."""

    connection_string: str
    standin: str
    environment: dict[str, str] = field(default_factory=dict)
    raised: list[Exception] = field(default_factory=list)  # by the steps, when delivered again

    def __post_init__(self) -> None:
        self.id = uuid.uuid4().hex[:12]
        self.list_id = uuid.uuid4().hex
        self.segments = ContainerClient.from_connection_string(self.connection_string, f"segments-{self.id}")
        self.segments.create_container()
        self.environment = {
            "ExportStorage": self.connection_string,
            "AzureWebJobsStorage": self.connection_string,
            "SEGMENT_CONTAINER": self.segments.container_name,
            "EXPORT_QUEUE": f"work-{self.id}",
            "CAMPAIGN_MONITOR_URL": f"{self.standin}/api/v3.3",
            "QUIET_MINUTES": "0",
        } | self.environment
        self.key = f"key-{self.id}"
        self.secret = f"key-of-{self.id}"
        # Without a vault the key is read from the environment.
        os.environ[f"SECRET_KEY_OF_{self.id.upper()}"] = self.key
        self.clock = SteeredClock()
        provide(self.connection_string, self.environment["EXPORT_QUEUE"])
        self.app: App = wire(read(self.environment), self.clock)
        self._queue = QueueClient.from_connection_string(
            self.connection_string, self.environment["EXPORT_QUEUE"], message_decode_policy=TextBase64DecodePolicy()
        )
        self.make_list(self.list_id)

    def own_state(self) -> None:
        """Gives it state and a catalog of its own: the tick and the sweep look after every export that there is."""
        account = self.app.settings.export_storage
        state, catalog = BlobStorage(account, f"state-{self.id}"), BlobStorage(account, f"catalog-{self.id}")
        for container in (state, catalog):
            make_container(self.connection_string, container.name)
        self.app = replace(self.app, state=state, catalog_blobs=catalog)

    def make_list(self, list_id: str, fields: Iterable[Mapping[str, object]] = FIELDS) -> None:
        """An account, whose key is ``key``, with this list."""
        one = {"id": list_id, "title": "High value customers", "fields": list(fields)}
        account = {"api_key": self.key, "clients": [{"id": f"client-{list_id}", "name": "Contoso", "lists": [one]}]}
        self.control("POST", "accounts", account)

    def control(self, method: str, path: str, body: object = None) -> requests.Response:
        answer = requests.request(method, f"{self.standin}/control/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer

    def faults(self, *rules: dict[str, Any], seed: int = 1) -> None:
        """Breaks import calls to this list on order; none ends it. The stand-in's README lists the rules."""
        path = f"subscribers/{self.list_id}/import"
        self.control("PUT", "faults", {"seed": seed, "rules": [{"path": path} | rule for rule in rules]})

    def imports(self) -> list[dict[str, Any]]:
        """The import calls to this list, as the stand-in logged them: rows, status, headers of interest, …"""
        path = f"subscribers/{self.list_id}/import"
        calls: list[dict[str, Any]] = self.control("GET", f"log?path={path}").json()["calls"]
        return calls

    def listed(self, list_id: str | None = None) -> dict[str, dict[str, Any]]:
        """What the list holds, by address."""
        lines = self.control("GET", f"lists/{list_id or self.list_id}/subscribers").content.splitlines()
        return {one["email"]: one for one in map(json.loads, lines)}

    def hold(self, *subscribers: dict[str, Any]) -> None:
        """Puts subscribers on the list as they are: email, state, name, …"""
        self.control("PUT", "subscribers", {"list_id": self.list_id, "subscribers": list(subscribers)})

    def put(self, path: str, data: bytes | str) -> None:
        """A blob below the instance's folder."""
        body = data.encode() if isinstance(data, str) else data
        self.segments.upload_blob(f"{INSTANCE}/{path}", body, overwrite=True)

    def put_model(
        self, columns: Iterable[str] = COLUMNS, *, at: str = "2026/11/23/0900", partitions: int = 1, **settings: Any
    ) -> None:
        """model.json of SEGMENT; ``settings`` are fileFormatSettings, absent when there are none."""
        folder, table = SEGMENT.split("/")
        url = f"{self.segments.url}/{INSTANCE}/{SEGMENT}/{at}"
        parts = [{"name": f"part{n}", "location": f"{url}/{table}_{n}.csv"} for n in range(1, partitions + 1)]
        for part in parts:
            if settings:
                part["fileFormatSettings"] = {"$type": "CsvFormatSettings"} | settings
        attributes = [{"name": name, "dataType": "string"} for name in columns]
        entity = {"$type": "LocalEntity", "name": table, "attributes": attributes, "partitions": parts}
        self.put(f"{folder}/model.json", json.dumps({"name": "CI", "version": "1.0", "entities": [entity]}))

    def put_rows(self, *files: bytes | str, at: str = "2026/11/23/0900") -> None:
        """One partition for each text, with a model.json that says there is no header row."""
        table = SEGMENT.split("/")[1]
        for number, text in enumerate(files, 1):
            self.put(f"{SEGMENT}/{at}/{table}_{number}.csv", text)
        self.put_model(at=at, partitions=len(files))

    def save(self, **changes: Any) -> Export:
        """A connection with consent, and an export of SEGMENT to the list; ``changes`` are to the export."""
        connection = {
            "id": f"c-{self.id}",
            "display_name": "Newsletter",
            "secret_name": self.secret,
            "consent": {"agreed_by": "jane@contoso.example", "agreed_at": "2026-11-23T09:00:00Z"},
        }
        self.app.catalog.save(Connection.model_validate(connection))
        document = {
            "id": f"e-{self.id}",
            "display_name": "High value customers",
            "connection": f"c-{self.id}",
            "list_id": self.list_id,
            "segments": [SEGMENT],
            "mapping": MAPPING,
        }
        export = Export.model_validate(document | changes)
        self.app.catalog.save(export)
        return export

    def start(self, **arguments: Any) -> Run:
        return start(self.app, f"e-{self.id}", "on-demand", **arguments)[0]

    def run(self, **arguments: Any) -> Run:
        """A run from its start to its end, every step in this process."""
        run = self.start(**arguments)
        self.pump()
        return self.app.runs.get(run.export, run.id)

    def pump(self, most: int = 1000) -> int:
        """Takes message after message as the queue trigger does, until there is none; returns how many. A step that
        raises is delivered again at once, five times in all."""
        taken = 0
        while taken < most and (message := self._queue.receive_message(visibility_timeout=60)):
            taken += 1
            try:
                worker.work(self.app, message.content.encode(), message.dequeue_count or 1)
            except Exception as error:
                self.raised.append(error)
                if (message.dequeue_count or 1) < worker.MOST_DELIVERIES:
                    self._queue.update_message(message.id, message.pop_receipt, visibility_timeout=0)
                    continue
            self._queue.delete_message(message)
        return taken

    def pump_until_ended(self, run: Run) -> None:
        """As ``pump``, also for messages that are not to be seen at once."""
        while not self.app.runs.get(run.export, run.id).ended:
            if not self.pump():
                time.sleep(0.05)

    def clear_queue(self) -> None:
        self._queue.clear_messages()

    def rejects(self, run: Run) -> list[list[str]]:
        """The rows of rejects.csv below its header."""
        import csv

        text = b"".join(self.app.rejects(run).chunks()).decode("utf-8-sig")
        return list(csv.reader(text.splitlines()))[1:]


def csv_rows(*rows: Iterable[str]) -> str:
    """Rows of COLUMNS as Customer Insights may write them: every cell quoted."""
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)


def person(number: int, **changes: str) -> list[str]:
    """The cells of one good profile, in the order of COLUMNS."""
    cells = {
        "CustomerId": f"{number:032x}",
        "EMail": f"user{number}@example.com",
        "FirstName": "Jonas",
        "LastName": f"Žukauskas {number}",
        "City": "Kaunas",
        "BirthDate": "1990-02-03",
    }
    return list((cells | changes).values())


def balances(run: Run) -> bool:
    """Whether the account of a run that has ended balances."""
    counts = run.counts
    read = counts.malformed + counts.invalid + counts.duplicate + counts.unchanged + counts.to_send
    return counts.rows_read == read and counts.to_send == (
        counts.added + counts.updated + counts.refused + counts.unsent
    )
