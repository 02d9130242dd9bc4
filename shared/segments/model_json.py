"""``model.json``: what Customer Insights says of a table, its columns, its partitions and how they are written."""

import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

from shared.errors import SegmentError
from shared.ports.blobs import Blobs

_DATED_LEVELS = 4  # yyyy/MM/dd/HHmm


def entity(container: Blobs, path: str, names: set[str]) -> dict[str, Any]:
    """What model.json says of the table; empty where there is none. The table's folder may bear another name than
    its files and its entity, and model.json may lie beside the table's folder or in it."""
    table_folder = path.rsplit("/", _DATED_LEVELS)[0]
    for folder in (table_folder.rpartition("/")[0], table_folder):
        name = f"{folder}/model.json"
        blob = container.read(name)
        if blob is None:
            continue
        try:
            model = json.loads(blob.data.decode("utf-8-sig"))
            entities = model.get("entities") or model.get("tables") or []
            wanted = {known.casefold() for known in names}
            found: list[dict[str, Any]] = [one for one in entities if str(one.get("name")).casefold() in wanted]
            _check(found)
        except (UnicodeDecodeError, json.JSONDecodeError, AttributeError, TypeError, KeyError) as error:
            raise SegmentError(
                "model_unreadable",
                f"{name} cannot be read as a Common Data Model description.",
                "Run the export of Customer Insights again: it writes the file.",
            ) from error
        if found:
            return found[0]
    return {}


def _check(entities: list[dict[str, Any]]) -> None:
    """Raises TypeError, KeyError or AttributeError where an entity has not the shape that is relied on."""
    for entity in entities:
        for attribute in entity.get("attributes") or []:
            if not isinstance(attribute["name"], str):
                raise TypeError("the name of an attribute is text")
        for partition in entity.get("partitions") or []:
            if not isinstance(partition.get("location"), str | None):
                raise TypeError("the location of a partition is text")
            (partition.get("fileFormatSettings") or {}).get("columnHeaders")


def blob_path(container: str, location: str | None) -> str:
    """The path inside the container, from the URI of a partition: on the blob or the dfs host, with the account in
    the host or (emulator) in the path, percent-encoded or not, with a query string or not."""
    path = unquote(urlsplit(location or "").path)
    return re.sub(rf"^/([^/]+/)?{re.escape(container)}/", "", path).lstrip("/")


def table_of(path: str) -> str:
    """``HighValueSegment`` of ``…/HighValueSegment_2.csv``."""
    return re.sub(r"(_\d+)?\.csv(\.gz)?$", "", path.rpartition("/")[2])
