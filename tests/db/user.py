"""Use a folder's embedded server until standard input is closed: `user.py HOME BIN_DIR name=value...`."""

import sys
from pathlib import Path

from staddle.db.embedded import EmbeddedServer
from staddle.errors import StaddleError


def main(home: str, bin_dir: str, *given: str) -> int:
    settings = dict(setting.split("=", 1) for setting in given)
    try:
        with EmbeddedServer(Path(home), bin_dir=Path(bin_dir) if bin_dir else None, settings=settings):
            print("ready", flush=True)
            sys.stdin.read()
    except StaddleError as error:
        sys.stderr.write(f"{error.code()}: {error.message}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
