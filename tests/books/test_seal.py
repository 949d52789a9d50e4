"""Seals: a chain of hashes that anybody can work out again from the rows, set once, whatever happens meanwhile."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.living import Living

from staddle import ledger, rewards
from staddle.db import Database, Tx, queries
from staddle.money import plain

sql = queries("staddle.ledger")
EPOCH = "1970-01-01T00:00:00+00:00"
SEAL_AND_DIE = """
import sys
from datetime import datetime
from staddle import rewards
from staddle.db import Database
with Database(sys.argv[1]) as database:
    rewards.seal_all(database, datetime.fromisoformat(sys.argv[2]))
"""


def live_a_little(database: Database) -> Living:
    """Three customers, two products, four days, nothing sealed."""
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    living.product("LONG", "USDT", apr="0.1", term_days=30)
    for name in ("anna", "bert", "carl"):
        customer = living.customer(name, USDT="5000")
        for product in ("FLEX", "LONG", "FLEX"):
            living.subscribe(customer, product, "1000")
    for _ in range(4):
        living.passes(days=1)
        living.catch_up()
        living.redeem(customer, "FLEX", "10")
    return living


def faults(database: Database) -> list[Any]:
    return [finding for finding in rewards.audit(database) if not finding.is_information]


def seals(database: Database) -> list[Any]:
    with database.transaction() as tx:
        return tx.execute("SELECT * FROM seal ORDER BY cell, number").fetchall()


def trimmed(amount: Decimal) -> str:
    """Write an amount in full, without trailing zeros."""
    text = plain(amount)
    return text.rstrip("0").rstrip(".") if "." in text else text


def micros(tx: Tx, column: str) -> str:
    return f"({column} - '{EPOCH}'::timestamptz)"


def as_micros(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def lines_of(tx: Tx, seal: Any) -> list[str]:
    """Write down what a seal covers, in the words of the design and not those of the database."""
    if seal.covers == "transfers":
        rows = tx.execute(
            f"SELECT t.*, {micros(tx, 'effective_at')} AS since FROM transfer t"
            " WHERE cell = %s AND transfer_id BETWEEN %s AND %s ORDER BY transfer_id".encode(),
            [seal.cell, seal.first_transfer, seal.last_transfer],
        ).fetchall()
        return [
            f"{t.transfer_id}|{t.act_id}|{t.kind}|{t.customer_id}|{t.debit_account}|{t.credit_account}|"
            f"{trimmed(t.amount)}|{as_micros(t.since)}|{t.position_id or 0}|{t.corrects or 0}|"
            f"{len(t.request_key)}|{t.request_key}"
            for t in rows
        ]
    rows = tx.execute(
        "SELECT * FROM reward WHERE cell = %s AND run_on = %s AND is_late = %s ORDER BY position_id",
        [seal.cell, seal.run_on, seal.covers == "late_rewards"],
    ).fetchall()
    return [
        f"{r.position_id}|{r.credit_account}|{'ft'[r.is_early]}|{'ft'[r.is_late]}|{trimmed(r.amount)}|{trimmed(r.basis)}"
        for r in rows
    ]


def test_every_hash_can_be_worked_out_again_from_the_rows_by_hand(books: Database) -> None:
    previous: dict[int, bytes] = {}
    kinds = set()
    with books.transaction() as tx:
        for seal in tx.execute(
            f"SELECT s.*, {micros(tx, 'sealed_at')} AS since FROM seal s"
            " WHERE cell IN (SELECT cell FROM position UNION SELECT 0) ORDER BY cell, number".encode()
        ).fetchall():
            head = "|".join(
                str(part)
                for part in (
                    seal.cell,
                    seal.number,
                    seal.covers,
                    seal.first_transfer or 0,
                    seal.last_transfer or 0,
                    seal.run_on or "",
                    ",".join(map(str, seal.late_positions or [])),
                    seal.row_count,
                    as_micros(seal.since),
                )
            )
            text = "\n".join([head, *lines_of(tx, seal)] if seal.row_count else [head, ""])
            previous_hash = previous.get(seal.cell, b"")
            assert bytes(seal.previous_hash) == previous_hash
            assert bytes(seal.hash) == hashlib.sha256(previous_hash + text.encode()).digest(), seal
            previous[seal.cell] = bytes(seal.hash)
            kinds.add(seal.covers)
    assert kinds == {"transfers", "rewards", "late_rewards"}


def test_no_time_zone_date_style_or_number_format_changes_a_hash(books: Database) -> None:
    with books.owner() as owner:
        owner.execute("SET timezone = 'Asia/Kolkata'")
        owner.execute("SET datestyle = 'German, DMY'")
        owner.execute("SET intervalstyle = 'iso_8601'")
        owner.execute("SET extra_float_digits = 0")
        named = {"cell_from": 0, "cell_to": 255, "from_on": "2000-01-01", "to_on": "2100-01-01", "most": 9}
        for check in rewards.CHECKS:
            if check.name in ("sealed_transfers", "sealed_rewards", "sealed_late_rewards"):
                assert owner.execute(check.statement.encode(), named).fetchall() == []


def test_sealing_again_seals_only_what_is_new(database: Database) -> None:
    living = live_a_little(database)
    assert rewards.seal_all(database, living.now) > 0
    before = seals(database)
    assert rewards.seal_all(database, living.now) == 0
    living.passes(days=1)
    living.catch_up()
    rewards.seal_all(database, living.now)
    after = seals(database)
    assert [seal for seal in after if seal in before] == before
    assert len(after) - len(before) == ledger.CELL_COUNT
    assert faults(database) == []


def test_blocks_of_any_length_follow_each_other(database: Database) -> None:
    living = live_a_little(database)
    wanted = {"cell_from": 0, "cell_to": 255, "block": 3, "now": living.now}
    with database.transaction() as tx:
        while tx.execute(sql.seal_transfers, wanted).rowcount:
            pass
    blocks = [seal for seal in seals(database) if seal.covers == "transfers"]
    assert {seal.row_count for seal in blocks} == {1, 2, 3}
    assert faults(database) == []
    assert rewards.seal_all(database, living.now) > 0
    assert faults(database) == []


def test_a_run_that_is_not_finished_is_not_sealed(database: Database) -> None:
    living = live_a_little(database)
    with database.owner() as owner:
        owner.execute("UPDATE run SET state = 'executing' WHERE run_on = (SELECT max(run_on) FROM run)")
    rewards.seal_all(database, living.now)
    last = max(seal.run_on for seal in seals(database) if seal.run_on)
    assert last == living.now.date() - timedelta(days=1)


def test_sealers_at_once_make_one_chain(database: Database) -> None:
    living = live_a_little(database)
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: rewards.seal_all(database, living.now), range(4)))
    assert sum(counts) == len(seals(database))
    assert faults(database) == []
    assert {finding.check for finding in rewards.audit(database)} == set()


@pytest.mark.parametrize("name", ["seal.transfers", "seal.before_commit"])
def test_sealing_that_was_killed_is_simply_done_again(
    name: str, make_database: Callable[[], Database]
) -> None:
    killed, undisturbed = make_database(), make_database()
    now = live_a_little(undisturbed).now
    live_a_little(killed)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        subprocess.run(
            [sys.executable, "-c", SEAL_AND_DIE, killed.dsn, now.isoformat()],
            env=os.environ | {"STADDLE_TEST_FAILPOINT": name},
            check=True,
            timeout=60,
        )
    assert caught.value.returncode == -signal.SIGKILL
    rewards.seal_all(killed, now)
    rewards.seal_all(undisturbed, now)
    assert seals(killed) == seals(undisturbed)
    assert faults(killed) == []


def test_rewards_that_were_paid_late_are_sealed_by_themselves_each_once(books: Database) -> None:
    with books.transaction() as tx:
        late = tx.execute(
            "SELECT cell, run_on, position_id FROM reward WHERE is_late ORDER BY run_on"
        ).fetchall()
        sealed = tx.execute(
            "SELECT cell, run_on, unnest(late_positions) AS position_id FROM seal WHERE covers = 'late_rewards'"
            " ORDER BY run_on"
        ).fetchall()
    assert len(late) > 1
    assert [tuple(row) for row in late] == [tuple(row) for row in sealed]


def test_when_a_row_was_recorded_is_no_part_of_its_seal(books: Database) -> None:
    with books.owner() as owner:
        owner.execute("UPDATE transfer SET recorded_at = recorded_at - interval '1 day'")
    assert faults(books) == []
