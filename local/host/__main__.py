"""`python -m local.host`: run one instance of the function app in this process."""

import argparse
import asyncio
import logging
import os
import sys
from dataclasses import fields
from pathlib import Path

from local.host.errors import EXIT_CANNOT_START, CannotStartError
from local.host.instance import Options, run
from local.host.times import Times


def main() -> int:
    """Read the options, set up the log on stderr, and run the instance until it is stopped."""
    options = _options()
    # stdout carries one line, the address; what the functions print goes where their log goes.
    sys.stdout = sys.stderr
    # The setting has this name in Azure, too.
    debugging = os.environ.get("PYTHON_ENABLE_DEBUG_LOGGING", "").lower() in ("1", "true")
    level = logging.DEBUG if debugging else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if not debugging:
        # One line for every HTTP request of the SDK hides all others.
        logging.getLogger("azure.core").setLevel(logging.WARNING)
        logging.getLogger("azure.identity").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        return asyncio.run(run(options))
    except CannotStartError as error:
        if error.__cause__ is not None:
            logging.getLogger("host").error("The exception was", exc_info=error.__cause__)
        print(f"host: {error}", file=sys.stderr)
        return EXIT_CANNOT_START


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="the app's root, with host.json (default: here)")
    parser.add_argument("--port", type=int, default=0, help="the HTTP port (default: a free one)")
    parser.add_argument("--functions", default="", help="names of the functions to run, with commas (default: all)")
    parser.add_argument("--settings", type=Path, help="a local.settings.json; the environment goes before it")
    parser.add_argument("--native", action="store_true", help="enter functions by the worker library's native door")
    for field in fields(Times):
        name = f"--{field.name.replace('_', '-')}"
        parser.add_argument(name, type=float, default=field.default, help="seconds (default: %(default)g, as in Azure)")
    given = parser.parse_args()
    if given.invisible < 1:
        parser.error("--invisible must be 1 or more")
    return Options(
        root=given.root.resolve(),
        port=given.port,
        functions=[name.strip() for name in given.functions.split(",") if name.strip()],
        settings=given.settings,
        times=Times(**{field.name: getattr(given, field.name) for field in fields(Times)}),
        native=given.native,
    )


if __name__ == "__main__":
    sys.exit(main())
