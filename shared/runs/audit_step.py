"""The audit: who is acknowledged, but not on the list as the export believes. It sends nothing.

Of acknowledged subscribers only a hash is kept; so the fields that they should have are looked up in what the last runs
sent, for a sample of them, as long as their slices are there.
"""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

from shared.catalog.documents import Export, field_key
from shared.parts import App
from shared.ports.destination import Destination, ListState, Page
from shared.ports.list_reading import pages
from shared.ports.threads import Threads
from shared.record import acknowledged
from shared.record.acknowledged import HELD
from shared.record.batch_results import Totals
from shared.record.blob_places import audit_name, slice_name
from shared.record.duckdb_workspace import Workspace
from shared.record.rejects import safe_cell
from shared.record.run_record import Findings, Run
from shared.record.step_lock import StepLock
from shared.record.step_outcome import Outcome
from shared.runs.final_status import ended
from shared.runs.undivided_step import LIST, SLICES, Undivided

SAMPLE = 1000
HEADER = ("email", "finding", "field", "since")

_TABLES = """
CREATE TABLE held (email VARCHAR, address UHUGEINT, hash UBIGINT);
CREATE TABLE listed (address UHUGEINT, state VARCHAR, since VARCHAR);
"""

_HELD = """
INSERT INTO held
SELECT email, md5_number(lower(email)), hash FROM read_parquet($file) WHERE list_contains($held, state)
"""

_LISTED = """
INSERT INTO listed
SELECT md5_number(lower(email)), $state, since
FROM (SELECT unnest($emails::VARCHAR[]) AS email, unnest($dates::VARCHAR[]) AS since)
"""

# While the lists were read somebody may have gone from one to the other: active is what counts.
_FOUND = """
CREATE TABLE found AS
SELECT h.email, coalesce(l.state, 'absent') AS state, l.since
FROM held AS h
LEFT JOIN (FROM listed QUALIFY row_number() OVER (PARTITION BY address ORDER BY state <> 'active', since DESC) = 1) AS l
       USING (address)
"""


def audit(app: App, run: Run, lock: StepLock) -> Iterator[Outcome]:
    """Reads the five state lists, writes ``audit.csv`` and ends the run."""
    export = app.catalog.export(run.export)
    step = Undivided(app, run, lock, LIST)
    at_once = app.settings.upload_concurrency
    with (
        closing(app.account(app.agreed(export), at_once=at_once, may_call=step.must_be_in_time)) as account,
        app.workspace() as work,
    ):
        account.check_key()
        _load(app, export, work)
        step.reading(SLICES)
        sample = _sample(app, run, export.list_id, work, step)
        step.reading(LIST)
        lists = _read_lists(account, export, work, sample, app.threads, at_once, step.must_go_on)
        dropped = list(lists)
        findings = _findings(work, len(sample), len({email for email, _ in dropped}))
        file = _write(work, dropped)
        step.must_go_on()
        with file.open("rb") as data:
            app.state.write(audit_name(run), data)
    end = ended(app, run, Totals())
    yield Outcome({**end.changes, "findings": findings, "list_id": export.list_id}, counts=findings.model_dump())


def _load(app: App, export: Export, work: Workspace) -> None:
    work.connection.execute(_TABLES)
    file = work.folder / "held.parquet"
    if app.state.download(acknowledged.name(export.id, export.list_id), file):
        work.connection.execute(_HELD, {"file": str(file), "held": list(HELD)})


def _sample(app: App, run: Run, list_id: str, work: Workspace, step: Undivided) -> dict[str, list[str]]:
    """By address in lower case, the keys of the fields that were sent with a value, as it was acknowledged."""
    sample: dict[str, list[str]] = {}
    query = """
        SELECT email, body FROM read_parquet(?) AS s SEMI JOIN held AS h
        ON h.address = md5_number(lower(s.email)) AND h.hash = s.hash LIMIT ?"""
    for earlier in app.runs.newest(run.export):
        if earlier.list_id != list_id or earlier.is_trial:
            continue
        for number in range(earlier.import_slices):
            step.must_go_on()
            blob = app.state.read(slice_name(earlier, number))
            if blob is None:
                continue
            file = work.folder / "slice.parquet"
            file.write_bytes(blob.data)
            for email, body in work.connection.execute(query, [str(file), SAMPLE]).fetchall():
                sample.setdefault(email.lower(), _sent(json.loads(body)))
            if len(sample) >= SAMPLE:
                return sample
    return sample


def _sent(subscriber: dict[str, Any]) -> list[str]:
    fields = subscriber.get("CustomFields", [])
    return list(dict.fromkeys(field["Key"] for field in fields if field["Value"] and not field.get("Clear")))


def _read_lists(
    account: Destination,
    export: Export,
    work: Workspace,
    sample: dict[str, list[str]],
    threads: Threads,
    at_once: int,
    still: Callable[[], None],
) -> Iterator[tuple[str, str]]:
    """Fills ``listed``; gives the address of each active subscriber of the sample with each field that is not there."""
    for state in get_args(ListState):
        for page in pages(account, export.list_id, state, threads, at_once=at_once, still=still):
            emails = [str(member["EmailAddress"]) for member in page.members]
            dates = [str(member.get("Date", "")) for member in page.members]
            work.connection.execute(_LISTED, {"state": state, "emails": emails, "dates": dates})
            if state == "active":
                yield from _dropped(page, sample)


def _dropped(page: Page, sample: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    for member in page.members:
        email = str(member["EmailAddress"])
        if email.lower() not in sample:
            continue
        # A record shows names of fields where their keys were sent; a field without a value is not in it.
        there = {field_key(str(field["Key"])) for field in member.get("CustomFields") or [] if field.get("Value")}
        yield from ((email, key) for key in sample[email.lower()] if field_key(key) not in there)


def _findings(work: Workspace, sampled: int, dropped: int) -> Findings:
    work.connection.execute(_FOUND)
    by_state = dict(work.connection.execute("SELECT state, count(*) FROM found GROUP BY state").fetchall())
    return Findings(acknowledged=sum(by_state.values()), **by_state, sampled=sampled, fields_dropped=dropped)


def _write(work: Workspace, dropped: list[tuple[str, str]]) -> Path:
    file = work.folder / "audit.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as target:
        lines = csv.writer(target, lineterminator="\r\n")
        lines.writerow(HEADER)
        query = "SELECT email, state, since FROM found WHERE state <> 'active' ORDER BY state, email"
        rows = work.connection.execute(query)
        while some := rows.fetchmany(10_000):
            lines.writerows((safe_cell(email), state, "", since) for email, state, since in some)
        lines.writerows((safe_cell(email), "field_dropped", safe_cell(key), "") for email, key in sorted(dropped))
    return file
