"""Files of customers and of deposits, as far as a request can hold them; larger ones are for the commands."""

import io
from collections.abc import Callable
from functools import partial
from typing import Literal

import msgspec

from staddle.api.operation import works
from staddle.customers import ImportReport, import_customers, import_deposits
from staddle.desk import log, now_of
from staddle.server.allow import client, operator
from staddle.server.at import OnDatabase
from staddle.server.call import key_by

TAG = "Imports"
FILE = "The file"
OnError = Literal["stop", "skip"]


class BadLine(msgspec.Struct, frozen=True, kw_only=True):
    """Why a line was not imported; the header is line 1, and `column` is null where the whole line is wrong."""

    line: int
    column: str | None
    code: str
    reason: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file; of the bad lines the first 1,000 are listed."""

    line_count: int
    imported: int
    already_there: int
    bad_count: int
    bad_lines: list[BadLine]


@works("POST", "/v1/imports/customers", allow=operator("support"), gives=Imported, tag=TAG)
def import_customer_file(at: OnDatabase, body: bytes, on_error: OnError = "stop") -> Imported:
    """Import customers from a CSV file of up to 1 MiB: reference, name, country, vip_level, joined_at.

    `stop` imports all lines or none, `skip` those that are good. Each reference is imported once, so that a repeat
    changes nothing. Larger files: `staddle customers import`.
    """
    taken = take_in(at, body, on_error, import_customers)
    with at.database.transaction() as tx:
        counts = {"imported": taken.imported, "already_there": taken.already_there, "bad": taken.bad_count}
        log(tx, at.by, "import_customers", FILE, counts, now_of(tx, at.machine_now))
    return taken


@works("POST", "/v1/imports/deposits", allow=client("deposits"), gives=Imported, tag=TAG)
def import_deposit_file(at: OnDatabase, body: bytes, on_error: OnError = "stop") -> Imported:
    """Import deposits from a CSV file of up to 1 MiB: customer, asset, account, amount, reference.

    `stop` imports all lines or none, `skip` those that are good. A reference stands for one deposit for ever, and is
    the same as the Idempotency-Key of a single deposit, so that a repeat moves nothing. Larger files:
    `staddle deposits import`.
    """
    return take_in(at, body, on_error, partial(import_deposits, key_prefix=key_by(at.caller, "")))


def take_in(at: OnDatabase, body: bytes, on_error: OnError, read: Callable[..., ImportReport]) -> Imported:
    """Import a file under the desk's clock."""
    with at.database.transaction() as tx:
        now = now_of(tx, at.machine_now)
    report = read(at.database.transaction, io.BytesIO(body), FILE, on_error, now)
    bad = [
        BadLine(line=each.line, column=each.column, code=each.code, reason=each.reason)
        for each in report.problems
    ]
    return Imported(
        line_count=report.line_count,
        imported=report.imported,
        already_there=report.already_there,
        bad_count=report.problem_count,
        bad_lines=bad,
    )
