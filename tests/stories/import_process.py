"""A process that imports files of deposits: `import_process.py DSN stop|skip FILE..`; it tells its peak memory."""

import sys
from pathlib import Path
from typing import cast

from tests.stories.stage import START

from staddle.customers import OnError, import_deposits
from staddle.db import Database
from staddle.money import use_exact_decimals


def main(dsn: str, on_error: OnError, files: list[str]) -> None:
    use_exact_decimals()
    with Database(dsn) as database:
        for file in files:
            with Path(file).open("rb") as stream:
                import_deposits(database.transaction, stream, file, on_error, START, progress=tell)
            print("done", peak_memory(), flush=True)


def peak_memory() -> int:
    """Give the most that this program has held, in MB; what its parent held when it was started does not count."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) // 1024


def tell(lines: int, _: int) -> None:
    print("lines", lines, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], cast(OnError, sys.argv[2]), sys.argv[3:])
