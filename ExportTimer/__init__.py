"""The tick: starts the exports that are due."""

import azure.functions as func

from shared.app import app
from shared.runs.tick import tick


def main(timer: func.TimerRequest) -> None:
    del timer  # one tick is like another, also one that comes late
    tick(app())
