"""All measurements one after the other: `python -m bench`, or `python -m bench --quick` for a tenth of the size."""

import argparse

from bench import over_http, pages, run, subscribe
from bench.fill import config_of, durable_server, say, temporary_home
from staddle.db import open_server


def main() -> int:
    """Measure the run, subscribing, the service and its pages, each on a server of its own; 1 where one is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size: to see that it works")
    parser.add_argument("--home", help="make the databases in this folder")
    options = parser.parse_args()
    positions, customers, scale, seconds = (
        (100_000, 10_000, 5, 2) if options.quick else (1_000_000, 40_000, 50, 8)
    )
    # The run comes first: what this process has held at most is measured before anything else has grown it.
    with durable_server(options.home) as server, server.open("bench_run") as database:
        missed = run.measure(database, positions)
    say("")
    with durable_server(options.home) as server:
        missed += subscribe.measure(server, customers, scale, seconds)
    say("")
    with temporary_home(options.home) as home, open_server(config_of(home)) as server:
        missed += over_http.measure(server, home, customers, max(scale, 64), seconds, 2)
    say("")
    with temporary_home(options.home) as home, open_server(config_of(home)) as server:
        missed += pages.measure(server, home, positions, 200)
    return min(missed, 1)


if __name__ == "__main__":
    raise SystemExit(main())
