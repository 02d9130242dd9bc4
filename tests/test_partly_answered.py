"""A batch that takes more than one call, of which a later one is not answered: what was answered before it counts, is
acknowledged, and is not sent again."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
from memory_world import API, EXPORT, JANE, InProcess, MemoryWorld, OneThread
from world import balances, csv_rows, person

from local.memory.clock import ManualClock
from shared.campaign_monitor.account import Account, Accounts
from shared.errors import LockLost
from shared.record.run_record import Run
from shared.record.slices import Sizes
from shared.record.step_lock import LOCK_SECONDS
from shared.runs.cancel import cancel

PEOPLE = 8


class Opened(Accounts):
    """Remembers the account that was opened last."""

    last: Account

    def open(self, *arguments: Any, **named: Any) -> Account:
        self.last = super().open(*arguments, **named)
        return self.last


class Story:
    """An import of PEOPLE, between two calls of which ``then`` happens."""

    def __init__(self, *, batch: int = 10) -> None:
        self.world = MemoryWorld(sizes=Sizes(batch=batch, slice=2 * batch, first_slice=2 * batch, rest=0))
        # Its clock is its own: nothing is to happen to the lock while a call waits for its next attempt.
        self.accounts = Opened(API, ManualClock(), OneThread(), lambda _: InProcess(self.world.service))
        self.world.app = self.new_app()
        self.world.save(removals="delete", max_removal_percent=100)
        self.run: Run | None = None
        self.is_away = False
        self.unreadable: set[str] = set()
        self.then: Callable[[Story], None] = lambda _: None
        self._really = self.world.service.answer

    def new_app(self, **parts: Any) -> Any:
        return self.world.new_app(destinations=self.accounts, **parts)

    def put(self, *numbers: int, at: int) -> None:
        self.world.put_rows(csv_rows(*map(person, numbers)), at=f"2026/11/23/{at:04}")

    def begin(self) -> None:
        """The run is planned, and about to send."""
        self.world.service.imports.clear()
        self.world.service.answer = self._answer  # type: ignore[method-assign]
        self.run = self.world.start()
        self.world.pump(1)

    def end(self) -> Run:
        assert self.run
        self.world.pump()
        self.world.service.answer = self._really  # type: ignore[method-assign]
        return self.world.app.runs.get(EXPORT, self.run.id)

    def _answer(self, request: requests.PreparedRequest) -> requests.Response:
        if not request.path_url.endswith("/import.json"):
            return self._really(request)
        if self.is_away:
            return _reply(request, 503, {})
        if self.unreadable & {one["EmailAddress"] for one in json.loads(request.body or b"")["Subscribers"]}:
            return _reply(request, 400, {"Code": 400, "Message": "Bad request"})
        response = self._really(request)
        then, self.then = self.then, lambda _: None
        then(self)
        return response


def put_back() -> Story:
    """The first of PEOPLE was deleted by the export and returns, all others are new: their call is answered, that which
    puts the first one back is not."""
    story = Story()
    story.put(0, at=1)
    story.world.run()
    story.put(50, at=2)
    story.world.run()
    story.put(*range(PEOPLE), at=3)
    return story


def halves() -> Story:
    """The last of PEOPLE cannot be read, so the batch goes in halves: the first one is answered."""
    story = Story()
    story.put(*range(PEOPLE), at=3)
    story.unreadable = {_email(PEOPLE - 1)}
    return story


def is_cancelled(story: Story) -> None:
    assert story.run
    cancel(story.world.app, EXPORT, story.run.id, by=JANE)
    story.accounts.last.interrupt()


def loses_its_lock(story: Story) -> None:
    story.world.clock.sleep(LOCK_SECONDS + 1)


def loses_its_lock_and_is_cancelled(story: Story) -> None:
    loses_its_lock(story)
    assert story.run
    cancel(story.world.app, EXPORT, story.run.id, by=JANE)


def finds_the_service_away(story: Story) -> None:
    story.is_away = True


def never_gets_the_returner_answered(story: Story) -> None:
    """Whom the export deleted is refused as before, and each call that would put them back fails."""
    really = story._really

    def answer(request: requests.PreparedRequest) -> requests.Response:
        is_second = request.path_url.endswith("/import.json") and json.loads(request.body or b"")["Resubscribe"]
        return _reply(request, 503, {}) if is_second else really(request)

    story.world.service.answer = answer  # type: ignore[method-assign]


def finds_the_service_away_for_one_turn(story: Story) -> None:
    """All attempts of one call."""
    answers, story.is_away = iter(range(6)), True
    really = story._answer

    def answer(request: requests.PreparedRequest) -> requests.Response:
        story.is_away = next(answers, None) is not None
        return really(request)

    story.world.service.answer = answer  # type: ignore[method-assign]


each_scene = pytest.mark.parametrize("scene", [put_back, halves])


@pytest.mark.parametrize(("scene", "answered"), [(put_back, 7), (halves, 4)])
@pytest.mark.parametrize(
    ("then", "status"),
    [(is_cancelled, "cancelled"), (loses_its_lock_and_is_cancelled, "cancelled"), (finds_the_service_away, "failed")],
)
def test_who_was_answered_for_counts_and_is_the_exports_when_the_rest_is_unsent(
    scene: Callable[[], Story], answered: int, then: Callable[[Story], None], status: str
) -> None:
    story = scene()
    story.then = then

    story.begin()
    run = story.end()

    assert run.status == status
    assert (run.counts.added, run.counts.updated, run.counts.refused) == (answered, 0, 0)
    assert run.counts.unsent == PEOPLE - answered
    assert balances(run)
    assert len(set(story.world.service.active()) - {_email(50)}) == answered
    _must_make_up_for_it(story, unchanged=answered)


@each_scene
def test_only_the_rest_is_sent_when_the_step_comes_again(scene: Callable[[], Story]) -> None:
    story = scene()
    story.then = loses_its_lock
    story.begin()

    story.world.pump(1)
    assert [type(error) for error in story.world.errors] == [LockLost]
    _must_send_the_rest_alone(story, scene)


@each_scene
def test_so_it_is_when_the_step_is_handed_over(scene: Callable[[], Story]) -> None:
    story = scene()
    story.then = lambda story: story.accounts.last.interrupt()
    story.begin()

    story.world.pump(1, story.new_app(invocation_seconds=-1, checkpoint_seconds=0))
    assert story.world.errors == []
    _must_send_the_rest_alone(story, scene)


def test_so_it_is_when_it_has_its_turn_again() -> None:
    story = halves()
    story.then = finds_the_service_away_for_one_turn

    story.begin()
    run = story.end()

    assert run.status == "completed_with_rejects"
    assert (run.counts.added, run.counts.refused) == (PEOPLE - 1, 1)
    assert sorted(_flat(story.world.service.imports)) == [_email(number) for number in range(PEOPLE - 1)]


def test_a_rest_that_gets_no_answer_at_any_delivery_ends_the_run() -> None:
    """Handed over like one that gets on, it would go on for ever."""
    story = put_back()
    story.then = never_gets_the_returner_answered
    story.begin()
    story.world.app = story.new_app(invocation_seconds=-1, checkpoint_seconds=0)

    run = story.end()

    assert (run.status, run.error and run.error.code) == ("failed", "campaign_monitor_unavailable")
    assert (run.counts.added, run.counts.unsent) == (PEOPLE - 1, 1)


def test_rows_that_cannot_be_read_are_too_many_and_the_others_count() -> None:
    people = 100
    story = Story(batch=people)
    story.put(*range(people), at=3)
    story.unreadable = {_email(number) for number in range(75, 97)}

    story.begin()
    run = story.end()

    assert (run.status, run.error and run.error.code) == ("failed", "request_refused")
    assert (run.counts.added, run.counts.refused, run.counts.unsent) == (75, 21, 4)
    assert balances(run)
    rejects = b"".join(story.world.app.rejects(run).chunks()).decode()
    assert rejects.count("refused_400") == 21
    _must_make_up_for_it(story, unchanged=75, people=people)


def test_rows_that_cannot_be_read_are_counted_over_all_that_is_sent_of_a_batch() -> None:
    """Also where a part of it was sent before."""
    people = 100
    story = Story(batch=people)
    story.put(*range(people), at=3)
    story.unreadable = {_email(number) for number in (*range(11), *range(60, 71))}
    story.begin()
    story.then = loses_its_lock  # as soon as a row is taken, which is after the first eleven
    run = story.end()

    assert [type(error) for error in story.world.errors] == [LockLost]
    assert (run.status, run.counts.refused) == ("failed", 21)


def _must_send_the_rest_alone(story: Story, scene: Callable[[], Story]) -> None:
    story.world.service.imports.clear()
    story.unreadable = set()
    run = story.end()

    assert run.status == "succeeded"
    assert (run.counts.added, run.counts.updated) == ((7, 1) if scene is put_back else (8, 0))
    assert set(_flat(story.world.service.imports)) == _rest(scene)
    _must_make_up_for_it(story, unchanged=PEOPLE)


def _must_make_up_for_it(story: Story, *, unchanged: int, people: int = PEOPLE) -> None:
    """The next run sends the others, and when all have left, all are removed."""
    made_up = story.world.run()
    assert made_up.status == "succeeded"
    assert (made_up.counts.unchanged, made_up.counts.to_send) == (unchanged, people - unchanged)
    story.put(1000, at=4)
    assert story.world.run().status == "succeeded"
    assert set(story.world.service.active()) == {_email(1000)}


def _rest(scene: Callable[[], Story]) -> set[str]:
    return {_email(0)} if scene is put_back else {_email(number) for number in range(4, PEOPLE)}


def _flat(imports: list[list[str]]) -> list[str]:
    return [email for emails in imports for email in emails]


def _email(number: int) -> str:
    return person(number)[1]


def _reply(request: requests.PreparedRequest, status: int, body: dict[str, Any]) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content = status, json.dumps(body).encode()
    response.request, response.url = request, str(request.url)
    return response
