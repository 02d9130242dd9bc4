"""The people who run the product: they start, edit, pause, cancel, confirm, delete and recreate, when they like."""

import inspect
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from local.simulation.hosts import Platform
from local.simulation.plans import Plan, mapping
from local.simulation.records import Records
from local.simulation.scheduler import Scheduler
from local.simulation.weather import MINUTE
from shared.catalog.documents import Connection, Export
from shared.catalog.store import Precondition
from shared.errors import ExportError
from shared.runs.cancel import cancel
from shared.runs.delete_configuration import remove_export
from shared.runs.start import start

EVERYTHING = ("start", "start", "twice", "rehearse", "audit", "edit", "edit", "edit", "pause", "cancel", "recreate")


@dataclass
class Operator:
    """Each act is a call through a door of its own, by the engine's functions, as the HTTP API would make it. They were
    ``told`` of these runs; starts that were ``refused`` are an export, and when somebody asked and was answered."""

    scheduler: Scheduler
    chance: random.Random
    platform: Platform
    plan: Plan
    records: Records
    told: set[str] = field(default_factory=set)
    refused: list[tuple[str, float, float]] = field(default_factory=list)

    def found(self) -> None:
        """Connections and exports as they are at first."""
        for account in self.plan.accounts:
            document = {
                "id": account.id,
                "display_name": account.id,
                "secret_name": account.secret_name,
                "usable_by": "contributors",
                "consent": {"agreed_by": "Jane", "agreed_at": "2026-11-01T09:00:00Z"},
            }
            connection = Connection.model_validate(document)
            self._door("connect", partial(_connect, connection))
        for document in self.plan.exports.values():
            self._save(document)

    def act(self) -> None:
        export = self.chance.choice(sorted(self.plan.exports))
        getattr(self, f"_{self.chance.choice(EVERYTHING)}")(export)

    def cancel(self, export: str, run: str) -> None:
        self._door(f"cancel {run}", lambda app: cancel(app, export, run, by="Jane"))

    def edit(self, export: str) -> None:
        if export in self.plan.exports:
            self._edit(export)

    def start(self, export: str, *, patient: bool = False, **arguments: Any) -> None:
        self._door(f"start {export}", partial(self._ask, export, arguments), patient=patient)

    def start_any(self) -> None:
        self.start(self.chance.choice(sorted(self.plan.exports)))

    def _ask(self, export: str, arguments: dict[str, Any], app: Any) -> None:
        begun = self.scheduler.time
        try:
            run, _ = start(app, export, "on-demand", **arguments)
        except ExportError:
            self.refused.append((export, begun, self.scheduler.time))
            raise
        self.told.add(run.id)

    def redirect(self, export: str) -> None:
        """To another list of the account, where it has one."""
        document = self.plan.exports[export]
        account = next(one for one in self.plan.accounts if one.id == document["connection"])
        others = [one for one in account.lists if one != document["list_id"]]
        if others:
            self._change(export, {"list_id": self.chance.choice(others)})

    def choose_segments(self, export: str) -> None:
        """Others of its folder, or in another order."""
        document = self.plan.exports[export]
        folder = self.plan.folder_of(document)
        tables = list(self.plan.tables[folder])
        self.scheduler.random.shuffle(tables)
        some = tables[: self.scheduler.random.choice([1, len(tables)])]
        self._change(export, {"segments": [f"{folder}/{table}" for table in some]})

    def choose_removals(self, export: str) -> None:
        """Another way, or none; after some minutes as it was."""
        before = self.plan.exports[export]["removals"]
        ways = [one for one in ("keep", "unsubscribe", "delete") if one != before]
        self._change(export, {"removals": self.scheduler.random.choice(ways)})
        back = self.scheduler.random.uniform(5, 15) * MINUTE
        self.scheduler.later(back, lambda: self._change(export, {"removals": before}))

    def hang_up(self, chance: random.Random) -> None:
        """A start whose door dies on the way."""
        export = chance.choice(sorted(self.plan.exports))
        self.platform.dying_door(
            f"start {export}", lambda app: start(app, export, "on-demand"), chance.uniform(0.01, 0.1)
        )

    def confirm(self, run: dict[str, Any]) -> None:
        """That whoever the run did not remove may go: they have looked at what it said."""
        self.scheduler.tell(f"the operator confirms the removals of {run['id']}")
        # It holds for this run, where the product can tell which.
        takes_an_id = "str" in str(inspect.signature(start).parameters["confirm_removals"].annotation)
        self.start(
            run["export"], confirm_removals=run["id"] if takes_an_id else True, requested_by=f"confirm {run['id']}"
        )

    def _start(self, export: str) -> None:
        self.start(export, mode=self.chance.choice([None, None, "changes", "everything"]))

    def _twice(self, export: str) -> None:
        for _ in range(2):
            self.start(export, key=f"click-{self.scheduler.time}")

    def _rehearse(self, export: str) -> None:
        self.start(export, dry_run=True)

    def _audit(self, export: str) -> None:
        self.start(export, audit=True)

    def _cancel(self, export: str) -> None:
        runs = [run for run in self.records.runs(export) if not run.get("ended_at")]
        if runs:
            self.cancel(export, runs[-1]["id"])

    def _pause(self, export: str) -> None:
        self._change(export, {"enabled": False})
        later = self.chance.uniform(10, max(60, self.plan.hours * 3600 - self.scheduler.time))
        self.scheduler.later(later, lambda: self._change(export, {"enabled": True}))

    def _edit(self, export: str) -> None:
        pick, document = self.chance.choice, self.plan.exports[export]
        account = next(one for one in self.plan.accounts if one.id == document["connection"])
        folder = self.plan.folder_of(document)
        tables = self.plan.tables[folder]
        changes: dict[str, Any] = pick(
            [
                {"removals": pick(["keep", "unsubscribe", "delete"])},
                {"mode": pick(["changes", "everything"])},
                {"max_removal_percent": pick([0, 20, 100])},
                {"segments": [f"{folder}/{table}" for table in self.chance.sample(tables, pick([1, len(tables)]))]},
                {"list_id": pick(account.lists)},
                {"mapping": mapping(self.chance)},
                {"schedule": pick(["refresh", None])},
                {"resubscribe": pick([True, False, False])},
            ]
        )
        self._change(export, changes)

    def _recreate(self, export: str) -> None:
        def remove(app: Any) -> None:
            remove_export(app, export, only_if=Precondition())

        self._door(f"delete {export}", remove)
        self.scheduler.later(self.chance.uniform(30, 3600), lambda: self._save(self.plan.exports[export]))

    def _change(self, export: str, changes: dict[str, Any]) -> None:
        self.plan.exports[export] = self.plan.exports[export] | changes
        self._save(self.plan.exports[export])

    def _save(self, document: dict[str, Any]) -> None:
        def save(app: Any) -> None:
            # Who tries again saves what they want by then.
            app.catalog.save(Export.model_validate(self.plan.exports[document["id"]]), by="Jane")

        self._door(f"save {document['id']}", save, patient=True)

    def _door(self, name: str, call: Callable[[Any], object], *, patient: bool = False) -> None:
        self.scheduler.tell(f"the operator: {name}")
        self.platform.door(name, call, patient=patient)


def _connect(connection: Connection, app: Any) -> None:
    app.catalog.save(connection)
