"""What the campaigns show at the terminal: a line for each thing as it ends, and a table of the kills."""

from collections.abc import Iterable
from statistics import median

from rich.console import Console
from rich.table import Table

from local.faults.ground import Ground
from local.faults.kills import Outcome, Undisturbed
from local.faults.losses import Loss
from local.faults.storm import Weather

MOST_PROBLEMS = 10


def show_undisturbed(console: Console, usual: Undisturbed) -> None:
    console.print(
        f"Undisturbed, a run takes {usual.total:.1f} s: {usual.planning:.1f} s of planning, {usual.sending:.1f} s of "
        f"sending, {usual.finishing:.1f} s of finishing."
    )


def show_outcome(console: Console, number: int, outcome: Outcome) -> None:
    """While the campaign runs: the table comes at its end."""
    console.print(f"  {number}: {' | '.join(_cells(outcome))}")
    show_problems(console, outcome.verdict.problems)


def show_outcomes(console: Console, outcomes: Iterable[Outcome]) -> None:
    """Those that were met, and the figures."""
    met = [outcome for outcome in outcomes if not outcome.disturbed.missed]
    table = Table(box=None, padding=(0, 2))
    for name in ("", "moment", "killed", "taken up after", "ended after", "sent twice", "allowed", "verdict"):
        table.add_column(name, justify="left" if name in ("moment", "killed", "verdict") else "right", no_wrap=True)
    for number, outcome in enumerate(met, 1):
        table.add_row(str(number), *_cells(outcome))
    console.print(table)
    taken_up = [outcome.taken_up_after for outcome in met if outcome.taken_up_after is not None]
    seconds = [outcome.ended_after for outcome in met]
    twice = [outcome.verdict.sent_twice for outcome in met]
    console.print(
        f"{len(met)} kills. What was at work was taken up {_range(taken_up)}, the runs ended {_range(seconds)}. "
        f"{sum(twice):,} profiles were sent twice, {max(twice):,} at most in one run."
    )


def show_loss(console: Console, loss: Loss) -> None:
    told = f"ended {loss.ended_after:.0f} s after the tick, {loss.verdict.sent_twice:,} sent twice"
    console.print(f"  {loss.what}: {told}, {_word(loss.verdict.problems)}")
    show_problems(console, loss.verdict.problems)


def show_ground(console: Console, ground: Ground) -> None:
    console.print(f"  {ground.line}. {ground.what}: {ground.seconds:.0f} s, {_word(ground.problems)}")
    show_problems(console, ground.problems)


def show_weather(console: Console, weather: Weather) -> None:
    faults = ", ".join(f"{number} × {fault}" for fault, number in weather.faults.most_common())
    console.print(f"  {weather.calls} import calls, {sum(weather.faults.values())} of them spoilt ({faults})")
    told = f"ended after {weather.seconds:.0f} s, {weather.sent_twice:,} profiles offered again"
    console.print(f"  {told}, {_word(weather.problems)}")
    show_problems(console, weather.problems)


def show_problems(console: Console, problems: Iterable[str]) -> None:
    all_of_them = list(problems)
    for problem in all_of_them[:MOST_PROBLEMS]:
        console.print(f"    {problem}", style="red", markup=False)
    if len(all_of_them) > MOST_PROBLEMS:
        console.print(f"    and {len(all_of_them) - MOST_PROBLEMS:,} more", style="red")


def _range(seconds: list[float]) -> str:
    if not seconds:
        return "in no case"
    return f"after {min(seconds):.0f} to {max(seconds):.0f} s (median {median(seconds):.0f} s)"


def _cells(outcome: Outcome) -> tuple[str, ...]:
    workers = outcome.disturbed.kill.workers
    killed = "both" if len(workers) > 1 else f"worker {workers[0]}"
    return (
        outcome.disturbed.met,
        killed,
        "" if outcome.taken_up_after is None else f"{outcome.taken_up_after:.1f} s",
        f"{outcome.ended_after:.1f} s",
        f"{outcome.verdict.sent_twice:,}",
        f"{outcome.verdict.allowed:,}",
        _word(outcome.verdict.problems),
    )


def _word(problems: Iterable[str]) -> str:
    return "wrong" if list(problems) else "right"
