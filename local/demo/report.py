"""What the demo shows at the terminal; where there is none, the same as plain lines."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.sample import Reject

MOST_DIFFERENCES = 10

# The left side of each equation of the account, and the terms on its right side.
EQUATIONS = (
    ("rows_read", ("malformed", "invalid", "duplicate", "unchanged", "to_send")),
    ("to_send", ("added", "updated", "refused", "unsent")),
)


def show_progress(console: Console, runs: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Follows a run through its states and returns the last one."""
    columns = (TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn(), TextColumn("batches"))
    last: Mapping[str, Any] = {}
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("queued", total=None)
        for run in runs:
            if run["status"] != last.get("status") and not console.is_terminal:
                console.print(f"  {_spoken(run['status'])}")
            batches, done = run["progress"]["batches"], run["progress"]["done"]
            progress.update(bar, description=_spoken(run["status"]), total=batches or None, completed=done)
            last = run
    return last


def show_account(console: Console, counts: Mapping[str, int]) -> bool:
    """The two equations of the account; returns whether both hold."""
    held = [_show_equation(console, counts, total, terms) for total, terms in EQUATIONS]
    return all(held)


def _show_equation(console: Console, counts: Mapping[str, int], total: str, terms: tuple[str, ...]) -> bool:
    holds = counts[total] == sum(counts[term] for term in terms)
    names, numbers = ["", _spoken(total)], ["", f"{counts[total]:,}"]
    for sign, term in zip("=++++", terms, strict=False):
        names += ["", _spoken(term)]
        numbers += [sign, f"{counts[term]:,}"]
    table = Table.grid(padding=(0, 1))
    for _ in names:
        table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_row(*names, "", style="dim")
    table.add_row(*numbers, "[green]balances[/]" if holds else "[red]does not balance[/]")
    console.print(table)
    return holds


def show_rejects(console: Console, rejects: Iterable[Reject]) -> None:
    """How many for each reason, the most frequent first."""
    table = Table("reason", "profiles", box=None, padding=(0, 2))
    table.columns[1].justify = "right"
    for reason, count in Counter(each.reason for each in rejects).most_common():
        table.add_row(reason, f"{count:,}")
    console.print(table)


def show_pace(console: Console, run: Mapping[str, Any]) -> None:
    """From the moment at which it was asked for."""
    seconds = (datetime.fromisoformat(run["ended_at"]) - datetime.fromisoformat(run["created_at"])).total_seconds()
    pace = run["counts"]["rows_read"] / max(seconds, 0.001)
    console.print(f"The run took {seconds:.1f} seconds: {pace:,.0f} profiles a second.")


def show_differences(console: Console, what: str, differences: Iterator[str]) -> bool:
    """At most ten; returns whether there are none."""
    first = list(islice(differences, MOST_DIFFERENCES))
    if not first:
        console.print(f"[green]{what} equals what the sample must give.[/]")
        return True
    more = sum(1 for _ in differences)
    console.print(f"[red]{what} differs from what the sample must give:[/]")
    for each in first:
        console.print(f"  {escape(each)}")
    if more:
        console.print(f"  and {more:,} more")
    return False


def _spoken(name: str) -> str:
    return name.replace("_", " ")
