"""Whether the list, the account and the rejects are what the sample must give: what differs, in words."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

import requests

from local.sample import Reject, Subscriber

LINES_IN_A_CALL = 20_000


def counts_that_differ(found: Mapping[str, int], expected: Mapping[str, int]) -> Iterator[str]:
    for name, count in expected.items():
        if found.get(name) != count:
            yield f"{name} is {found.get(name)}, and must be {count}"


def rejects_that_differ(found: Iterable[Reject], expected: Iterable[Reject]) -> Iterator[str]:
    there, wanted = Counter(found), Counter(expected)
    for each in sorted((wanted - there).elements()):
        yield f"{_told(each)} is missing from the rejects"
    for each in sorted((there - wanted).elements()):
        yield f"{_told(each)} is in the rejects, and must not be"


def rejects_in(text: str) -> list[Reject]:
    """From the text of rejects.csv, without its byte order mark."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return [Reject(row["segment"], row["partition"], int(row["line"]), row["reason"]) for row in rows]


def subscribers_at(address: str) -> Iterator[Subscriber]:
    """The whole list in the stand-in, a page at a time."""
    after = ""
    with requests.Session() as session:
        while True:
            page = session.get(address, params={"after": after, "most": str(LINES_IN_A_CALL)}, timeout=60)
            page.raise_for_status()
            lines = page.content.splitlines()
            for line in lines:
                yield _subscriber(json.loads(line))
            if len(lines) < LINES_IN_A_CALL:
                return
            after = json.loads(lines[-1])["email"]


def subscribers_that_differ(found: Iterable[Subscriber], expected: Iterable[Subscriber]) -> Iterator[str]:
    """One line a subscriber, with every field that is not as it must be."""
    wanted = {each.email.lower(): each for each in expected}
    for each in found:
        other = wanted.pop(each.email.lower(), None)
        if other is None:
            yield f"{each.email} is on the list, and must not be"
        elif each != other:
            yield f"{other.email}: {'; '.join(_differences(each, other))}"
    for each in wanted.values():
        yield f"{each.email} is missing from the list"


def _differences(found: Subscriber, expected: Subscriber) -> Iterator[str]:
    for field in fields(Subscriber):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if one != other:
            yield f"{field.name} is {one!r}, and must be {other!r}"


def _subscriber(line: dict[str, Any]) -> Subscriber:
    return Subscriber(**{field.name: line[field.name] for field in fields(Subscriber)})


def _told(reject: Reject) -> str:
    return f"{reject.partition}, line {reject.line}, {reject.reason}"
