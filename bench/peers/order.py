"""What a peer is told to do, how it reads the profiles, and what it makes of one: the same in all of them."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from azure.storage.blob import BlobClient


@dataclass(frozen=True)
class Order:
    """`api`: root of the API, with its version. One JSON object on stdin."""

    storage: str
    container: str
    blob: str
    columns: list[str]
    api: str
    key: str
    list_id: str


def read() -> Order:
    return Order(**json.load(sys.stdin))


def profiles(order: Order) -> Iterator[dict[str, str]]:
    """Downloaded as a whole: simplest, and the quickest."""
    blob = BlobClient.from_connection_string(order.storage, order.container, order.blob)
    text = io.StringIO(blob.download_blob(encoding="utf-8").readall(), newline="")
    return csv.DictReader(text, order.columns)


def subscriber(profile: dict[str, str]) -> dict[str, object]:
    return {
        "EmailAddress": profile["EMail"],
        "Name": f"{profile['FirstName']} {profile['LastName']}",
        "CustomFields": [
            {"Key": "City", "Value": profile["City"]},
            {"Key": "BirthDate", "Value": profile["BirthDate"].replace("-", "/")},
            {"Key": "TotalSpend", "Value": profile["TotalSpend"]},
        ],
        "ConsentToTrack": "Unchanged",
    }


def done(seconds: float, sent: int) -> None:
    print(json.dumps({"seconds": seconds, "sent": sent}))
