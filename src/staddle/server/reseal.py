"""Changing the key that seals: every secret is opened and sealed again by the newest key, so that older ones can go."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.sql import SQL, Identifier

from staddle.db import Database, Tx
from staddle.identity.sealed import SEALED as OF_IDENTITY
from staddle.keyring import Keyring, Sealed
from staddle.notices.endpoints import purpose_of_endpoint

SEALED: Sequence[Sealed] = (
    *OF_IDENTITY,
    Sealed("webhook_endpoint", "secret", "endpoint_id", "client_id", purpose_of_endpoint),
    Sealed("webhook_endpoint", "secret_before", "endpoint_id", "client_id", purpose_of_endpoint),
)
"""Every column that holds sealed secrets."""


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many secrets were sealed anew, and how many the newest key had sealed already."""

    resealed: int
    were_newest: int


def reseal(database: Database, keyring: Keyring) -> Resealed:
    """Seal every secret by the newest key, all or none; the service may go on meanwhile.

    It is done as the owner. Raises InvalidConfig where one was sealed by a key that STADDLE_SECRET_KEY does not hold.
    """
    resealed, newest = 0, 0
    with database.owner() as owner, owner.transaction():
        for column in SEALED:
            changed, found = _reseal_column(owner, keyring, column)
            resealed, newest = resealed + changed, newest + found - changed
    return Resealed(resealed, newest)


def _reseal_column(owner: Tx, keyring: Keyring, where: Sealed) -> tuple[int, int]:
    names = {
        "table": Identifier(where.table),
        "column": Identifier(where.column),
        "row_key": Identifier(where.row_key),
        "named_by": Identifier(where.named_by),
    }
    rows = owner.execute(_READ.format(**names)).fetchall()
    old = [row for row in rows if not keyring.is_by_newest(bytes(row.sealed))]
    for row in old:
        purpose = where.purpose(row.named_by)
        sealed = keyring.seal(keyring.open(bytes(row.sealed), purpose), purpose)
        owner.execute(_WRITE.format(**names), {"sealed": sealed, "row_key": row.row_key})
    return len(old), len(rows)


_READ = SQL(
    "SELECT {row_key} AS row_key, {named_by} AS named_by, {column} AS sealed FROM {table}"
    " WHERE {column} IS NOT NULL ORDER BY 1 FOR UPDATE"
)
_WRITE = SQL("UPDATE {table} SET {column} = %(sealed)s WHERE {row_key} = %(row_key)s")
