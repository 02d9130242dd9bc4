"""The queue: each message is one step of one run."""

import azure.functions as func

from shared.app import app
from shared.runs import worker


def main(message: func.QueueMessage) -> None:
    worker.work(app(), message.get_body(), message.dequeue_count or 1)
