"""What a run needs around it: Azurite on disk, the stand-in in its own process, a segment, a list, an export."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import requests
from azure.storage.blob import ContainerClient

from bench import profiles
from local.azurite import Azurite
from local.demo.processes import Place, running_standin
from local.host.times import ASKED_OFTEN
from local.provision import provide
from shared.app import wire
from shared.catalog.documents import Connection, Export
from shared.parts import App
from shared.settings import read

CONTAINER = "customerinsights"
LIST_ID = "a58ee1d3039b8bec838e6d1482a8a965"
API_KEY = "not-a-real-key-the-stand-in-takes-any"
ROWS_IN_A_PARTITION = 1_000_000
_FOLDER, _FIRST_REFRESH = "CustomerInsights_bench/BlobExport", datetime(2026, 11, 23, 9, 0)


@dataclass(frozen=True)
class Scene:
    """`settings` are those of the function app; `app` is the same app in this process, to look at runs."""

    storage: str
    standin: str
    folder: Path
    settings: Mapping[str, str]
    app: App
    azurite_pid: int
    standin_pid: int

    def control(self, method: str, path: str, body: object = None) -> requests.Response:
        answer = requests.request(method, f"{self.standin}/control/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer

    def add_export(self, profiles_: int) -> str:
        """A segment of so many profiles that only this export reads; returns the export's id."""
        id_ = f"bench-{uuid4().hex[:8]}"
        self.refresh(id_, profiles_)
        document = {
            "id": id_,
            "display_name": "Benchmark",
            "connection": "bench",
            "list_id": LIST_ID,
            "segments": [f"BlobExport/{id_}"],
            "mapping": profiles.MAPPING,
            "max_profiles": max(profiles_, 1),
        }
        self.app.catalog.save(Export.model_validate(document))
        return id_

    def refresh(self, export: str, profiles_: int, *, number: int = 0, changed: bool = False) -> list[str]:
        """One more dated folder of the export's segment; returns the blobs. Each `number` is an hour later."""
        at = f"{_FOLDER}/{export}/{_FIRST_REFRESH + timedelta(hours=number):%Y/%m/%d/%H%M}"
        starts = range(0, profiles_, ROWS_IN_A_PARTITION)
        names = [f"{at}/{export}_{position}.csv" for position, _ in enumerate(starts, 1)]
        with self.container() as container:
            for name, first in zip(names, starts, strict=True):
                rows = profiles.pieces(first, min(first + ROWS_IN_A_PARTITION, profiles_), changed=changed)
                container.upload_blob(name, rows)
            entity = {
                "name": export,
                "attributes": [{"name": column, "dataType": "string"} for column in profiles.COLUMNS],
                "partitions": [{"location": f"{container.url}/{name}"} for name in names],
            }
            # In the table's folder: each export of this scene has a model of its own.
            model = json.dumps({"name": "BlobExport", "version": "1.0", "entities": [entity]})
            container.upload_blob(f"{_FOLDER}/{export}/model.json", model, overwrite=True)
        return names

    def drop(self, names: list[str]) -> None:
        """Removes blobs of a refresh that no run reads any more."""
        with self.container() as container:
            for name in names:
                container.delete_blob(name)

    def container(self) -> ContainerClient:
        return ContainerClient.from_connection_string(self.storage, CONTAINER)


@contextmanager
def made(**settings: str) -> Iterator[Scene]:
    """`settings` go over those of the scene. Everything is gone afterwards, also from the disk."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        azurite = stack.enter_context(Azurite(folder / "storage"))
        standin_pid, standin = stack.enter_context(running_standin(Place(folder)))
        chosen = {
            "ExportStorage": azurite.connection_string,
            "AzureWebJobsStorage": azurite.connection_string,
            "SegmentStorage": "",
            "SEGMENT_CONTAINER": CONTAINER,
            "KEY_VAULT_URL": "",
            "SECRET_BENCH": API_KEY,
            "CAMPAIGN_MONITOR_URL": f"{standin}/api/v3.3",
            "QUIET_MINUTES": "0",
            "EXPORT_SCHEDULE": "0 0 0 1 1 *",
            "EXPORT_QUEUE": "export-work",
            **ASKED_OFTEN,
        } | settings
        provide(azurite.connection_string, chosen["EXPORT_QUEUE"])
        app = wire(read(os.environ | chosen))
        scene = Scene(azurite.connection_string, standin, folder, chosen, app, azurite.pid, standin_pid)
        with scene.container() as container:
            container.create_container()
        _set_up(scene)
        yield scene


def _set_up(scene: Scene) -> None:
    one = {"id": LIST_ID, "title": "Benchmark", "fields": profiles.FIELDS}
    scene.control("POST", "accounts", {"api_key": API_KEY, "clients": [{"name": "Contoso", "lists": [one]}]})
    # Checked from outside and counted: the stand-in must not be what is measured.
    scene.control("PUT", "options", {"counting": True})
    connection = {
        "id": "bench",
        "display_name": "Benchmark",
        "secret_name": "bench",
        "usable_by": "contributors",
        "consent": {"agreed_by": "jane@contoso.example", "agreed_at": "2026-11-23T09:00:00Z"},
    }
    scene.app.catalog.save(Connection.model_validate(connection))
