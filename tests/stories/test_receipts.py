"""Rule 27: a receipt of every paid day, from which a stranger recomputes it."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.living import START, Living

from staddle import errors, rewards, verify_receipt
from staddle.db import Database
from staddle.rewards import receipt_json, receipt_named, receipt_of

D = Decimal
SCRIPT = Path(verify_receipt.__file__)
Receipt = dict[str, Any]


def receipt(living: Living, customer_id: int, position_id: int, **named: Any) -> Receipt:
    with living.database.transaction() as tx:
        return receipt_of(tx, customer_id, position_id, living.now, **named)


def verdict(tmp_path: Path, content: bytes) -> int:
    """Give the exit code of the script for a file with this content, within this process."""
    file = tmp_path / "receipt.json"
    file.write_bytes(content)
    return verify_receipt.main([str(file)])


def assert_every_paid_day_is_proved(
    living: Living, customer_id: int, position_id: int, tmp_path: Path
) -> int:
    """Verify the receipts of all paid days, hold each against the one before and against the ledger's rows."""
    row, paid = living.position(position_id), living.rewards_of(position_id)
    total, basis, day = D(0), "0", 0
    while True:
        try:
            found = receipt(living, customer_id, position_id, day=day + 1)
        except errors.RewardNotFound:
            break
        day += 1
        assert verdict(tmp_path, receipt_json(found)) == 0
        assert found["basis_before"] == basis
        assert D(found["amount"]) == paid.pop(date.fromisoformat(found["run_on"]), D(0))
        assert found == receipt(living, customer_id, position_id, run_on=date.fromisoformat(found["run_on"]))
        basis, total = found["basis_after"], total + D(found["amount"])
    assert paid == {}
    if row.ended_at is not None:
        assert (D(basis), day) == (row.anchor_basis, row.anchor_days)
    return day


def test_a_receipt_holds_everything_that_a_pencil_needs(database: Database, tmp_path: Path) -> None:
    living = Living(database)
    bands = [("0", "500", "0.12"), ("500", "5000", "0.008"), ("5000", None, "0.003")]
    living.product("FLEX", "USDT", bands=bands)
    anna = living.customer("anna", USDT="10000")
    position = living.subscribe(anna, "FLEX", "10000")
    living.passes(days=2, hours=9)
    living.catch_up()
    found = receipt(living, anna, position, day=2)
    assert found["rate"]["tiers"] == [
        {"from": "0", "to": "500", "apr": "0.12", "amount": "500.00000000", "amount_x_apr": "60"},
        {"from": "500", "to": "5000", "apr": "0.008", "amount": "4500.00000000", "amount_x_apr": "36"},
        {"from": "5000", "to": None, "apr": "0.003", "amount": "5000.00000000", "amount_x_apr": "15"},
    ]
    assert (found["day_basis"], found["day_interest"]) == ("111", {"numerator": "111", "denominator": 365})
    assert (found["basis_before"], found["basis_after"]) == ("111", "222")
    assert (found["paid_before"], found["paid_after"]) == ("0.30410958", "0.60821917")
    assert found["amount"] == "0.30410959"  # the carry of the first day makes the unit
    assert found["carry_before"]["numerator"] == "0.0000033"
    assert (found["day_from"], found["day_to"]) == ("2026-01-23T15:30:00Z", "2026-01-24T15:30:00Z")
    assert (found["run_on"], found["distributed_at"]) == ("2026-01-25", "2026-01-25T00:00:00Z")
    assert (found["paid_by"], found["paid_to"], found["forfeited"]) == ("run", "funding", "0.00000000")
    assert found["seal"] is None
    rewards.seal_all(database, living.now)
    sealed = receipt(living, anna, position, day=2)["seal"]
    assert (
        living.rows(
            "SELECT encode(hash, 'hex') AS hash FROM seal WHERE run_on = '2026-01-25' AND cell = %s"
            " AND row_count > 0",
            anna % 256,
        )[0].hash
        == sealed["hash"]
    )
    assert assert_every_paid_day_is_proved(living, anna, position, tmp_path) == 2


def test_days_too_small_to_be_paid_have_a_receipt_of_their_carry(database: Database, tmp_path: Path) -> None:
    living = Living(database)
    living.product("FLEX", "BTC", apr="0.01")
    anna = living.customer("anna", BTC="0.0001")
    position = living.subscribe(anna, "FLEX", "0.0001")
    living.passes(days=4, hours=9)
    living.catch_up()
    amounts = [receipt(living, anna, position, day=day)["amount"] for day in (1, 2, 3, 4)]
    assert amounts == ["0.00000000"] * 3 + ["0.00000001"]
    first = receipt(living, anna, position, day=1)
    assert (first["paid_by"], first["forfeited"], first["carry_after"]["numerator"]) == (
        None,
        None,
        "0.000001",
    )
    assert assert_every_paid_day_is_proved(living, anna, position, tmp_path) == 4


def test_days_before_a_partial_redemption_show_what_was_held_then(database: Database, tmp_path: Path) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", bands=[("0", "150", "0.1"), ("150", None, "0.01")])
    anna = living.customer("anna", USDT="1000")
    older = living.subscribe(anna, "FLEX", "100")
    living.passes(hours=1)
    newer = living.subscribe(anna, "FLEX", "200")
    living.passes(days=3)
    living.catch_up()
    living.redeem(anna, "FLEX", "120")
    living.passes(days=1, hours=23)
    living.revise("FLEX", apr="0.2", at=living.now + timedelta(hours=1))  # just as the sixth day begins
    living.passes(days=2, hours=1)
    living.catch_up()
    before, after = (receipt(living, anna, newer, day=day) for day in (3, 4))
    assert (before["principal"], before["older_principal"]) == ("200.00000000", "100.00000000")
    assert (after["principal"], after["older_principal"]) == ("80.00000000", "100.00000000")
    assert before["paid_by"] == "act"  # the day was complete and no run had come
    assert (before["rate"]["revision"], receipt(living, anna, newer, day=6)["rate"]["revision"]) == (1, 2)
    assert assert_every_paid_day_is_proved(living, anna, older, tmp_path) == 6
    assert assert_every_paid_day_is_proved(living, anna, newer, tmp_path) == 6
    living.redeem(anna, "FLEX")
    assert assert_every_paid_day_is_proved(living, anna, older, tmp_path) == 7


def test_days_before_an_early_redemption_say_what_was_forfeited(database: Database, tmp_path: Path) -> None:
    living = Living(database)
    living.product("FIX", "USDT", apr="0.08", term_days=30)
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "FIX", "1000")
    living.comes(START + timedelta(days=3, hours=3))
    living.catch_up()
    living.leave_early(anna, position)
    found = receipt(living, anna, position, day=2)
    assert found["amount"] == found["forfeited"] == "0.21917808"
    with pytest.raises(errors.RewardNotFound):
        receipt(living, anna, position, day=3)  # it was cancelled
    living.passes(days=3)
    living.catch_up()
    with pytest.raises(errors.RewardNotFound):
        receipt(living, anna, position, day=3)
    assert assert_every_paid_day_is_proved(living, anna, position, tmp_path) == 2


def test_a_renewed_position_and_an_accrued_one_have_receipts(database: Database, tmp_path: Path) -> None:
    living = Living(database)
    living.product("DAILY", "USDT", apr="0.08", term_days=3)
    living.product("LATER", "YEN", apr="0.3", term_days=3, payout="at_maturity")
    anna = living.customer("anna", USDT="1000", YEN="1000")
    renewed = living.subscribe(anna, "DAILY", "1000", at_maturity="renew")
    accrued = living.subscribe(anna, "LATER", "1000")
    living.passes(days=5)
    living.catch_up()
    assert receipt(living, anna, accrued, day=3)["paid_to"] == "accrued"
    assert receipt(living, anna, renewed, day=3)["paid_by"] == "act"  # with the maturity
    assert receipt(living, anna, renewed, day=1)["rate"]["is_locked"]
    second = living.positions_of(anna, "DAILY")[1].position_id
    assert assert_every_paid_day_is_proved(living, anna, renewed, tmp_path) == 3
    assert assert_every_paid_day_is_proved(living, anna, accrued, tmp_path) == 3
    assert assert_every_paid_day_is_proved(living, anna, second, tmp_path) == 1


def test_a_receipt_is_only_for_the_position_s_customer_and_a_paid_day(database: Database) -> None:
    living = Living(database)
    living.product("FLEX", "USDT", apr="0.08")
    anna, ben = living.customer("anna", USDT="1000"), living.customer("ben")
    position = living.subscribe(anna, "FLEX", "1000")
    living.passes(days=1, hours=9)
    living.catch_up()
    assert receipt(living, anna, position, day=1)["receipt"] == f"{position}-2026-01-24"
    with pytest.raises(errors.PositionNotFound):
        receipt(living, ben, position, day=1)
    unpaid: list[dict[str, Any]] = [{"day": 0}, {"day": 2}]
    unpaid += [{"run_on": day} for day in (date(2026, 1, 23), date.max, date.min)]
    for named in unpaid:
        with pytest.raises(errors.RewardNotFound):
            receipt(living, anna, position, **named)
    unclear: list[dict[str, Any]] = [{}, {"day": 1, "run_on": date(2026, 1, 24)}]
    for named in unclear:
        with pytest.raises(errors.InvalidChoice):
            receipt(living, anna, position, **named)
    with database.transaction() as tx:
        assert receipt_named(tx, anna, f"{position}-2026-01-24", living.now)["day"] == 1
        for name in (
            "",
            "x",
            "1",
            f"{position}-2026",
            f"{position}-2026-02-30",
            "9" * 30 + "-2026-01-24",
            "²-2026-01-24",
        ):
            with pytest.raises(errors.RewardNotFound):
                receipt_named(tx, anna, name, living.now)


# The script


@pytest.fixture
def good(database: Database) -> Receipt:
    living = Living(database)
    living.product("FLEX", "USDT", bands=[("0", "500", "0.12"), ("500", None, "0.008")], amount_min="1")
    anna = living.customer("anna", USDT="1000")
    living.subscribe(anna, "FLEX", "300")
    position = living.subscribe(anna, "FLEX", "300")
    living.passes(days=3, hours=9)
    living.catch_up()
    rewards.seal_all(database, living.now)
    return receipt(living, anna, position, day=3)


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )


def test_the_script_stands_alone_and_tells_proved_false_and_unreadable_apart(
    good: Receipt, tmp_path: Path
) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(receipt_json(good))
    proved = run_script(str(file))
    assert (proved.returncode, proved.stderr) == (0, "")
    assert proved.stdout.startswith("proved: day 3 of position")
    file.write_bytes(receipt_json(good | {"amount": "1.00000000"}))
    false = run_script(str(file))
    assert (false.returncode, false.stdout) == (1, "")
    assert false.stderr == "FALSE: the amount is 0.0679452.\n"
    for arguments in ([], [str(tmp_path / "none")], [str(tmp_path)], ["a", "b"]):
        assert run_script(*arguments).returncode == 2
    imported = {
        line.split()[1] for line in SCRIPT.read_text().splitlines() if line.startswith(("import ", "from "))
    }
    assert imported == {"json", "re", "sys", "collections.abc", "datetime", "fractions", "typing"}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Name every field of a receipt, also those within fields."""
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in leaves(each, (*path, key))]
    if isinstance(value, list):
        return [leaf for key, each in enumerate(value) for leaf in leaves(each, (*path, key))]
    return [path]


def changed(receipt: Receipt, path: tuple[Any, ...], change: Callable[[Any], Any]) -> bytes:
    """Write a receipt with one field changed."""
    other = copy.deepcopy(receipt)
    within: Any = other
    for key in path[:-1]:
        within = within[key]
    within[path[-1]] = change(within[path[-1]])
    return json.dumps(other).encode()


FREE = {"asset", "product", "terms_version", "revision", "effective_at", "is_locked", "term_days", "paid_by"}
FREE |= {"number", "hash", "sealed_at", "forfeited"}
"""Fields from which nothing is computed: what they say is to be held against what was published."""


def test_every_changed_figure_is_false(good: Receipt, tmp_path: Path) -> None:
    def more(value: Any) -> Any:
        if isinstance(value, str) and value[:4] == "2026":
            return value.replace("2026", "2027", 1)
        if isinstance(value, str) and value.replace(".", "").isdigit():
            return format(D(value) + D("0.00000001"), "f") if "." in value else str(int(value) + 1)
        return "1" if value is None else value + 1 if isinstance(value, int) else value + "1"

    assert verdict(tmp_path, changed(good, ("term_days",), lambda _: 2)) == 1
    for path in leaves(good):
        if path[-1] in FREE:
            continue
        code = verdict(tmp_path, changed(good, path, more))
        expected = {2} if path[-1] in ("format", "denominator", "paid_to") else {1}
        assert code in expected | ({2} if path[-1] in ("scale", "run_on") else set()), path


def test_a_wrong_rate_of_the_day_is_false_when_it_was_not_in_force(good: Receipt, tmp_path: Path) -> None:
    late = changed(good, ("rate", "effective_at"), lambda _: good["day_to"])
    assert verdict(tmp_path, late) == 1
    locked_late = json.loads(late) | {
        "rate": good["rate"] | {"is_locked": True, "effective_at": good["day_from"]}
    }
    assert verdict(tmp_path, json.dumps(locked_late).encode()) == 1


def test_every_missing_and_every_extra_field_is_named(good: Receipt, tmp_path: Path, capsys: Any) -> None:
    for path in leaves(good):
        other = copy.deepcopy(good)
        within: Any = other
        for key in path[:-1]:
            within = within[key]
        del within[path[-1]]
        assert verdict(tmp_path, json.dumps(other).encode()) == 2, path
        assert repr(path[-1]) in capsys.readouterr().err
    assert verdict(tmp_path, json.dumps(good | {"tip": "1"}).encode()) == 2
    assert capsys.readouterr().err == "unreadable: the field 'tip' of the receipt does not belong there.\n"


def test_odd_decimals_are_unreadable(good: Receipt, tmp_path: Path) -> None:
    texts = [
        "1e3",
        "+1",
        "-1",
        " 1",
        "1 ",
        "01",
        ".5",
        "5.",
        "0x1",
        "NaN",
        "Infinity",
        "١",
        "1_0",
        "1,0",
        "",
        "9" * 50,
    ]
    odd: list[object] = [*texts, 1, 1.5, True, None, [], {}]
    for each in odd:
        for field in ("principal", "amount", "basis_before"):
            assert verdict(tmp_path, json.dumps(good | {field: each}).encode()) == 2, each


NO_RECEIPTS = [b"", b"null", b"[]", b"{}", b"{", b'"x"', b"NaN", b"1.5", b"\xff\xfe"]
NO_RECEIPTS += [b"[" * 100_000, b"9" * 5_000, b" " * 2_000_000, b'{"format": 1, "format": 1}']


@pytest.mark.parametrize("content", NO_RECEIPTS, ids=range(len(NO_RECEIPTS)))
def test_what_is_no_receipt_is_unreadable(content: bytes, tmp_path: Path) -> None:
    assert verdict(tmp_path, content) == 2


def test_a_field_that_is_there_twice_or_holds_a_number_without_quotes_is_unreadable(
    good: Receipt, tmp_path: Path
) -> None:
    text = json.dumps(good)
    assert verdict(tmp_path, text.encode()) == 0
    assert verdict(tmp_path, text.replace('"day": 3', '"day": 2, "day": 3').encode()) == 2
    for number in ("NaN", "Infinity", "-Infinity", "1.5", "1e3"):
        assert verdict(tmp_path, text.replace('"asset": "USDT"', f'"asset": {number}').encode()) == 2


def test_odd_instants_and_ids_are_unreadable(good: Receipt, tmp_path: Path) -> None:
    for field, odd in (
        ("day_from", "2026-01-24"),
        ("day_from", "2026-01-24T15:30:00+00:00"),
        ("day_from", "2026-13-24T15:30:00Z"),
        ("day_from", "2026-01-24T15:30:60Z"),
        ("day", 0),
        ("day", "1"),
        ("day", True),
        ("scale", 19),
        ("position_id", "x"),
        ("account", "-1"),
        ("paid_to", "spot"),
        ("seal", {}),
        ("rate", []),
    ):
        assert verdict(tmp_path, json.dumps(good | {field: odd}).encode()) == 2, field
    assert verdict(tmp_path, changed(good, ("rate", "tiers"), lambda _: [])) == 2
