"""Who there is, in which segments, and how that changes: the customers of the simulated company."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

COLUMNS = ("CustomerId", "EMail", "FirstName", "LastName", "City", "BirthDate", "Mobile", "Notes")
# In every address, so that one that leaks is found whatever is around it.
DOMAIN = "leaves-no-trace.example"

_FIRST = ("Jonas", "Ona", "Žydrūnas", "Ingrid", "Łukasz", "", "Anna Maria", "=cmd")
_LAST = ("Kazlauskas", "Petrauskienė", "O'Neil", 'Smith "Bob"', "von der Heide, jr.", "Čepas", "")
_CITIES = ("Kaunas", "Vilnius", "Klaipėda", "Alytus", "")
_DATES = ("1990-02-03", "1964-12-31", "2001-02-28", "")
_MOBILES = ("+37060012345", "+370 600 (54) 321", "")


@dataclass(frozen=True)
class Person:
    """``tables`` are the segments that the person is in. ``spelling`` is how the address is written now."""

    number: int
    spelling: str
    first: str
    last: str
    city: str
    birth: str
    mobile: str
    tables: frozenset[str]

    @property
    def customer_id(self) -> str:
        return f"{self.number:032x}"

    @property
    def email(self) -> str:
        """As addresses are compared."""
        return self.spelling.lower()

    def cells(self) -> dict[str, str]:
        cells = (self.customer_id, self.spelling, self.first, self.last, self.city, self.birth, self.mobile, "")
        return dict(zip(COLUMNS, cells, strict=True))


@dataclass
class Population:
    """``lively`` is how much of it changes between two refreshes."""

    chance: random.Random
    tables: tuple[str, ...]
    lively: float
    people: dict[int, Person] = field(default_factory=dict)

    def settle(self, number: int) -> None:
        for _ in range(number):
            self._come()

    def live(self) -> None:
        """What has happened to everybody since the last time."""
        for number, person in list(self.people.items()):
            if self.chance.random() < self.lively:
                self.people[number] = self._changed(person)
        for _ in range(self.chance.choice([0, 0, 1, 3])):
            self._come()

    def come_back(self, chance: random.Random, share: float) -> None:
        """So many of those who are in no table are in some again."""
        for number, person in list(self.people.items()):
            if not person.tables and chance.random() < share:
                chosen = [table for table in self.tables if chance.random() < 0.6]
                tables = frozenset(chosen or [chance.choice(self.tables)])
                self.people[number] = replace(person, tables=tables)

    def leave(self, chance: random.Random, most: int) -> None:
        """Up to so many more are in no table any more."""
        for number in chance.sample(sorted(self.people), min(most, len(self.people))):
            self.put(number, ())

    def put(self, number: int, tables: Iterable[str]) -> None:
        self.people[number] = replace(self.people[number], tables=frozenset(tables))

    def of(self, table: str) -> list[Person]:
        return [person for person in self.people.values() if table in person.tables]

    def _come(self) -> None:
        number, pick = len(self.people), self.chance.choice
        name = f"someone{number}" if number % 5 else f"Some.One+{number}"
        self.people[number] = Person(
            number,
            f"{name}@{DOMAIN}",
            pick(_FIRST),
            pick(_LAST),
            pick(_CITIES),
            pick(_DATES),
            pick(_MOBILES),
            self._some_tables(),
        )

    def _some_tables(self) -> frozenset[str]:
        chosen = [table for table in self.tables if self.chance.random() < 0.6]
        return frozenset(chosen or [self.chance.choice(self.tables)])

    def _changed(self, person: Person) -> Person:
        change: dict[str, Any] = {}
        match self.chance.choice(("city", "birth", "leave", "move", "move", "back", "spelling", "mobile")):
            case "city":
                change["city"] = self.chance.choice(_CITIES)
            case "birth":
                change["birth"] = self.chance.choice(_DATES)
            case "mobile":
                change["mobile"] = self.chance.choice(_MOBILES)
            case "leave":
                change["tables"] = frozenset()
            case "spelling":
                change["spelling"] = person.spelling.title() if person.spelling.islower() else person.email
            case kind if bool(person.tables) == (kind == "move"):
                change["tables"] = self._some_tables()
        return replace(person, **change)
