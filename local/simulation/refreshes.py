"""What Customer Insights writes: refreshes of an export folder, table by table, part by part, in any order.

What it wrote is kept for the oracles: each file with its rows, and when it was what.
"""

import json
import random
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from local.memory.blobs import MemoryBlobs
from local.simulation.files import File, Style, file_of
from local.simulation.people import COLUMNS, Person, Population
from local.simulation.scheduler import Scheduler
from local.simulation.weather import MINUTE

INSTANCE = "CustomerInsights_0f3c1d6e-6f0a-4b52-9d7c-2f1f6c0a9b11"


@dataclass(frozen=True)
class Refresh:
    """``files`` by their names in the container; ``paths`` of the dated folders by table. ``members`` are
    the addresses in the rows of a table. ``ends`` is when the last of it was written, ``moments`` when each file is."""

    folder: str
    begun: float
    ends: float
    paths: dict[str, str]
    files: dict[str, File]
    members: dict[str, frozenset[str]]
    moments: dict[str, float]

    def written_by(self, tables: Collection[str]) -> float:
        """When all files of these tables are there."""
        paths = [self.paths[table] for table in tables]
        return max(moment for name, moment in self.moments.items() if name.rpartition("/")[0] in paths)


@dataclass
class Insights:
    """``gaps`` is between two files, in seconds. ``written`` is each file with the times at which it was, ``models`` of
    each folder what model.json listed since when."""

    scheduler: Scheduler
    chance: random.Random
    container: MemoryBlobs
    population: Population
    style: Style
    tables: dict[str, tuple[str, ...]]  # of each folder
    gaps: tuple[float, float]
    refreshes: list[Refresh] = field(default_factory=list)
    written: dict[str, list[tuple[float, File | None]]] = field(default_factory=dict)
    models: dict[str, list[tuple[float, frozenset[str]]]] = field(default_factory=dict)

    def refresh(
        self,
        folder: str,
        *,
        clean: bool = False,
        hollow: str = "",
        ruined: str = "",
        parts: int = 0,
        pause: float = 0.0,
    ) -> Refresh:
        """Begins one now; it is written while time goes on. A ``clean`` one is as it should be, and quickly there. The
        table ``hollow`` comes out without a row, ``ruined`` without an address; ``parts`` are the files of each table,
        where they are not left to chance. With a ``pause``, in seconds, there are files that come only so long after
        model.json."""
        now, at = self.scheduler.time, self.scheduler.now()
        paths, files, members, moments = {}, {}, {}, {}
        for table in self.tables[folder]:
            stamp = f"{at:%Y/%m/%d/%H%M}"
            paths[table] = f"{INSTANCE}/{folder}/{table}/{stamp}"
            people = self.population.of(table) if table != hollow else []
            usual = self.chance.choice([1, 1, 1, 2, 3]) + bool(pause)
            for part, some in enumerate(_parts(people, parts or usual)):
                name = f"{paths[table]}/{table}_{part + 1}.csv"
                files[name] = file_of(some, self.style, self.chance, clean=clean, ruined=table == ruined)
            rows = [row for name, file in files.items() if name.startswith(paths[table]) for row in file.rows]
            members[table] = frozenset(row.email for row in rows if row.email)
        model = f"{INSTANCE}/{folder}/model.json"
        order = [*files, model]
        self.chance.shuffle(order)
        if pause:
            order.sort(key=lambda name: 1 if name == model else 2 * (not name.endswith("_1.csv")))
        moment = now
        for name in order:
            moments[name] = moment
            if name == model:
                self._write(moment, name, self._model(folder, at, files), None)
                self._list(moment, folder, frozenset(files))
                moment += pause
            else:
                self._write(moment, name, files[name].data, files[name])
            moment += self.chance.uniform(0.1, 2) if clean else self.chance.uniform(*self.gaps)
        made = Refresh(folder, now, moment, paths, files, members, moments)
        self.refreshes.append(made)
        said = ", ".join(f"{table} with {len(who)}" for table, who in members.items())
        self.scheduler.tell(f"Customer Insights begins to write {folder}: {said}, in {(moment - now) / MINUTE:.0f} min")
        return made

    def rewrite(self, chance: random.Random) -> None:
        """One file of the newest refresh is written again: the same rows, another ETag."""
        if self.refreshes:
            name = chance.choice(sorted(self.refreshes[-1].files))
            file = self.refreshes[-1].files[name]
            self.scheduler.tell(f"Customer Insights writes {name.removeprefix(INSTANCE)} again")
            self._write(self.scheduler.time, name, file.data, file)

    def of_path(self, path: str) -> Refresh | None:
        return next((one for one in self.refreshes if path in one.paths.values()), None)

    def begun_by(self, folder: str, moment: float) -> Refresh | None:
        """The newest refresh that had begun then."""
        return next((one for one in reversed(self.refreshes) if one.folder == folder and one.begun <= moment), None)

    def lists(self, folder: str, names: set[str], begin: float, end: float) -> bool:
        """Whether model.json listed all of these files throughout that time."""
        versions = self.models.get(folder, [])
        before = [listed for time, listed in versions if time <= begin][-1:]
        meanwhile = [listed for time, listed in versions if begin < time <= end]
        return bool(before) and all(names <= listed for listed in before + meanwhile)

    def _write(self, moment: float, name: str, data: bytes, file: File | None) -> None:
        def write() -> None:
            self.container.write(name, data)
            self.written.setdefault(name, []).append((self.scheduler.time, file))
            self.scheduler.note(f"insights {name} {len(data)}")

        self.scheduler.at(moment, write)

    def _list(self, moment: float, folder: str, names: frozenset[str]) -> None:
        self.scheduler.at(moment, lambda: self.models.setdefault(folder, []).append((moment, names)))

    def _model(self, folder: str, at: datetime, files: dict[str, File]) -> bytes:
        entities = []
        for table in self.tables[folder]:
            parts = [
                {
                    "name": name.rpartition("/")[2],
                    "refreshTime": at.isoformat(),
                    "location": f"https://contoso.blob.core.windows.net/{self.container.name}/{name}",
                    "fileFormatSettings": {
                        "$type": "CsvFormatSettings",
                        "columnHeaders": self.style.header,
                        "delimiter": self.style.delimiter,
                    },
                }
                for name in files
                if f"/{table}/" in name
            ]
            attributes = [{"name": column, "dataType": "string"} for column in COLUMNS]
            entities.append({"$type": "LocalEntity", "name": table, "attributes": attributes, "partitions": parts})
        return json.dumps({"name": "CI", "version": "1.0", "entities": entities}).encode()


def _parts(people: list[Person], number: int) -> list[list[Person]]:
    """Who stands in which file. Where there is a tenth one it has those of the second once more, from another city."""
    parts = [people[part::number] for part in range(number)]
    for tenth in parts[9:10]:
        tenth += [replace(person, city="Elsewhere") for person in parts[1]]
    return parts
