"""What must not come into the log, whatever its level."""

import logging

_ADAPTER = "_http_asgi"  # the module of azure.functions


def keep_bodies_out_of_the_log() -> None:
    """Azure's ASGI adapter logs every message of an answer, body and all, at DEBUG on the root logger: addresses, when
    somebody asks for rejects. A filter of the root logger sees what is logged on it directly, and nothing else."""
    logging.getLogger().addFilter(_not_of_the_adapter)


def _not_of_the_adapter(record: logging.LogRecord) -> bool:
    return record.module != _ADAPTER or record.levelno > logging.DEBUG
