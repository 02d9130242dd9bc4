"""The special cases: each way in which a row is turned down, and what is awkward but good. A bad row has one fault."""

import csv
import io
from collections.abc import Callable, Sequence
from functools import partial

from local.sample.fates import Fate, Row
from local.sample.people import Profile, profile

Case = Callable[[int, int], Row]  # from the seed and the row's index

EVERY = 20  # every such row is a special case …
PLACE = 7  # … here, so that the rows just before and after it are plain
KNOWN_PLACE = 4  # of every ten rows, the plain one whose address the list knows


def _turned_down(fate: Fate, **cells: str) -> Case:
    """In a cell, `{email}` and the like stand for what the person has anyway."""

    def case(seed: int, index: int) -> Row:
        person = profile(seed, index)
        return Row(_changed(person, cells), person, fate)

    return case


def _taken(written: dict[str, str], meant: dict[str, str] | None = None, *, known_as: str = "") -> Case:
    """`meant` where the list must hold something else than what is written."""

    def case(seed: int, index: int) -> Row:
        person = profile(seed, index)
        fate = Fate.UPDATED if known_as else Fate.ADDED
        return Row(_changed(person, written), _changed(person, {**written, **(meant or {})}), fate, known_as)

    return case


def _refused(fate: Fate, known_as: str, seed: int, index: int) -> Row:
    person = profile(seed, index)
    return Row(person, person, fate, known_as)


def _damaged(fate: Fate, damage: Callable[[Sequence[str]], str], seed: int, index: int) -> Row:
    person = profile(seed, index)
    return Row(person, person, fate, damage=damage)


def _changed(person: Profile, cells: dict[str, str]) -> Profile:
    as_it_is = person._asdict()
    return person._replace(**{name: text.format(**as_it_is) for name, text in cells.items()})


def _repeats(index_of_first: Callable[[int], int], spelt: str, seed: int, index: int) -> Row:
    """The address of an earlier plain row, which wins."""
    person = profile(seed, index)
    email = profile(seed, index_of_first(index)).email
    spellings = {"same": email, "capitals": email.upper(), "spaces": f" {email}  "}
    return Row(person._replace(email=spellings[spelt]), person, Fate.DUPLICATE_EMAIL)


def _the_row_before(index: int) -> int:
    return index - 1


def _far_before(index: int) -> int:
    """A plain row half way back: often in another partition."""
    return index // 2 // EVERY * EVERY


def _invalid_twin_comes_first(seed: int, index: int) -> Row:
    """Turned down itself, it does not stand in the way of the next row, which has the same address."""
    person = profile(seed, index)._replace(email=profile(seed, index + 1).email, birth_date="1812-06-24")
    return Row(person, person, Fate.DATE_OUT_OF_RANGE)


def _known_in_small_letters(seed: int, index: int) -> Row:
    """The address in other letters than the list has it in: the same subscriber, and the list keeps its own letters."""
    person = profile(seed, index)
    return Row(person._replace(email=person.email.upper()), person, Fate.UPDATED, known_as="Active")


def _record(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _harmless(cells: Sequence[str]) -> list[str]:
    """Without the quotes and line breaks that would make more than one thing wrong with the record."""
    return [cell.replace('"', "").replace("\r\n", " ").replace("\n", " ") for cell in cells]


def _columns_missing(cells: Sequence[str]) -> str:
    return _record(cells[:-3])


def _columns_only_one(cells: Sequence[str]) -> str:
    return cells[0]


def _columns_too_many(cells: Sequence[str]) -> str:
    return _record([*cells, "one more"])


def _text_after_quote(cells: Sequence[str]) -> str:
    harmless = _harmless(cells)
    return ",".join([harmless[0], f'"{harmless[1]}"II', _record(harmless[2:])])


def _quote_never_closed(cells: Sequence[str]) -> str:
    harmless = _harmless(cells)
    return f'{_record(harmless[:5])},"{",".join(harmless[5:])}'


LONGEST = "ž" * 250  # characters, not bytes
EMPTY = dict.fromkeys(("mobile", "city", "birth_date", "tier", "spend"), "")

CASES: tuple[Case, ...] = (
    _taken(
        {"first_name": "  {first_name}", "last_name": "{last_name}\t", "email": " {email} ", "city": "\tCork  "},
        {"first_name": "{first_name}", "last_name": "{last_name}", "email": "{email}", "city": "Cork"},
    ),
    partial(_damaged, Fate.MALFORMED_COLUMNS, _columns_missing),
    _turned_down(Fate.EMAIL_MISSING, email=""),
    _taken({"mobile": "+44 (7700) 900-123"}, {"mobile": "+447700900123"}),
    _turned_down(Fate.CONTROL_CHARACTER, city="Vil\nnius"),
    partial(_refused, Fate.REFUSED_UNSUBSCRIBED, "Unsubscribed"),
    _taken({"first_name": ""}),
    partial(_repeats, _the_row_before, "same"),
    _turned_down(Fate.EMAIL_INVALID, email='=HYPERLINK("https://example.com/","Open")'),
    _taken({"city": LONGEST}),
    _turned_down(Fate.VALUE_TOO_LONG, city=LONGEST + "ž"),
    partial(_refused, Fate.REFUSED_BOUNCED, "Bounced"),
    _taken({"birth_date": "1900-01-01"}),
    _turned_down(Fate.DATE_OUT_OF_RANGE, birth_date="1899-12-31"),
    _known_in_small_letters,
    partial(_damaged, Fate.MALFORMED_QUOTES, _text_after_quote),
    _turned_down(Fate.MOBILE_INVALID, mobile="07700 900123"),
    _taken(EMPTY, known_as="Active"),
    partial(_refused, Fate.REFUSED_DELETED, "Deleted"),
    _turned_down(Fate.EMAIL_INVALID, email="no-at-sign.example.com"),
    _taken({"last_name": ""}),
    _invalid_twin_comes_first,
    _turned_down(Fate.EMAIL_INVALID, email="@example.com"),
    partial(_repeats, _far_before, "capitals"),
    _taken({"birth_date": "2076-06-06"}),
    _turned_down(Fate.DATE_OUT_OF_RANGE, birth_date="2076-06-07"),
    partial(_damaged, Fate.MALFORMED_COLUMNS, _columns_too_many),
    _turned_down(Fate.EMAIL_MISSING, email="   "),
    _taken({"first_name": "", "last_name": ""}),
    _turned_down(Fate.VALUE_TOO_LONG, first_name="A" * 125, last_name="B" * 125),  # with the space, 251
    _taken({"city": '"', "first_name": "Ru\u0304ta"}),  # a quote alone; a letter in two code points
    _turned_down(Fate.CONTROL_CHARACTER, first_name="An\x07na"),
    _turned_down(Fate.EMAIL_INVALID, email="two@@example.com"),
    _taken({"email": "+news.{email}", "city": "=1+2"}),
    _turned_down(Fate.MOBILE_INVALID, mobile="+0447700900123"),
    _turned_down(Fate.CONTROL_CHARACTER, city="Lo\x85dz"),
    partial(_repeats, _the_row_before, "spaces"),
    partial(_damaged, Fate.MALFORMED_COLUMNS, _columns_only_one),
    _turned_down(Fate.EMAIL_INVALID, email="-none-"),
    _taken({"last_name": "𠮷田", "city": "Cork 🍀"}),  # letters of four bytes
    _turned_down(Fate.MOBILE_INVALID, mobile="+447700"),
    _turned_down(Fate.EMAIL_INVALID, email="+447700900123"),
    _taken({"mobile": "+44.7700.900.123", "spend": "-12.50"}, {"mobile": "+447700900123"}),
    _turned_down(Fate.CONTROL_CHARACTER, last_name="Brown\x7fe"),
    partial(_repeats, _far_before, "same"),
    _turned_down(Fate.EMAIL_INVALID, email="name with space@example.com"),
    _turned_down(Fate.MOBILE_INVALID, mobile="+4477009001234567"),
)


def row(seed: int, index: int, *, is_last: bool = False) -> Row:
    """Most rows are plain: a new subscriber, or, one in ten, one whom the list knows."""
    if is_last:  # a quote that is never closed takes with it whatever comes after
        return _damaged(Fate.MALFORMED_QUOTES, _quote_never_closed, seed, index)
    if index % EVERY == PLACE:
        return CASES[index // EVERY % len(CASES)](seed, index)
    person = profile(seed, index)
    if index % 10 == KNOWN_PLACE:
        return Row(person, person, Fate.UPDATED, known_as="Active")
    return Row(person, person, Fate.ADDED)
