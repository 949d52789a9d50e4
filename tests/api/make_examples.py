"""Writes src/staddle/api/examples.json anew, by telling the story on a desk of its own: `make docs` runs it."""

import sys
import tempfile
from pathlib import Path

from tests.api.lived import live
from tests.api.story import as_file, tell, untold
from tests.api.world import serving
from tests.conftest import TEST_SETTINGS

import staddle.api
from staddle.config import Config
from staddle.db import open_server
from staddle.money import use_exact_decimals


def main() -> int:
    """Tell the story and write what it gave; gives how many operations it does not tell of."""
    use_exact_decimals()
    with tempfile.TemporaryDirectory() as home:
        config = Config(home=Path(home), database_url=None, database=None, operator=None)
        with (
            open_server(config, settings=TEST_SETTINGS) as server,
            server.open("examples") as database,
            serving(live(database)) as service,
        ):
            story = tell(service)
    file = Path(staddle.api.__file__).parent / "examples.json"
    file.write_text(as_file(story.examples), encoding="utf-8")
    missing = [operation.name for operation in untold(story)]
    print(f"{len(story.examples)} examples are in {file.name}; without one: {', '.join(missing) or 'none'}.")
    return len(missing)


if __name__ == "__main__":
    sys.exit(main())
