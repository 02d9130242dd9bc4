"""Any sequence of snapshots, opt-outs and crashes: the list is as a simple model says, with the fewest calls."""

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snapshots import calls, put_snapshot
from world import SEGMENT, World, balances, person

from local.azurite import Azurite
from local.standin import StandIn
from shared.runs import sweep

TABLE = SEGMENT.split("/")[1]
PEOPLE = 5
ANCHOR = 99  # in every snapshot, so that none is empty
CITIES = ("Kaunas", "Vilnius")
CODES = {"Unsubscribed": 206, "Bounced": 207, "Deleted": 205}


@dataclasses.dataclass(frozen=True)
class Step:
    """What happens on the list by other ways, then a snapshot with a run: rows are (person, city), in which a person
    may come twice; ``crash`` is the number of messages after which all others are lost."""

    elsewhere: dict[int, str]
    rows: list[tuple[int, str]]
    crash: int | None


people = st.integers(0, PEOPLE - 1)
steps = st.builds(
    Step,
    elsewhere=st.dictionaries(people, st.sampled_from(["Active", "Unsubscribed", "Bounced", "Deleted"]), max_size=1),
    rows=st.lists(st.tuples(people, st.sampled_from(CITIES)), max_size=PEOPLE + 1),
    crash=st.sampled_from([None, None, 0, 1, 2, 3]),
)


@dataclasses.dataclass
class Model:
    """``states`` and ``cities`` are those of the list; ``known`` is what the export knows: a person's city as it was
    answered, and added, confirmed, deleted, or a code."""

    removals: str
    states: dict[int, str] = dataclasses.field(default_factory=dict)
    cities: dict[int, str] = dataclasses.field(default_factory=dict)
    known: dict[int, tuple[str, str | int]] = dataclasses.field(default_factory=dict)

    def run(self, rows: list[tuple[int, str]]) -> tuple[int, int]:
        """The fewest import and removal calls."""
        first = dict(reversed(rows))
        gone = {n: what for n, (_, what) in self.known.items() if n not in first and what in ("added", "confirmed")}
        sent = put_back = removing = 0
        for number, city in first.items():
            before, what = self.known.get(number, ("", ""))
            if what != "deleted" and before == city:
                continue
            sent += 1
            state = self.states.get(number)
            if state == "Deleted" and what == "deleted":
                put_back += 1
            elif state not in (None, "Active"):
                self.known[number] = (city, CODES[state])
                continue
            if what not in ("added", "confirmed"):
                what = "confirmed" if state == "Active" else "added"
            self.states[number], self.cities[number], self.known[number] = "Active", city, (city, what)
        for number, what in gone.items():
            del self.known[number]
            if what == "confirmed":
                continue
            is_active = self.states[number] == "Active"
            if self.removals == "unsubscribe":
                removing += 1
                self.states[number] = "Unsubscribed" if is_active else self.states[number]
            elif is_active:
                removing += 1
                self.states[number] = "Deleted"
                self.known[number] = ("", "deleted")
        return bool(sent) + bool(put_back), removing


@pytest.mark.parametrize("removals", ["unsubscribe", "delete"])
def test_the_list_is_as_the_model_says(azurite: Azurite, campaign_monitor: StandIn, removals: str) -> None:
    @settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(steps, min_size=3, max_size=4))
    def check(sequence: list[Step]) -> None:
        world = _world(azurite, campaign_monitor, removals)
        model = Model(removals)
        for number, step in enumerate(sequence):
            _go(world, model, step, number)

    check()


def _go(world: World, model: Model, step: Step, number: int) -> None:
    for who, state in step.elsewhere.items():
        world.hold({"email": person(who)[1], "state": state, "fields": {"City": "elsewhere"}})
        model.states[who], model.cities[who] = state, "elsewhere"
    rows = [*step.rows, (ANCHOR, CITIES[0])]
    put_snapshot(world, {TABLE: [person(who, City=city) for who, city in rows]}, number=number)
    before = len(calls(world))

    run = world.start()
    if step.crash is not None:
        world.pump(step.crash)
        world.clear_queue()
        world.clock.go_on(minutes=6)
        sweep.sweep(world.app)
    world.pump()

    run = world.app.runs.get(run.export, run.id)
    imports, removing = model.run(rows)
    made = [call["path"] for call in calls(world)[before:]]
    listed = {email: (one["state"], one["fields"].get("City")) for email, one in world.listed().items()}
    assert run.status in ("succeeded", "completed_with_rejects")
    assert balances(run)
    assert {email: state for email, (state, _) in listed.items()} == {
        person(who)[1]: state for who, state in model.states.items()
    }
    assert {email: city for email, (state, city) in listed.items() if state == "Active"} == {
        person(who)[1]: city for who, city in model.cities.items() if model.states[who] == "Active"
    }
    assert sum("import" in path for path in made) == imports
    assert sum("import" not in path for path in made) == removing


def _world(azurite: Azurite, campaign_monitor: StandIn, removals: str) -> World:
    """State of its own, since the sweep looks after every run that there is."""
    world = World(azurite.connection_string, campaign_monitor.url)
    world.own_state()
    world.clock.sleeps = False
    world.save(removals=removals, max_removal_percent=100, schedule=None)
    return world
