"""One act in a process of its own: `python -m tests.faults.perform ACT CONNECTION`; prints the answer.

An error is told on standard output as its code, with the exit code of the error's branch.
"""

import sys

from tests.faults.acts import perform

from staddle.db import Database
from staddle.errors import StaddleError


def main(act: str, dsn: str) -> int:
    with Database(dsn, connections_max=4, wait_seconds=10) as database:
        try:
            print(perform(database, act))
        except StaddleError as error:
            print(error.code())
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
