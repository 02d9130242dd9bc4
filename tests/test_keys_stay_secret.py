"""Keys and addresses stand where they belong and nowhere else, whatever is logged, queued, stored, raised or shown."""

import base64
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, TextBase64DecodePolicy
from azure_services import CLIENT_ID, IDENTITY_HEADER, TOKEN, AzureServices
from toy_functions import eventually
from world import World, csv_rows, person

from local.azurite import Azurite
from local.host.process import HostProcess
from local.standin import StandIn
from shared.runs.final_status import as_of_now

ROOT = Path(__file__).resolve().parents[1]
KEY = "Kx7+distinctive/key=="
# Rows of every fate: good, refused, invalid in several ways, a duplicate, with too few cells, with odd quotes.
PEOPLE = csv_rows(
    person(1, EMail="leak1@example.com", LastName="Leakson"),
    person(2, EMail="leak2@example.com", LastName="Leakson"),
    person(3, EMail="leak3@example"),
    person(4, EMail="LEAK1@example.com"),
    person(5, EMail="leak5@example.com", BirthDate="leak"),
    person(6, EMail="leak+6@example.com", City="Leaktown\x01"),
)
ROWS = PEOPLE + '"7","leak7@example.com"\n"8","leak8@example.com","a"b","Leakson","c","d"\n'
# The key also as Basic authentication begins: its 21 bytes need no padding.
SECRETS = (KEY, base64.b64encode(KEY.encode()).decode(), TOKEN, IDENTITY_HEADER)
PERSONAL_DATA = "leak"
# Where it belongs.
PERSONAL_BLOBS = re.compile(r"/slices/\d+\.parquet$|/acknowledged-\w+\.parquet$|/rejects\.csv$")


@dataclass
class Traces:
    """Everything that a run leaves behind, as text, with where it was found."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, text: object) -> None:
        self.found.append((where, str(text)))

    def holding(self, *words: str) -> list[str]:
        """Where one of the words stands, in whatever case and however encoded."""
        forms = {form.casefold() for word in words for form in (word, quote(word), quote(word, safe=""))}
        return sorted({where for where, text in self.found if any(form in text.casefold() for form in forms)})


@pytest.fixture
def world(campaign_monitor: StandIn, azure: AzureServices) -> Iterator[World]:
    """With a vault, and an account of its own, so that every blob in it is of this test."""
    with Azurite() as azurite:
        environment = {"KEY_VAULT_URL": azure.url, "ExportStorage__credential": "managedidentity"}
        environment["ExportStorage__clientId"] = CLIENT_ID
        world = World(azurite.connection_string, campaign_monitor.url, environment=environment)
        world.control("PUT", "keys", {"old": world.key, "new": f"{KEY}{world.id}"})
        azure.secrets[world.secret] = f"{KEY}{world.id}"
        world.put_rows(ROWS)
        world.hold({"email": "leak2@example.com", "state": "Unsubscribed"})
        world.save()
        yield world


def add_storage(traces: Traces, world: World) -> list[str]:
    """Every blob of catalog and state; returns those in which addresses belong."""
    service = BlobServiceClient.from_connection_string(world.connection_string)
    personal = []
    for name in ("export-catalog", "export-state"):
        container = service.get_container_client(name)
        for blob in container.list_blobs(include=["metadata"]):
            traces.add("a name", f"{blob.name} {blob.metadata}")
            content = container.download_blob(blob.name).readall().decode("utf-8", "replace")
            if PERSONAL_BLOBS.search(blob.name):
                personal.append(blob.name)
                assert not [secret for secret in SECRETS if secret in content]
            else:
                traces.add(blob.name, content)
    return personal


def add_messages(traces: Traces, world: World) -> None:
    client = QueueClient.from_connection_string(
        world.connection_string, world.environment["EXPORT_QUEUE"], message_decode_policy=TextBase64DecodePolicy()
    )
    for message in client.peek_messages(max_messages=32):
        traces.add("queue", message.content)


def pump(traces: Traces, world: World) -> None:
    """One message after the other, each read before it is taken."""
    add_messages(traces, world)
    while world.pump(1):
        add_messages(traces, world)


def test_a_run_leaves_no_key_and_no_address_where_none_belongs(
    world: World, azure: AzureServices, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    traces = Traces()
    good = world.start()
    world.faults({"kind": "500", "calls": [1]}, {"kind": "429", "calls": [2], "headers": "retry-after", "wait": 0})
    pump(traces, world)
    world.faults()
    azure.secrets[world.secret] = f"{KEY}wrong"
    world.app.vault.key(world.secret, anew=True)
    bad = world.start(mode="everything")
    pump(traces, world)

    traces.add("log", caplog.text)
    for run in (good, bad):
        traces.add("run", as_of_now(world.app, world.app.runs.get(run.export, run.id)).model_dump_json())
    for error in world.raised:
        traces.add("raised", f"{error!r} {error.__cause__!r}")
    client = world.app.account(world.app.catalog.connection(f"c-{world.id}"))
    for thing in (world.app, world.app.settings, world.app.vault, client, world.app.vault.key(world.secret)):
        traces.add(type(thing).__name__, f"{thing!r} {thing}")
    personal = add_storage(traces, world)

    # That there was something to find:
    good, bad = (world.app.runs.get(run.export, run.id) for run in (good, bad))
    assert (good.status, bad.status) == ("completed_with_rejects", "failed")
    assert good.counts.malformed == 2
    assert good.counts.refused == 1
    assert {name.partition("/")[0] for name in personal} == {"runs", "exports"}
    loggers = {record.name for record in caplog.records}
    assert {"urllib3.connectionpool", "azure.core.pipeline.policies.http_logging_policy"} <= loggers
    assert any(name.startswith("azure.identity") for name in loggers)
    assert [where for where, _ in traces.found if where == "queue"]

    assert traces.holding(*SECRETS) == []
    assert traces.holding(PERSONAL_DATA) == []


@pytest.mark.slow
def test_the_functions_log_neither_when_they_log_everything(world: World, tmp_path: Path) -> None:
    log = tmp_path / "log"
    usual = {"EXPORT_SCHEDULE": "0 0 0 1 1 *", "FUNCTION_KEY_ROLE": "admin"}
    settings = world.environment | usual | {"PYTHON_ENABLE_DEBUG_LOGGING": "1"}
    traces = Traces()
    with HostProcess(ROOT, settings=settings, log=log) as host:
        answer = requests.post(f"{host.url}/api/exports/e-{world.id}/runs", timeout=10)
        assert answer.ok, answer.text
        run = host.url + answer.headers["Location"]
        ended = eventually(lambda: (told := requests.get(run, timeout=10)).json()["ended_at"] and told, seconds=30)
        traces.add("answer", ended.text)
        for path in ("exports", "connections", "segments", "health"):
            traces.add(path, requests.get(f"{host.url}/api/{path}", timeout=10).text)
        rejects = requests.get(f"{run}/rejects", timeout=10).text

    traces.add("log", log.read_text())
    assert "DEBUG urllib3.connectionpool" in log.read_text()
    assert "INFO azure.core.pipeline.policies.http_logging_policy" in log.read_text()
    assert "leak3@example" in rejects
    assert traces.holding(*SECRETS) == []
    assert traces.holding(PERSONAL_DATA) == []
