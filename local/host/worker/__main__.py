"""``python -m local.host.worker ADDRESS ROOT classic|native``: the worker of the instance that listens there, for the
app under that root; it ends with the instance."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from local.host.worker.dispatcher import Dispatcher


def main() -> None:
    address, root, door = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they reach the host, too, which ends this process when it is time
    # stdout is the instance's: what functions print goes where their log goes.
    sys.stdout = sys.stderr
    debugging = os.environ.get("PYTHON_ENABLE_DEBUG_LOGGING", "").lower() in ("1", "true")
    logging.getLogger().setLevel(logging.DEBUG if debugging else logging.INFO)
    if not debugging:
        # One line for every HTTP request of the SDK hides all others.
        logging.getLogger("azure.core").setLevel(logging.WARNING)
        logging.getLogger("azure.identity").setLevel(logging.WARNING)
    _search_root_last(Path(root))
    asyncio.run(Dispatcher(address, native=door == "native").run())


def _search_root_last(root: Path) -> None:
    """Search modules as Azure does: installed packages first, the app's root after all of them.

    A package that ships a top-level `shared` hides the app's, there as here; `python -m` would have put the current
    directory first.
    """
    app = {root.resolve(), Path.cwd()}
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() not in app]
    sys.path.append(os.fspath(root.resolve()))


if __name__ == "__main__":
    main()
