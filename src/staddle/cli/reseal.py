"""`staddle reseal`: secrets sealed again by the newest key of STADDLE_SECRET_KEY."""

import os

from staddle.cli import app
from staddle.cli.answer import Shown
from staddle.cli.edge import DatabaseName, plain
from staddle.cli.show import card
from staddle.config import Config
from staddle.db import open_database
from staddle.keyring import Keyring
from staddle.server.reseal import reseal as reseal_all


@plain(app.app, "reseal")
def reseal(name: DatabaseName = None) -> Shown:
    """Seal every secret in the database by the newest key of STADDLE_SECRET_KEY, so that the older ones can be dropped.

    All or none. The service may go on meanwhile, as long as it has both keys.
    """
    config = Config.from_environ(os.environ)
    with open_database(config if name is None else config.named(name)) as database:
        return Shown(reseal_all(database, Keyring(config)), card)
