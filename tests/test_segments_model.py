"""model.json in all the forms that may come: what it leaves out, where its partitions point, and where it lies."""

import json
from typing import Any

import pytest
from segment_files import AT, ModelFile, found, names, path, puts, rooted, urls
from world import COLUMNS, World

from shared.errors import SegmentError

MODEL = "BlobExport/model.json"
FIRST = ["HighValueSegment_1.csv"]

LOCATIONS = {
    "blob host": "https://contoso.blob.core.windows.net/{container}/{path}",
    "dfs host": "https://contoso.dfs.core.windows.net/{container}/{path}",
    "port": "https://contoso.blob.core.windows.net:443/{container}/{path}",
    "query": "https://contoso.blob.core.windows.net/{container}/{path}?snapshot=2026-11-23T09:00:00.1234567Z",
    "percent-encoded": "https://contoso.dfs.core.windows.net/{container}/{encoded}",
    "all percent-encoded": "https://contoso.dfs.core.windows.net/{container}%2F{encoded}",
    "emulator": "http://127.0.0.1:10000/devstoreaccount1/{container}/{path}",
    "abfss": "abfss://{container}@contoso.dfs.core.windows.net/{path}",
    "path": "{path}",
}


@pytest.mark.parametrize("location", LOCATIONS.values(), ids=LOCATIONS)
def test_where_a_partition_is(world: World, location: str) -> None:
    """A second file lies beside it, so that a location that is not understood shows."""
    puts(world, path(), path(number=2))
    here = rooted(path())
    text = location.format(
        container=world.segments.container_name, path=here, encoded=here.replace("/", "%2F").replace("_", "%5F")
    )
    world.put(MODEL, ModelFile((text,)).text())

    assert names(found(world)) == FIRST
    assert found(world).partitions[0].columns == COLUMNS


@pytest.mark.parametrize("location", [None, ""])
def test_a_partition_without_a_location_is_only_a_schema(world: World, location: str | None) -> None:
    puts(world, path())
    world.put(MODEL, ModelFile((location,)).text())

    assert names(found(world)) == FIRST
    assert found(world).partitions[0].columns == COLUMNS


def test_one_that_points_at_an_older_folder_tells_columns_and_form(world: World) -> None:
    puts(world, path("2026/11/22/0900"), path(), path(number=2))
    world.put(MODEL, ModelFile(urls(world, [path("2026/11/22/0900")]), settings={"delimiter": ";"}).text())

    snapshot = found(world)

    assert snapshot.path.endswith(AT)
    assert [(each.columns, each.dialect.delimiter) for each in snapshot.partitions] == [(COLUMNS, ";")] * 2


def _renamed(document: dict[str, Any]) -> None:
    document["tables"] = document.pop("entities")


def _without(*keys: str) -> Any:
    def change(document: dict[str, Any]) -> None:
        for one in [document, *document["entities"], *document["entities"][0]["partitions"]]:
            for key in keys:
                one.pop(key, None)
        document["entities"][0].setdefault("name", "HighValueSegment")

    return change


def _extra(document: dict[str, Any]) -> None:
    document["pbi:mashup"] = {"a": [1]}
    entity = document["entities"][0]
    entity["c360:PrimaryKey"] = "CustomerId"
    entity["attributes"][0] |= {"friendlyName": "Customer", "description": None}
    document["entities"].insert(0, {"name": "Customer", "attributes": None, "partitions": None})
    document["entities"].insert(0, {"$type": "ReferenceEntity", "name": "Elsewhere", "source": "s", "modelId": "m"})


FORMS = {
    "tables": _renamed,
    "no version": _without("version"),
    "no $type": _without("$type"),
    "no names of partitions": _without("name"),
    "only what is needed": _without("version", "$type", "name", "description"),
    "more than is known": _extra,
    "another case": lambda document: document["entities"][0].update(name="highvaluesegment"),
}


@pytest.mark.parametrize("change", FORMS.values(), ids=FORMS)
def test_what_model_json_may_leave_out_or_add(world: World, change: Any) -> None:
    puts(world, path(), path(number=2))
    document = ModelFile(urls(world, [path()])).document()
    change(document)
    world.put(MODEL, json.dumps(document))

    assert names(found(world)) == FIRST
    assert found(world).partitions[0].columns == COLUMNS


def test_a_byte_order_mark(world: World) -> None:
    puts(world, path())
    world.put(MODEL, "\ufeff" + ModelFile(urls(world, [path()])).text())

    assert found(world).partitions[0].columns == COLUMNS


@pytest.mark.parametrize("listed", [True, False])
def test_the_table_may_bear_another_name_than_its_folder(world: World, listed: bool) -> None:
    """As Microsoft's page on Adobe Experience Platform shows it, with model.json in the folder of the table."""
    segment = "BlobExport/ChurnSegmentDemo"
    blob = path("2021/02/16/1433", segment=segment, table="ChurnProneCustomers")
    puts(world, blob)
    model = ModelFile(urls(world, [blob]) if listed else (), name="ChurnProneCustomers")
    world.put(f"{segment}/model.json", model.text())

    snapshot = found(world, segment)

    assert names(snapshot) == ["ChurnProneCustomers_1.csv"]
    assert snapshot.partitions[0].columns == COLUMNS


def test_another_table_s_model_json_says_nothing(world: World) -> None:
    puts(world, path())
    world.put(MODEL, ModelFile(urls(world, [path()]), name="Customer").text())

    assert found(world).partitions[0].columns is None


UNREADABLE = {
    "cut off": '{"name": "CI", "entities": [',
    "nothing": "",
    "a list": "[]",
    "entities are text": '{"entities": "none"}',
    "an entity is text": '{"entities": ["HighValueSegment"]}',
    "an attribute without a name": '{"entities": [{"name": "HighValueSegment", "attributes": [{}]}]}',
    "an attribute of text": '{"entities": [{"name": "HighValueSegment", "attributes": ["EMail"]}]}',
    "a name that is a number": '{"entities": [{"name": "HighValueSegment", "attributes": [{"name": 1}]}]}',
    "a location that is a number": '{"entities": [{"name": "HighValueSegment", "partitions": [{"location": 1}]}]}',
    "a partition of text": '{"entities": [{"name": "HighValueSegment", "partitions": ["x"]}]}',
    "settings of text": '{"entities": [{"name": "HighValueSegment", "partitions": [{"fileFormatSettings": "x"}]}]}',
    "UTF-16": '{"entities": []}'.encode("utf-16"),
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_one_that_cannot_be_read_is_named(world: World, text: str | bytes) -> None:
    puts(world, path())
    world.put(MODEL, text)

    with pytest.raises(SegmentError, match=r"BlobExport/model\.json cannot be read as") as raised:
        found(world)

    assert raised.value.code == "model_unreadable"


def test_the_emulator_s_own_addresses(world: World) -> None:
    """The account stands in their path."""
    puts(world, path(), path(number=2))
    world.put(MODEL, ModelFile((f"{world.segments.url}/{rooted(path())}",)).text())

    assert names(found(world)) == FIRST
