"""A small campaign on real processes: workers killed while a run is planned, sent and at its last batch; a storm."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from local.faults import ground, kills
from local.faults.programs import Programs, running
from local.faults.storm import storm
from local.faults.trial import Expectation
from local.sample import Sample

SAMPLE = Sample(profiles=12_000)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    with running(tmp_path_factory.mktemp("faults"), SAMPLE) as programs:
        yield programs


@pytest.fixture(scope="module")
def expectation() -> Expectation:
    return Expectation.of(SAMPLE)


@pytest.fixture(scope="module")
def undisturbed(programs: Programs, expectation: Expectation) -> tuple[kills.Undisturbed, tuple[str, ...]]:
    """How long a run takes, and what is said of it where the expectation is wrong in three places."""
    account = expectation.account | {"invalid": expectation.account["invalid"] - 1}
    wrong = replace(
        expectation, account=account, rejects=expectation.rejects[1:], afterwards=expectation.afterwards[1:]
    )
    usual, verdict = kills.undisturbed(programs, wrong)
    return usual, verdict.problems


def test_what_differs_is_told(undisturbed: tuple[kills.Undisturbed, tuple[str, ...]], expectation: Expectation):
    _, (account, reject, subscriber) = undisturbed
    assert account.startswith("invalid is")
    assert str(expectation.rejects[0].line) in reject
    assert expectation.afterwards[0].email in subscriber


def test_what_a_killed_worker_had_begun_another_one_ends(
    programs: Programs, expectation: Expectation, undisturbed: tuple[kills.Undisturbed, tuple[str, ...]]
):
    usual, _ = undisturbed
    outcomes = list(kills.campaign(programs, expectation, usual, kills=3, seed=1, together=3))
    assert [outcome.verdict.problems for outcome in outcomes] == [()] * len(outcomes)
    assert sum(not outcome.disturbed.missed for outcome in outcomes) == 3
    # The moments were no idle ones: answers were lost with the workers.
    assert any(outcome.verdict.sent_twice for outcome in outcomes)
    assert any(outcome.taken_up_after for outcome in outcomes)


def test_the_ground_at_its_hardest_changes_nothing(programs: Programs, expectation: Expectation):
    """Of its lines those that are quick: make faults plays all."""
    for one in ground.campaign(programs, expectation, frozenset({3, 6, 10})):
        assert one.problems == (), one.what


def test_a_storm_changes_nothing_of_what_arrives(programs: Programs, expectation: Expectation):
    # With this seed, the 18 calls that it takes meet every kind of fault.
    weather = storm(programs, expectation, seed=66, rarely=16)
    assert weather.problems == ()
    assert weather.sent_twice > 0
