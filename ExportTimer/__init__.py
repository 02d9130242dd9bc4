"""The tick: starts the exports that are due."""

import azure.functions as func

from shared import export
from shared.app import app


def main(timer: func.TimerRequest) -> None:
    del timer  # one tick is like another, also one that comes late
    export.tick(app())
