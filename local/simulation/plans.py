"""What a world is made of, before anything happens: accounts and lists, segments, exports, and how it is run."""

import random
from dataclasses import dataclass, field, replace
from typing import Any

from local.simulation.files import Style, style

FOLDERS = ("BlobExport", "OtherExport")
FIELDS = ("City", "BirthDate", "Segments")


@dataclass(frozen=True)
class Account:
    """``id`` is that of its connection, ``lists`` are the ids of its lists."""

    id: str
    key: str
    lists: tuple[str, ...]

    @property
    def secret_name(self) -> str:
        return f"secret-of-{self.id}"


@dataclass
class Plan:
    """``exports`` are documents of the catalog by their id, as they were at first. ``haste`` is how often something is
    done while a run is at work; ``invocation`` is after how many seconds a step hands over. In ``rich`` worlds more
    goes wrong, and in those that are ``moving`` people leave and come back in numbers; ``slow`` is for how many seconds
    a call of the service may take, also when nothing goes wrong, and ``scenes`` how often a step is played with."""

    hours: float
    accounts: tuple[Account, ...]
    tables: dict[str, tuple[str, ...]]
    exports: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: int = 0
    lively: float = 0.0
    style: Style = field(default_factory=Style)
    gaps: tuple[float, float] = (0.1, 2)
    overlaps: bool = False
    workers: int = 1
    timers: int = 1
    hidden: float = 600.0
    skews: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    service: dict[str, Any] = field(default_factory=dict)
    cursed: bool = False
    haste: float = 0.0
    invocation: float = 900.0
    rich: bool = False
    moving: bool = False
    slow: float = 0.0
    scenes: float = 0.0

    @property
    def all_tables(self) -> tuple[str, ...]:
        return tuple(table for tables in self.tables.values() for table in tables)

    def folder_of(self, export: dict[str, Any]) -> str:
        return str(export["segments"][0].partition("/")[0])


def plan(chance: random.Random) -> Plan:
    lists = chance.choice([1, 1, 2, 3])
    two_accounts = lists > 1 and chance.random() < 0.3
    ids = [f"{number:x}" * 32 for number in range(1, lists + 1)]
    accounts = [Account("newsletter", "key-of-newsletter", tuple(ids[: lists - two_accounts]))]
    if two_accounts:
        accounts.append(Account("shop", "key-of-shop", tuple(ids[-1:])))
    names = iter(("Buyers", "Readers", "HighValue", "Lapsed"))
    folders = FOLDERS[: chance.choice([1, 1, 2])]
    tables = {folder: tuple(next(names) for _ in range(chance.choice([1, 2, 2]))) for folder in folders}
    made = Plan(
        hours=chance.choice([2, 5, 10]),
        accounts=tuple(accounts),
        tables=tables,
        people=chance.choice([3, 8, 15, 30, 60]),
        lively=chance.choice([0.1, 0.3, 0.6]),
        style=style(chance),
        gaps=chance.choice([(0.1, 2), (0.1, 2), (5, 120), (30, 900)]),
        overlaps=chance.random() < 0.2,
        workers=chance.choice([1, 2, 3]),
        timers=chance.choice([1, 1, 2]),
        hidden=chance.choice([10, 60, 600]),
        skews=chance.random() < 0.3,
        settings={
            "QUIET_MINUTES": chance.choice(["0", "5", "5"]),
            "UPLOAD_CONCURRENCY": str(chance.choice([1, 2, 4])),
            "PARALLEL_SLICES": str(chance.choice([1, 2, 3])),
        },
        sizes=_sizes(chance),
        service=_service(chance),
        cursed=chance.random() < 0.03,
        haste=chance.choice([0, 0.1, 0.3]),
        invocation=chance.choice([4, 20, 900, 900]),
    )
    for number in range(chance.choice([1, 2, 2, 3])):
        export = _export(chance, made, number)
        made.exports[export["id"]] = export
    return made


def enriched(made: Plan, chance: random.Random) -> Plan:
    """The same, with what was thought of later, so that those that are not rich stay what they were."""
    worse = made.style
    if worse.mess and chance.random() < 0.4:
        worse = replace(worse, bad_values=True, tidy=chance.random() < 0.7)
    slow = chance.choice([0, 4, 8 if made.people <= 8 else 4]) if made.people <= 15 else 0
    one_by_one = {"UPLOAD_CONCURRENCY": "1"} if slow and chance.random() < 0.5 else {}
    richer = replace(
        made,
        rich=True,
        style=worse,
        slow=slow,
        exports={id_: _deleting(one, chance) for id_, one in made.exports.items()},
        settings=made.settings | one_by_one,
        scenes=chance.choice([0.2, 0.5, 0.8]),
        workers=max(made.workers, chance.choice([1, 2, 2])),
        haste=max(made.haste, chance.choice([0, 0.2, 0.4])),
        invocation=chance.choice([2, 2, 4]) if slow else made.invocation,
    )
    return _moving(richer, chance) if chance.random() < 0.5 else richer


def _moving(made: Plan, chance: random.Random) -> Plan:
    """The same, where people leave and come back in numbers, and exports take them off their lists."""
    account = made.accounts[0]
    if len(account.lists) == 1 and chance.random() < 0.5:
        account = replace(account, lists=(*account.lists, "e" * 32))
    tidy = made.style.tidy or chance.random() < 0.8  # else most that leave would not be removed
    moving = replace(
        made,
        moving=True,
        hours=max(made.hours, 5),
        accounts=(account, *made.accounts[1:]),
        people=min(max(made.people, 8), 15),
        lively=max(made.lively, 0.3),
        # Else hardly a run takes off whom it wants to.
        haste=chance.choice([0, 0.1, made.haste]),
        scenes=chance.choice([0, 0.1, made.scenes]),
        style=replace(made.style, tidy=tidy, bad_values=made.style.bad_values or tidy, long_values=tidy),
        gaps=chance.choice([(0.1, 2), made.gaps]),
        exports={id_: _removing(export, chance) for id_, export in made.exports.items()},
    )
    if len(moving.exports) == 1 and chance.random() < 0.5:
        moving.exports["export-1"] = _removing(_export(chance, moving, 1), chance)
    if chance.random() < 0.6:
        _share_a_list(moving, chance)
    return moving


def _removing(export: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    return export | {
        "schedule": "refresh" if chance.random() < 0.8 else export["schedule"],
        "mode": chance.choice(["everything", "changes", "changes"]),
        "removals": chance.choice(["delete", "delete", "delete", "unsubscribe"]),
        "max_removal_percent": chance.choice([export["max_removal_percent"], 100]),
        "resubscribe": False,
    }


def _share_a_list(made: Plan, chance: random.Random) -> None:
    """All exports go to the same list; some have one segment each."""
    first, apart = made.exports[min(made.exports)], chance.random() < 0.7
    for number, export in enumerate(made.exports.values()):
        folder = made.folder_of(export)
        tables = made.tables[folder]
        if apart:
            export["segments"] = [f"{folder}/{tables[number % len(tables)]}"]
        export |= {"connection": first["connection"], "list_id": first["list_id"]}


def _deleting(export: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Of those who remove their leavers more delete them, and however many."""
    if export["removals"] == "keep" or chance.random() < 0.5:
        return export
    return export | {"removals": "delete", "max_removal_percent": 100}


def _sizes(chance: random.Random) -> dict[str, int]:
    batch = chance.choice([2, 3, 5])
    return {
        "batch": batch,
        "slice": batch * chance.choice([2, 3]),
        "first_slices": chance.choice([0, 1, 2]),
        "first_slice": batch * chance.choice([1, 2]),
        "rest": chance.choice([0, batch]),
        "leavers": chance.choice([1, 2, 4]),
    }


def _service(chance: random.Random) -> dict[str, Any]:
    """Choices of the stand-in, of which nobody knows which one the service has made."""
    some: dict[str, list[Any]] = {
        "import_status": [201, 200],
        "all_refused": ["210", "first-code"],
        "refused_row_fields": ["updated", "kept"],
        "suppressed_newcomer": ["refuse", "add"],
        "suppression_first": [True, False],
        "repeated_removal": ["203", "200"],
        "bad_mobile": ["row", "request"],
        "duplicate_winner": ["first", "last"],
    }
    return {name: chance.choice(values) for name, values in some.items()}


def _export(chance: random.Random, made: Plan, number: int) -> dict[str, Any]:
    folder = chance.choice(sorted(made.tables))
    tables = list(made.tables[folder])
    chance.shuffle(tables)
    account = chance.choice(made.accounts)
    return {
        "id": f"export-{number}",
        "display_name": f"Export {number}",
        "connection": account.id,
        "list_id": chance.choice(account.lists),
        "segments": [f"{folder}/{table}" for table in tables[: chance.choice([1, 2])]],
        "mapping": mapping(chance),
        "schedule": chance.choice(["refresh", "refresh", "refresh", None, "30 */4 * * *"]),
        "mode": "everything" if chance.random() < 0.1 else "changes",
        "removals": chance.choice(["keep", "unsubscribe", "unsubscribe", "delete", "delete"]),
        "max_removal_percent": chance.choice([20, 50, 100]),
        "resubscribe": chance.random() < 0.1,
    }


def mapping(chance: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {"email": "EMail", "custom_fields": [{"key": "City", "column": "City"}]}
    if chance.random() < 0.5:
        made |= {"first_name": "FirstName", "last_name": "LastName"}
    if chance.random() < 0.4:
        made["custom_fields"].append({"key": "BirthDate", "column": "BirthDate"})
    if chance.random() < 0.2:
        made["mobile_number"] = "Mobile"
    if chance.random() < 0.2:
        made["segments_field"] = "Segments"
    if chance.random() < 0.2:
        made["consent_to_track"] = "Yes"
    return made
