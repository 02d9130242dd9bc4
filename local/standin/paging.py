"""Pages of a list that may be millions long: the query's four parameters, the envelope, and where pages begin."""

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from local.standin.answers import RefusalError

SMALLEST, LARGEST = 10, 1000
ORDER_COLUMNS = {"email": "email_key", "name": "name", "date": "changed"}
DIRECTIONS = ("asc", "desc")


@dataclass(frozen=True)
class Page:
    """`number` counts from 1; `since` is the least date of the state's change, or empty."""

    number: int
    size: int
    order: str
    direction: str
    since: str

    def envelope(self, results: list[dict[str, Any]], total: int) -> dict[str, Any]:
        return {
            "Results": results,
            "ResultsOrderedBy": self.order,
            "OrderDirection": self.direction,
            "PageNumber": self.number,
            "PageSize": self.size,
            "RecordsOnThisPage": len(results),
            "TotalNumberOfRecords": total,
            "NumberOfPages": -(-total // self.size),
        }


def page_of(query: Mapping[str, str]) -> Page:
    """Raises RefusalError (400): Code 5 for the date, 800 to 803 for page, pagesize, orderfield, orderdirection."""
    number = _whole(query.get("page") or "1")
    if number is None or number < 1:
        raise RefusalError(400, 800, "Invalid page number")
    size = _whole(query.get("pagesize") or str(LARGEST))
    if size is None or not SMALLEST <= size <= LARGEST:
        raise RefusalError(400, 801, f"Page size must be between {SMALLEST} and {LARGEST}")
    order = (query.get("orderfield") or "email").lower()
    if order not in ORDER_COLUMNS:
        raise RefusalError(400, 802, f"Order field must be one of {', '.join(ORDER_COLUMNS)}")
    direction = (query.get("orderdirection") or "asc").lower()
    if direction not in DIRECTIONS:
        raise RefusalError(400, 803, "Order direction must be asc or desc")
    return Page(number, size, order, direction, _date(query.get("date", "")))


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[+-]?\d{1,9}", text) else None


def _date(text: str) -> str:
    """In the form in which dates are stored; the client libraries send an empty one when they have none."""
    if not text:
        return ""
    try:
        return str(datetime.fromisoformat(text.replace("/", "-")).replace(tzinfo=None))
    except ValueError:
        raise RefusalError(400, 5, "Invalid date") from None


@dataclass(frozen=True)
class Listing:
    """What is paged: `columns` with `email_key` among them, `source` from FROM to the end of WHERE."""

    columns: str
    source: str
    parameters: tuple[object, ...]


class PageMemory:
    """Totals and page ends of the last walks, so that page 3,000 costs no more than page 1.

    Any change to the database makes it forget: the answers are those of plain offsets at every moment.
    """

    def __init__(self) -> None:
        self._changes = -1
        self._totals: dict[Listing, int] = {}
        self._ends: dict[tuple[Listing, Page], str] = {}

    def read(self, sql: sqlite3.Connection, listing: Listing, page: Page) -> tuple[list[sqlite3.Row], int]:
        """The rows of the page and the number of all."""
        if sql.total_changes != self._changes:
            self._changes = sql.total_changes
            self._totals.clear()
            self._ends.clear()
        if listing not in self._totals:
            count = sql.execute(f"SELECT count(*) {listing.source}", listing.parameters)
            self._totals[listing] = count.fetchone()[0]
        rows = sql.execute(*self._query(listing, page)).fetchall()
        if rows:
            self._ends[listing, page] = rows[-1]["email_key"]
        return rows, self._totals[listing]

    def _query(self, listing: Listing, page: Page) -> tuple[str, tuple[object, ...]]:
        before = self._ends.get((listing, replace(page, number=page.number - 1)))
        column = ORDER_COLUMNS[page.order]
        order = f"ORDER BY {column} {page.direction}, email_key {page.direction} LIMIT {page.size}"
        select = f"SELECT {listing.columns} {listing.source}"
        if before is None or page.order != "email":
            return f"{select} {order} OFFSET {(page.number - 1) * page.size}", listing.parameters
        beyond = ">" if page.direction == "asc" else "<"
        return f"{select} AND email_key {beyond} ? {order}", (*listing.parameters, before)
