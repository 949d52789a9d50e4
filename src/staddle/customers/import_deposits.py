"""`customer,asset,account,amount,reference`: importing deposits from a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import BinaryIO

import msgspec

from staddle.customers.deposits import Deposit, check_amount, deposit
from staddle.customers.find import Customer, find_customers
from staddle.customers.import_file import Begin, Chunk, ImportReport, OnError, Progress, open_csv, run_import
from staddle.customers.read_csv import Line
from staddle.db import Tx, queries
from staddle.errors import (
    AssetNotFound,
    CustomerNotFound,
    InvalidChoice,
    InvalidKey,
    RequestKeyReused,
    StaddleError,
)
from staddle.ledger import Asset, all_assets, cell_of_reference
from staddle.ledger.requests import check_key, fingerprint
from staddle.money import EXACT, parse_decimal

sql = queries(__package__)
COLUMNS = ("customer", "asset", "account", "amount", "reference")
REFERENCE_MAX = 180
MARK = "imported deposit "
"""Before a line's reference in the house's key that keeps it to one deposit, whoever the customer is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A line as a deposit, and the hash of its content."""

    line: int
    command: Deposit
    fingerprint: bytes


def import_deposits(
    begin: Begin,
    stream: BinaryIO,
    name: str,
    on_error: OnError,
    now: datetime,
    progress: Progress | None = None,
    key_prefix: str = "",
) -> ImportReport:
    """Import deposits from a CSV file, each reference once; `name` is the file's, for messages.

    A reference stands for one deposit in all files and for ever: the same line again is already there, another
    one with its reference is bad. Raises InvalidFile where the header is wrong, and with on_error "stop" where
    any line is: `problems` in its details lists the bad lines, and nothing is imported. A `key_prefix` keeps the
    references of one integrator apart from the keys of all others.
    """
    file = open_csv(stream, name, COLUMNS)
    with begin() as tx:
        assets = {asset.code: asset for asset in all_assets(tx).values()}
    return run_import(begin, file, name, on_error, partial(import_lines, assets, key_prefix), now, progress)


def import_lines(
    assets: Mapping[str, Asset], key_prefix: str, tx: Tx, lines: Sequence[Line], now: datetime
) -> Chunk:
    """Deposit some lines: read, hold against the references that are known, deposit, keep their references."""
    chunk = Chunk()
    fresh = leave_out_known(chunk, tx, read_deposits(chunk, tx, lines, assets, key_prefix))
    outcomes = deposit(tx, [each.command for each in fresh], now)
    deposited: list[Asked] = []
    for each, outcome in zip(fresh, outcomes, strict=True):
        if outcome.error is not None:
            chunk.refuse(each.line, outcome.error, "reference")
            continue
        deposited.append(each)
        if outcome.is_replay:
            chunk.already_there += 1
        else:
            chunk.imported += 1
    keep_references(tx, deposited, now)
    return chunk


def read_deposits(
    chunk: Chunk, tx: Tx, lines: Sequence[Line], assets: Mapping[str, Asset], key_prefix: str
) -> list[Asked]:
    """Read the fields of some lines; what is wrong goes to the chunk's problems, with its column."""
    known = find_customers(tx, (line.fields["customer"] for line in lines))
    asked: list[Asked] = []
    for line in lines:
        column = ""
        try:
            for column in COLUMNS:
                check_field(column, line.fields, known, assets)
            check_key(key_prefix + line.fields["reference"])
        except StaddleError as error:
            chunk.refuse(line.number, error, column)
            continue
        deposited = as_deposit(line.fields, known, assets)
        command = msgspec.structs.replace(deposited, key=key_prefix + deposited.key)
        asked.append(Asked(line.number, command, fingerprint(command)))
    return asked


def check_field(
    column: str, fields: Mapping[str, str], known: Mapping[str, Customer], assets: Mapping[str, Asset]
) -> None:
    """Refuse a field that is wrong; those to its left are right."""
    text = fields[column]
    if column == "customer" and text not in known:
        raise CustomerNotFound(f"There is no customer {text[:100]!r}.")
    if column == "asset" and text not in assets:
        raise AssetNotFound(f"There is no asset {text[:40]!r}.")
    if column == "account" and text not in ("spot", "funding"):
        raise InvalidChoice(f"{text[:40]!r} is not an account: it is spot or funding.")
    if column == "amount":
        check_amount(parse_decimal(text), assets[fields["asset"]])
    if column == "reference":
        check_key(text)
        if len(text) > REFERENCE_MAX:
            raise InvalidKey(f"The reference is longer than {REFERENCE_MAX} characters.")


def as_deposit(
    fields: Mapping[str, str], known: Mapping[str, Customer], assets: Mapping[str, Asset]
) -> Deposit:
    """Give the deposit of a line whose fields are right; its reference is the idempotency key."""
    asset = assets[fields["asset"]]
    return Deposit(
        customer_id=known[fields["customer"]].customer_id,
        key=fields["reference"],
        asset=asset.code,
        account="spot" if fields["account"] == "spot" else "funding",
        amount=EXACT.quantize(parse_decimal(fields["amount"]), asset.unit),
    )


def leave_out_known(chunk: Chunk, tx: Tx, asked: Sequence[Asked]) -> list[Asked]:
    """Give the lines to deposit: those whose reference is not there yet, for this deposit or another."""
    rows = tx.execute(
        sql.known_references,
        {"cells": cells_of(asked), "request_keys": [MARK + each.command.key for each in asked]},
    ).fetchall()
    there = {row.request_key: row.fingerprint for row in rows}
    in_chunk: dict[str, bytes] = {}
    fresh: list[Asked] = []
    for each in asked:
        reference = each.command.key
        is_there = MARK + reference in there
        first = there[MARK + reference] if is_there else in_chunk.setdefault(reference, each.fingerprint)
        if first != each.fingerprint:
            reused = RequestKeyReused(f"The reference {reference!r} already stands for another deposit.")
            chunk.refuse(each.line, reused, "reference")
        elif is_there:
            chunk.already_there += 1
        else:
            fresh.append(each)
    return fresh


def keep_references(tx: Tx, deposited: Sequence[Asked], now: datetime) -> None:
    """Keep for ever which deposit each reference stands for."""
    tx.execute(
        sql.keep_references,
        {
            "cells": cells_of(deposited),
            "request_keys": [MARK + each.command.key for each in deposited],
            "fingerprints": [each.fingerprint for each in deposited],
            "customer_ids": [each.command.customer_id for each in deposited],
            "now": now,
        },
    )


def cells_of(asked: Sequence[Asked]) -> list[int]:
    """Give the cell in which each reference is kept."""
    return [cell_of_reference(each.command.key) for each in asked]
