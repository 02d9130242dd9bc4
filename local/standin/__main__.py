"""`python -m local.standin --port 0 --database PATH`: runs until SIGTERM or SIGINT."""

import argparse
import gc
import signal

from local.standin.server import StandIn


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.standin", description="A stand-in for Campaign Monitor.")
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; 0 takes a free one (default)")
    parser.add_argument("--database", default=":memory:", help="a file that survives a restart, or :memory: (default)")
    arguments = parser.parse_args()
    # Blocked before the server's threads start, so that none of them takes the signal from `sigwait`.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    gc.set_threshold(100_000)  # an import makes ten thousand objects without one cycle
    with StandIn(arguments.database, arguments.port) as standin:
        print(f"stand-in for Campaign Monitor: {standin.url}", flush=True)
        signal.sigwait(ends)


if __name__ == "__main__":
    main()
