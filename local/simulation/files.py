"""The files of a segment as Customer Insights may write them, and what a person would read in each row."""

import csv
import io
import random
from dataclasses import dataclass

from local.simulation.people import COLUMNS, DOMAIN, Person


@dataclass(frozen=True)
class Row:
    """``line`` is where it begins. ``faults`` are by column: the reason why that cell cannot be taken. Of a malformed
    row nothing is known."""

    line: int
    malformed: bool
    cells: dict[str, str]
    faults: dict[str, str]

    @property
    def email(self) -> str:
        return self.cells.get("EMail", "").strip().lower()


@dataclass(frozen=True)
class File:
    """A partition: its bytes, and its rows."""

    data: bytes
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Style:
    """How all files of a world are written; ``mess`` is how many rows are not as they should be. With
    ``long_values`` many of these are for a value that is too long; in ``tidy`` ones each row can be read."""

    delimiter: str = ","
    header: bool = False
    quote_all: bool = False
    line_break: str = "\n"
    mess: float = 0.0
    stray_quotes: bool = False
    bad_values: bool = False
    long_values: bool = False
    tidy: bool = False


def style(chance: random.Random) -> Style:
    return Style(
        delimiter=chance.choice([",", ",", ";"]),
        header=chance.random() < 0.5,
        quote_all=chance.random() < 0.5,
        line_break=chance.choice(["\n", "\r\n"]),
        mess=chance.choice([0, 0, 0.05, 0.2]),
        stray_quotes=chance.random() < 0.1,
        bad_values=chance.random() < 0.15,
    )


def file_of(
    people: list[Person], how: Style, chance: random.Random, *, clean: bool = False, ruined: bool = False
) -> File:
    """One partition with a row for each, and some that are nobody's; where it is ``ruined`` all are."""
    text = _Text(how)
    if how.header:
        text.write(list(COLUMNS))
    for person in people:
        cells = person.cells()
        if ruined:
            text.row(cells | {"EMail": f"nobody at {DOMAIN}"}, {"EMail": "email_invalid"})
        elif clean or chance.random() >= how.mess:
            text.row(cells, {})
        else:
            _mess(text, cells, how, chance)
    return File(text.text.getvalue().encode(), tuple(text.rows))


class _Text:
    def __init__(self, how: Style) -> None:
        self.text = io.StringIO()
        self.rows: list[Row] = []
        self.line = 1
        self._break = how.line_break
        quoting = csv.QUOTE_ALL if how.quote_all else csv.QUOTE_MINIMAL
        self._csv = {"delimiter": how.delimiter, "quoting": quoting, "lineterminator": ""}

    def record(self, cells: list[str]) -> str:
        one = io.StringIO()
        csv.writer(one, **self._csv).writerow(cells)  # type: ignore[arg-type]
        return one.getvalue()

    def write(self, cells: list[str]) -> None:
        self.raw(self.record(cells))

    def raw(self, record: str) -> None:
        self.text.write(record + self._break)
        self.line += record.count("\n") + 1

    def row(self, cells: dict[str, str], faults: dict[str, str]) -> None:
        self.rows.append(Row(self.line, False, cells, faults))
        self.write(list(cells.values()))

    def malformed(self, record: str) -> None:
        self.rows.append(Row(self.line, True, {}, {}))
        self.raw(record)


def _mess(text: _Text, cells: dict[str, str], how: Style, chance: random.Random) -> None:
    """Something that is not as it should be, in place of one row or beside it."""
    match chance.choice(_kinds(how)):
        case "cells":
            row = list(cells.values())
            text.malformed(text.record(row[:-1] if chance.random() < 0.5 else [*row, "one more"]))
        case "stray":
            record = text.record(list(cells.values())).replace('"', "")
            middle = record.index(cells["EMail"])
            text.malformed(record[:middle] + '"' + record[middle:])
        case "email":
            wrong, reason = chance.choice(
                [
                    ("", "email_missing"),
                    (f"nobody at {DOMAIN}", "email_invalid"),
                    (f"two words@{DOMAIN}", "email_invalid"),
                    (f"two@at@{DOMAIN}", "email_invalid"),
                ]
            )
            text.row(cells | {"EMail": wrong}, {"EMail": reason})
        case "twin":
            text.row(cells, {})
            text.row(cells | {"EMail": cells["EMail"].upper(), "City": "Elsewhere"}, {})
        case "control":
            text.row(cells | {"LastName": "two\nlines"}, {"LastName": "control_character"})
        case "long":
            text.row(cells | {"City": "x" * 251}, {"City": "value_too_long"})
        case "date":
            wrong = chance.choice(["31.12.1990", "1990-02-30", "unknown"])
            text.row(cells | {"BirthDate": wrong}, {"BirthDate": "date_invalid"})
        case "blank":
            text.raw("")
            text.row(cells, {})
        case "notes":
            text.row(cells | {"Notes": 'She said: "hm",\nand left;\n\n'}, {})
        case _:
            text.row(cells | {"EMail": f"  {cells['EMail']} ", "City": f"{cells['City']} "}, {})


def _kinds(how: Style) -> list[str]:
    kinds = ["cells", "cells", "email", "email", "twin", "blank", "notes", "spaces"]
    if how.bad_values:
        kinds += ["control", "long", "date", "date"]
    if how.long_values:
        kinds += ["long"] * 8
    if how.stray_quotes:
        kinds += ["stray"] * 4
    return [kind for kind in kinds if kind not in ("cells", "stray")] if how.tidy else kinds
