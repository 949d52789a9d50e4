"""Sealing and auditing a large desk, in flat memory: `python -m bench.audit`."""

import argparse
import time as clock

from bench.fill import POSITIONS_EACH, durable_server, fill, peak_memory, say, timed
from bench.run import midnight
from staddle.db import Database
from staddle.rewards import AuditProgress, audit, catch_up, seal_all

MEMORY_MAX = 150.0


def main() -> int:
    """Fill, run some days, seal, audit, and print; gives 1 where a target is missed or the books are not sound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--positions", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--home", help="make the database in this folder")
    options = parser.parse_args()
    with durable_server(options.home) as server, server.open("bench_audit") as database:
        say(f"The audit, {options.positions:,} open positions, {options.days} paid days, on 2 connections")
        fill(database, options.positions // POSITIONS_EACH)
        ran = timed(lambda: catch_up(database, "ada", midnight(options.days + 1)))
        say(f"  {'runs':<42} {ran:8.2f} s")
        return measure(database, options.days)


def measure(database: Database, days: int) -> int:
    """Time sealing and the audit, check by check."""
    sealed = timed(lambda: seal_all(database, midnight(days + 1)))
    say(f"  {'sealing them':<42} {sealed:8.2f} s")
    say(f"  {'sealing again':<42} {timed(lambda: seal_all(database, midnight(days + 1))):8.2f} s")
    before, began, last = peak_memory(), clock.perf_counter(), clock.perf_counter()

    def tell(progress: AuditProgress) -> None:
        nonlocal last
        if progress.slices_done == progress.slices:
            seconds, last = clock.perf_counter() - last, clock.perf_counter()
            say(f"    {progress.check.name:<40} {seconds:8.2f} s {progress.findings:6} found")

    found = [finding for finding in audit(database, tell) if not finding.is_information]
    for finding in found[:10]:
        say(f"  {finding}")
    say(f"  {'the whole audit':<42} {clock.perf_counter() - began:8.2f} s")
    say(
        f"  most memory of this process: {peak_memory():.0f} MB (at most {MEMORY_MAX:.0f}), {before:.0f} before it"
    )
    is_good = not found and peak_memory() <= MEMORY_MAX
    say(f"  {'good' if is_good else 'MISSED'}: the books are sound, and the audit stays in flat memory")
    return 0 if is_good else 1


if __name__ == "__main__":
    raise SystemExit(main())
