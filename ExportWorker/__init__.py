"""The queue: each message is one step of one run."""

import azure.functions as func

from shared import export
from shared.app import app


def main(message: func.QueueMessage) -> None:
    export.work(app(), message.get_body(), message.dequeue_count or 1)
