"""The queue: each message is one step of one run."""

import azure.functions as func

from shared.app import app
from shared.azure.function_invocation import carried
from shared.runs import worker


def main(message: func.QueueMessage, context: func.Context) -> None:
    with carried(context):
        worker.work(app(), message.get_body(), message.dequeue_count or 1)
