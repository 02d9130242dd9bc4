"""rejects.csv opens in a spreadsheet, says where each row came from and why, and shows no cell but address and id."""

import csv
import io
from typing import Any

import pytest
from reading import lines, partition, plan
from world import World, csv_rows, person

from shared.catalog.documents import Mapping
from shared.errors import Changed
from shared.ports.destination import Field
from shared.record.rejects import DUPLICATE, HEADER, INVALID, MALFORMED, Reject, RejectsFile

SECRET = "Do-not-show"


def _written(world: World, *rejects: Reject) -> bytes:
    file = RejectsFile(world.app.state, f"test-{world.id}/rejects.csv")
    file.write("p", rejects)
    return b"".join(file.chunks())


def _rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def test_the_form_that_spreadsheets_take(world: World) -> None:
    data = _written(
        world, Reject("BlobExport/Žalia", "Žalia_1.csv", 7, "c1", 'ona "x", y', "email_invalid", "El. paštas")
    )

    assert data.startswith(b"\xef\xbb\xbfsegment,")
    assert data.count(b"\n") == data.count(b"\r\n") == 2
    assert _rows(data) == [
        list(HEADER),
        [
            "BlobExport/Žalia",
            "Žalia_1.csv",
            "7",
            "c1",
            'ona "x", y',
            "email_invalid",
            "El. paštas is not an email address.",
        ],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"], ids=ascii)
def test_no_cell_begins_a_formula(world: World, start: str) -> None:
    text = f"{start}1+2"

    _, row = _rows(_written(world, Reject(text, text, 7, text, text, "email_missing", text)))

    assert all(cell[0] not in "=+-@\t\r\n＝＋－＠" for cell in row)
    assert row[3] == f"'{text}"
    assert row[6] == f"'{text} is empty."


def test_what_another_stages_meanwhile_does_not_take_the_place_of_a_part(world: World) -> None:
    """Somebody who slept stages what they knew before, and cannot make it count."""
    state, name = world.app.state, f"test-{world.id}/rejects.csv"
    file = RejectsFile(state, name)
    file.write("p", [])
    before, some = file.etag, [Reject("s", "f", line, None, f"{line}@example.com", "refused_206") for line in (1, 2)]

    class Meanwhile:
        def __getattr__(self, call: str) -> Any:
            if call == "commit":
                with pytest.raises(Changed):
                    RejectsFile(Outrun(), name).write("r", some[:1], after="p", replaces=before)
            return getattr(state, call)

    class Outrun:
        def __getattr__(self, call: str) -> Any:
            if call == "commit":
                raise Changed(name)
            return getattr(state, call)

    RejectsFile(Meanwhile(), name).write("r", some, after="p", replaces=before)  # type: ignore[arg-type]

    assert len(_rows(b"".join(file.chunks()))) == 3


def test_writing_a_part_again_replaces_it(world: World) -> None:
    file = RejectsFile(world.app.state, f"test-{world.id}/rejects.csv")
    planned, refused = (
        Reject("s", "p", line, None, None, reason) for line, reason in ((1, "malformed"), (2, "refused_1"))
    )
    for _ in range(2):
        file.write("p", [planned])
        for _ in range(2):
            file.write("r", [refused], after="p")

    assert [row[5] for row in _rows(b"".join(file.chunks()))] == ["reason", "malformed", "refused_1"]


def test_every_reason_has_a_sentence() -> None:
    for reason in MALFORMED | INVALID | DUPLICATE:
        message = Reject("s", "p", 1, None, None, reason, "City").message
        assert message.endswith(".")
        assert "{" not in message
        assert ("City" in message) == (reason in INVALID)


def test_no_sentence_holds_a_cell() -> None:
    """Each mapped column once with something wrong, and rows that cannot be read."""
    columns = ("CustomerId", "EMail", "Phone", "Day", "City")
    mapping = Mapping.model_validate(
        {
            "email": "EMail",
            "mobile_number": "Phone",
            "custom_fields": [{"key": "Day", "column": "Day"}, {"key": "City", "column": "City"}],
        }
    )
    good = ["id", "a@example.com", "", "", ""]
    bad = [[*good[:at], SECRET + extra, *good[at + 1 :]] for at, extra in ((1, ""), (2, ""), (3, ""), (4, "x" * 250))]
    text = lines(*bad, [*good[:4], f"{SECRET}\x07"], [SECRET], good, good) + f'"{SECRET}"x,b,c,d,e\n'

    rejects = plan(
        text,
        mapping=mapping,
        fields={"day": Field("Day", "Date"), "city": Field("City", "Text")},
        parts=[partition(columns=columns)],
    ).rejects

    assert [one.reason for one in rejects] == [
        "email_invalid",
        "mobile_invalid",
        "date_invalid",
        "value_too_long",
        "control_character",
        "malformed_columns",
        "duplicate_email",
        "malformed_quotes",
    ]
    assert not any(SECRET in one.message + one.reason + one.column for one in rejects)
    assert {one.customer_id for one in rejects} == {"id", None}


def test_a_run_names_partition_line_and_customer(world: World) -> None:
    world.put_rows(csv_rows(person(1)), "\n" + csv_rows(person(2), person(3, EMail="=nobody")) + '"a"b\n')
    world.save()

    run = world.run()

    assert world.rejects(run) == [
        [
            "BlobExport/HighValueSegment",
            "HighValueSegment_2.csv",
            "3",
            f"{3:032x}",
            "'=nobody",
            "email_invalid",
            "EMail is not an email address.",
        ],
        [
            "BlobExport/HighValueSegment",
            "HighValueSegment_2.csv",
            "4",
            "",
            "",
            "malformed_quotes",
            "The quotes of the row do not pair, so its cells cannot be told apart.",
        ],
    ]
