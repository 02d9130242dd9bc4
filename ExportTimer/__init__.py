"""The tick: starts the exports that are due."""

import azure.functions as func

from shared.app import app
from shared.azure.function_invocation import carried
from shared.runs.tick import tick


def main(timer: func.TimerRequest, context: func.Context) -> None:
    del timer  # one tick is like another, also one that comes late
    with carried(context):
        tick(app())
