"""The port of the queue, and what a platform does with it, held to its contract on Azurite and in memory."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from port_sides import SIDES, Receiver, Side, side_of

from local.memory.queue import StaleReceipt, Taken
from shared.ports.queue import Queue


@dataclass(frozen=True)
class Ends:
    """Both ends of one queue, with a message that was taken for a second."""

    queue: Queue
    platform: Receiver
    taken: Taken

    def take(self) -> Taken:
        taken = self.platform.take(60)
        assert taken, "no message is visible"
        return taken


def begin(side: Side) -> Ends:
    queue, platform = side.new_queue()
    queue.put("message")
    taken = platform.take(1)
    assert taken
    return Ends(queue, platform, taken)


@pytest.fixture(params=SIDES)
def ends(request: pytest.FixtureRequest) -> Ends:
    return begin(side_of(request))


Late = Callable[[str], Ends]


@pytest.fixture(params=SIDES, scope="module")
def late(request: pytest.FixtureRequest) -> Late:
    """What the tests below have begun, each with a queue of its own, a second later: one wait for all."""
    side = side_of(request)
    begun = {name: begin(side) for name in ("done", "again", "late", "renewed late", "twice", "poison")}
    begun["done"].platform.done(begun["done"].taken)
    for name, act in {
        "renewed": lambda ends: ends.platform.renew(ends.taken, 60),
        "back": lambda ends: ends.platform.back(ends.taken, 1),
        "delayed": lambda ends: ends.queue.put("later", delay=1),
    }.items():
        begun[name] = begin(side)
        act(begun[name])
        assert begun[name].platform.take(60) is None
    side.pass_by(1)
    return lambda name: begun[name]


def test_what_is_put_is_taken(ends: Ends) -> None:
    ends.queue.probe()
    ends.queue.put('{"city": "Vilnius, Žvėrynas"}')
    taken = ends.take()
    assert (taken.text, taken.count) == ('{"city": "Vilnius, Žvėrynas"}', 1)


def test_an_empty_queue_gives_nothing(ends: Ends) -> None:
    ends.platform.done(ends.taken)
    assert ends.platform.take(60) is None
    assert ends.queue.poison_length() == 0


def test_each_message_is_taken_by_one(ends: Ends) -> None:
    for number in range(5):
        ends.queue.put(str(number))
    ends.queue.put("0")
    assert sorted(ends.take().text for _ in range(6)) == ["0", "0", "1", "2", "3", "4"]


def test_what_is_done_does_not_come_again(late: Late) -> None:
    assert late("done").platform.take(60) is None


def test_what_is_not_done_in_time_is_delivered_again(late: Late) -> None:
    ends = late("again")

    again = ends.take()

    assert (again.id, again.text, again.count) == (ends.taken.id, "message", 2)
    platform = ends.platform
    for act in (platform.done, platform.back, lambda taken: platform.renew(taken, 60)):
        with pytest.raises(StaleReceipt, match="PopReceiptMismatch"):
            act(ends.taken)
    platform.done(again)


def test_late_but_before_anybody_else_it_is_done(late: Late) -> None:
    ends = late("late")
    ends.platform.done(ends.taken)
    assert ends.platform.take(60) is None


def test_late_but_before_anybody_else_it_is_renewed(late: Late) -> None:
    ends = late("renewed late")
    renewed = ends.platform.renew(ends.taken, 60)
    assert ends.platform.take(60) is None
    ends.platform.done(renewed)


def test_what_is_renewed_is_not_seen_for_longer(late: Late) -> None:
    assert late("renewed").platform.take(60) is None


def test_after_a_renewal_only_the_new_receipt_is_good(ends: Ends) -> None:
    renewed = ends.platform.renew(ends.taken, 60)
    assert (renewed.id, renewed.text, renewed.count) == (ends.taken.id, "message", 1)
    with pytest.raises(StaleReceipt, match="PopReceiptMismatch"):
        ends.platform.done(ends.taken)
    with pytest.raises(StaleReceipt, match="PopReceiptMismatch"):
        ends.platform.renew(ends.taken, 60)
    ends.platform.done(ends.platform.renew(renewed, 60))


def test_what_is_done_cannot_be_done_again(ends: Ends) -> None:
    ends.platform.done(ends.taken)
    with pytest.raises(StaleReceipt, match="MessageNotFound"):
        ends.platform.done(ends.taken)
    with pytest.raises(StaleReceipt, match="MessageNotFound"):
        ends.platform.renew(ends.taken, 60)


def test_what_is_given_back_comes_at_once(ends: Ends) -> None:
    ends.platform.back(ends.taken)
    again = ends.take()
    assert (again.id, again.count) == (ends.taken.id, 2)


def test_what_is_given_back_for_later_comes_later(late: Late) -> None:
    assert late("back").take().count == 2


def test_every_delivery_counts(ends: Ends) -> None:
    taken, counts = ends.taken, [1]
    for _ in range(4):
        ends.platform.back(taken)
        taken = ends.take()
        counts.append(taken.count)
    assert counts == [1, 2, 3, 4, 5]


def test_a_delay_is_how_long_it_stays_unseen(late: Late) -> None:
    ends = late("delayed")
    assert sorted(ends.take().text for _ in range(2)) == ["later", "message"]


def test_much_later_is_not_now(ends: Ends) -> None:
    ends.queue.put("much later", delay=600)
    ends.queue.put("now")
    assert ends.take().text == "now"
    assert ends.platform.take(60) is None


def test_what_is_given_up_lies_in_the_poison_queue(ends: Ends) -> None:
    ends.queue.put("another")
    ends.platform.to_poison(ends.taken)
    assert ends.queue.poison_length() == 1
    assert ends.take().text == "another"
    assert ends.platform.take(60) is None


def test_given_up_too_late_it_lies_in_both(late: Late) -> None:
    ends = late("poison")
    again = ends.take()
    with pytest.raises(StaleReceipt, match="PopReceiptMismatch"):
        ends.platform.to_poison(ends.taken)
    assert ends.queue.poison_length() == 1
    ends.platform.done(again)


def test_of_two_that_took_it_one_after_the_other_the_second_has_it(late: Late) -> None:
    ends = late("twice")
    again = ends.take()
    renewed = ends.platform.renew(again, 60)
    with pytest.raises(StaleReceipt, match="PopReceiptMismatch"):
        ends.platform.renew(ends.taken, 60)
    ends.platform.done(renewed)
