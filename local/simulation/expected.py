"""What the oracles find and later work mends, by name: oracle and kind, why, and when it leaves the list."""

from dataclasses import dataclass

from local.simulation.oracles.findings import Finding

ROWS = "when a person goes without a value that their field cannot take"
REFRESHES = "when a run takes a refresh as a whole"
CONFIRMATIONS = "when a confirmation names the run that was stopped"
ANSWERS = "when an answer that does not name whom it refused is acknowledged for nobody"
INTENT = "when it is written down before the call who is about to be taken off"
REJOINED = "when an export learns that somebody whom it deleted is on the list by themselves"
SUPPRESSION = "when an export asks whether a returner is suppressed before it puts them back"


@dataclass(frozen=True)
class Expected:
    oracle: str
    kind: str
    why: str
    until: str


EXPECTED = (
    Expected("values_cost_no_row", "costs the row", "an optional value that is wrong turns its row down", ROWS),
    Expected("refresh_is_whole", "half", "files that come before model.json are taken for a whole folder", REFRESHES),
    Expected(
        "no_older_refresh",
        "older",
        "then model.json lists a file that is not there, and an older one is used",
        REFRESHES,
    ),
    Expected(
        "only_leavers_are_removed",
        "half a refresh",
        "whoever moved to what is not written yet seems to have left",
        REFRESHES,
    ),
    Expected(
        "confirmations_hold_for_what_was_seen",
        "another refresh",
        "a confirmation names no run: it holds for whatever has left since",
        CONFIRMATIONS,
    ),
    Expected("has_arrived", "refused in an odd answer", "who is meant cannot be told, and all count as taken", ANSWERS),
    Expected(
        "opted_out_stays_out",
        "suppressed untold",
        "a service that names the state alone says of a suppressed returner that they are deleted",
        SUPPRESSION,
    ),
    Expected(
        "converges",
        "forgotten deletion whose answer got lost",
        "whoever deleted them died or slept before that was saved, and nobody can tell any more who it was",
        INTENT,
    ),
    Expected(
        "opted_out_stays_out",
        "not its own any more",
        "whom the export deleted, who joined by themselves, and whom another one deleted: both are but deleted",
        REJOINED,
    ),
    Expected("acknowledged_is_true", "refused in an odd answer", "and are acknowledged", ANSWERS),
    Expected("only_the_own_are_removed", "not added in an odd answer", "and later taken for its own", ANSWERS),
)


def is_expected(finding: Finding) -> bool:
    return any((one.oracle, one.kind) == (finding.oracle, finding.kind) for one in EXPECTED)
