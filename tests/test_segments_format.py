"""How the cells are written: by fileFormatSettings where model.json has them, by what is likely where it has not."""

from typing import Any

import pytest
from reading import Planned, plan_snapshot
from segment_files import ModelFile, found, path, urls
from world import COLUMNS, World

from shared.catalog.documents import Mapping
from shared.errors import SegmentError
from shared.segments.csv_layout import Dialect
from shared.segments.header_row import columns

MODEL = "BlobExport/model.json"
GOOD = ["1", "ona@example.com", "Ona", "Žukauskaitė", "Kaunas", "1990-02-03"]
MAPPED = Mapping.model_validate(
    {
        "email": "EMail",
        "first_name": "FirstName",
        "last_name": "LastName",
        "custom_fields": [{"key": "City", "column": "City"}],
    }
)
SUBSCRIBER = {
    "EmailAddress": "ona@example.com",
    "Name": "Ona Žukauskaitė",
    "CustomFields": [{"Key": "City", "Value": "Kaunas"}],
    "ConsentToTrack": "Unchanged",
}
ROW = ",".join(GOOD)
HEADER = ",".join(COLUMNS)


def planned(world: World, data: bytes | str, settings: dict[str, Any] | None, *, model: bool = True) -> Planned:
    """What is made of one partition."""
    world.put(path(), data)
    if model:
        world.put(MODEL, ModelFile(urls(world, [path()]), settings=settings).text())
    return plan_snapshot(world.app.segments, found(world), mapping=MAPPED)


FORMS: dict[str, tuple[str | bytes, dict[str, Any] | None]] = {
    "no settings, no header": (f"{ROW}\n", None),
    "no settings, header": (f"{HEADER}\n{ROW}\n", None),
    "no settings, header in quotes and other case": (
        '"' + HEADER.upper().replace(",", '","') + f'"\r\n{ROW}\r\n',
        None,
    ),
    "empty settings": (f"{ROW}\n", {}),
    "header": (f"{HEADER}\n{ROW}\n", {"columnHeaders": True}),
    "header in another order": (
        ",".join(reversed(COLUMNS)) + "\n" + ",".join(reversed(GOOD)) + "\n",
        {"columnHeaders": True},
    ),
    "no header": (f"{ROW}\n", {"columnHeaders": False}),
    "semicolons": (ROW.replace(",", ";") + "\n", {"delimiter": ";"}),
    "bars": (ROW.replace(",", "|") + "\n", {"delimiter": "|"}),
    "tabs": (ROW.replace(",", "\t") + "\n", {"delimiter": "\t"}),
    "semicolons and a header": (f"{HEADER}\n{ROW}\n".replace(",", ";"), {"delimiter": ";"}),
    "all in quotes": ('"' + ROW.replace(",", '","') + '"\n', {"csvStyle": "CsvStyle.QuoteAlways"}),
    "no quotes": (f"{ROW}\n", {"quoteStyle": "QuoteStyle.None"}),
    "UTF-8": (f"{ROW}\n", {"encoding": "UTF-8"}),
    "UTF-8 with its mark": (f"\ufeff{ROW}\n", None),
    "UTF-8 with its mark and a header": (f"\ufeff{HEADER}\n{ROW}\n", None),
    "UTF-16 with its mark": (f"{ROW}\r\n".encode("utf-16"), {"encoding": "UTF-16"}),
    "UTF-16LE": (f"{ROW}\n".encode("utf-16-le"), {"encoding": "UTF-16LE"}),
    "UTF-16LE with a mark": (f"\ufeff{ROW}\n".encode("utf-16-le"), {"encoding": "UTF-16LE"}),
    "UTF-16BE": (f"{ROW}\n".encode("utf-16-be"), {"encoding": "utf-16be"}),
    "windows-1257": (f"{ROW}\n".encode("windows-1257"), {"encoding": "windows-1257"}),
}


@pytest.mark.parametrize(("data", "settings"), FORMS.values(), ids=FORMS)
def test_the_same_profile_in_every_form(world: World, data: str | bytes, settings: dict[str, Any] | None) -> None:
    assert planned(world, data, settings).subscribers == [SUBSCRIBER]


@pytest.mark.parametrize("data", [f"{HEADER}\n{ROW}\n", f'\ufeff\r\n"{HEADER.replace(",", '","')}"\r\n{ROW}\r\n'])
def test_without_model_json_the_first_row_names_the_columns(world: World, data: str) -> None:
    assert planned(world, data, None, model=False).subscribers == [SUBSCRIBER]
    assert columns(world.app.segments, found(world), known=("EMail", "City")) == ("EMail", "City")
    assert columns(world.app.segments, found(world)) == ()


def test_without_quoting_a_quote_is_a_letter(world: World) -> None:
    row = ROW.replace("Kaunas", 'Pub "Corner')

    found = planned(world, f"{row}\n{row.replace('ona@', 'jonas@')}\n", {"quoteStyle": "QuoteStyle.None"})

    assert [one["CustomFields"][0]["Value"] for one in found.subscribers] == ['Pub "Corner'] * 2


def test_settings_are_read_into_a_dialect(world: World) -> None:
    world.put(path(), ROW)
    settings = {"columnHeaders": True, "delimiter": "|", "quoteStyle": "QuoteStyle.None", "encoding": "UTF-16"}
    world.put(MODEL, ModelFile(urls(world, [path()]), settings=settings).text())

    (partition,) = found(world).partitions

    assert partition.header is True
    assert partition.dialect == Dialect("|", quoted=False, encoding="UTF-16")


UNUSABLE = [
    {"delimiter": ";;"},
    {"delimiter": '"'},
    {"delimiter": "\n"},
    {"delimiter": "ž"},
    {"delimiter": "1"},
    {"encoding": "EBCDIC-latin"},
    {"encoding": "base64"},
    {"encoding": "undefined"},
]


@pytest.mark.parametrize("settings", UNUSABLE, ids=repr)
def test_settings_that_cannot_be_used_are_told(world: World, settings: dict[str, Any]) -> None:
    world.put(path(), ROW)
    world.put(MODEL, ModelFile(urls(world, [path()]), settings=settings).text())

    with pytest.raises(SegmentError, match=r"model\.json describes .*/HighValueSegment_1\.csv") as raised:
        found(world)

    assert raised.value.code == "format_unknown"


WRONGLY_ENCODED: dict[str, tuple[bytes, dict[str, Any] | None]] = {
    "UTF-16 without its mark": (ROW.encode("utf-16-le"), {"encoding": "UTF-16"}),
    "UTF-16 without its mark where nothing says so": (ROW.encode("utf-16-be"), None),
    "UTF-16 where nothing says so": (ROW.encode("utf-16"), None),
}


@pytest.mark.parametrize(("data", "settings"), WRONGLY_ENCODED.values(), ids=WRONGLY_ENCODED)
def test_bytes_in_another_encoding_are_told(world: World, data: bytes, settings: dict[str, Any] | None) -> None:
    with pytest.raises(SegmentError, match=r"HighValueSegment_1\.csv is not written in") as raised:
        planned(world, data, settings)

    assert raised.value.code == "wrong_encoding"


ROWS = (f"{ROW}\n", f"{ROW.replace('ona@', 'spoilt@')}\n", f"{ROW.replace('ona@', 'jonas@')}\n")
BAD: dict[str, bytes] = {  # what takes the place of an x
    "utf-8": b"\xeb",
    "windows-1252": b"\x81",
    "shift_jis": b"\x81\x01",
    "gb18030": b"\xff",
    "utf-16-le": b"\x00\xd8",
    "utf-16-be": b"\xd8\x00",
}


@pytest.mark.parametrize("encoding", BAD)
def test_a_bad_byte_costs_its_row(world: World, encoding: str) -> None:
    plain = str.maketrans("ėŽ", "eZ")
    first, spoilt, last = (row.translate(plain).replace("Kaunas", "x") for row in ROWS)
    data = b"".join(
        [
            first.encode(encoding),
            spoilt.encode(encoding).replace("x".encode(encoding), BAD[encoding]),
            last.encode(encoding),
        ]
    )

    outcome = planned(world, data, {"encoding": encoding})

    assert outcome.emails == ["ona@example.com", "jonas@example.com"]
    assert [(each.line, each.message) for each in outcome.rejects] == [(2, "The row cannot be read as CSV in UTF-8.")]


@pytest.mark.parametrize("text", ["", "\n", '"CustomerId,EMail\nx\n'])
def test_without_names_there_are_no_columns_to_show(world: World, text: str) -> None:
    world.put(path(), text)

    assert columns(world.app.segments, found(world)) == ()


def test_a_profile_is_never_shown_as_a_header(world: World) -> None:
    """Without model.json and without a header row: names of columns stand in answers and in errors."""
    world.put(path(), f"{ROW}\n")
    world.save()

    run = world.run()

    assert run.error
    assert run.error.code == "header_missing"
    assert "Ona" not in run.model_dump_json()
    with pytest.raises(SegmentError, match="does not begin with a row of names"):
        columns(world.app.segments, found(world), known=("EMail", "City"))
    assert columns(world.app.segments, found(world)) == ()
