"""Files of customers and deposits: each reference once, all or the good lines, bad ones named exactly."""

import io
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from tests.stories.stage import START, balances, customer, set_up

from staddle import customers, errors
from staddle.customers import ImportReport, OnError, Problem
from staddle.db import Database

HEADER = b"customer,asset,account,amount,reference\n"
GOOD = HEADER + b"alice,BTC,spot,1.5,r1\nbert,USDT,funding,20,r2\n"


def ready(database: Database) -> Database:
    with set_up(database).transaction() as tx:
        customer(tx, "alice")
        customer(tx, "bert")
    return database


def deposits(database: Database, content: bytes, on_error: OnError = "skip") -> ImportReport:
    return customers.import_deposits(
        database.transaction, io.BytesIO(content), "deposits.csv", on_error, START
    )


def people(database: Database, content: bytes, on_error: OnError = "skip") -> ImportReport:
    return customers.import_customers(
        database.transaction, io.BytesIO(content), "people.csv", on_error, START
    )


def places(problems: Sequence[Problem]) -> list[tuple[int, str | None, str]]:
    return [(problem.line, problem.column, problem.code) for problem in problems]


def count(database: Database, table: str) -> int:
    with database.transaction() as tx:
        row = tx.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


def spot(database: Database, reference: str = "alice") -> dict[str, Decimal]:
    with database.transaction() as tx:
        return balances(tx, customer(tx, reference))


@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_a_file_is_imported_once_however_often_it_is_given(database: Database, on_error: OnError) -> None:
    ready(database)
    first = deposits(database, GOOD, on_error)
    again = deposits(database, GOOD, on_error)
    assert (first.line_count, first.imported, first.already_there, first.problem_count) == (2, 2, 0, 0)
    assert (again.line_count, again.imported, again.already_there, again.problem_count) == (2, 0, 2, 0)
    assert spot(database) == {"BTC spot": Decimal("1.5")}
    assert spot(database, "bert") == {"USDT funding": Decimal(20)}


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.rstrip(b"\n"),
        GOOD.replace(b"\n", b"\n\n") + b"\r\n\n",
        b"reference,amount,account,asset,customer\nr1,1.5,spot,BTC,alice\nr2,20,funding,USDT,bert",
        GOOD.replace(b"alice", b'"alice"').replace(b"1.5", b"1.50000000"),
        GOOD.replace(b"customer,asset", b" Customer ,ASSET"),
    ],
    ids=[
        "byte order mark",
        "crlf",
        "no last line end",
        "blank lines",
        "other order",
        "quotes",
        "other header case",
    ],
)
def test_what_spreadsheets_write_is_read(database: Database, content: bytes) -> None:
    ready(database)
    report = deposits(database, content, "stop")
    assert (report.imported, report.problem_count) == (2, 0)
    assert deposits(database, GOOD, "stop").already_there == 2


BAD_LINES = [
    (b"nobody,BTC,spot,1,x1", "customer", "customer_not_found"),
    (b"alice,DOGE,spot,1,x2", "asset", "asset_not_found"),
    (b"alice,btc,spot,1,x3", "asset", "asset_not_found"),
    (b"alice,BTC,earn,1,x4", "account", "invalid_choice"),
    (b"alice,BTC,spot,1.000000001,x5", "amount", "too_many_decimals"),
    (b"alice,USDT,spot,1.0000001,x6", "amount", "too_many_decimals"),
    (b"alice,BTC,spot,-1,x7", "amount", "invalid_amount"),
    (b"alice,BTC,spot,0,x8", "amount", "invalid_amount"),
    (b"alice,BTC,spot,0.00,x9", "amount", "invalid_amount"),
    (b"alice,BTC,spot,NaN,x10", "amount", "invalid_amount"),
    (b"alice,BTC,spot,Infinity,x11", "amount", "invalid_amount"),
    (b"alice,BTC,spot,1e3,x12", "amount", "invalid_amount"),
    (b"alice,BTC,spot,+1,x13", "amount", "invalid_amount"),
    (b"alice,BTC,spot, 1,x14", "amount", "invalid_amount"),
    (b'alice,BTC,spot,"1,5",x15', "amount", "invalid_amount"),
    ("alice,BTC,spot,١,x16".encode(), "amount", "invalid_amount"),
    (b"alice,BTC,spot,1_000,x17", "amount", "invalid_amount"),
    (b"alice,BTC,spot," + b"9" * 31 + b",x18", "amount", "invalid_amount"),
    (b"alice,BTC,spot,1,", "reference", "invalid_key"),
    (b"alice,BTC,spot,1," + b"x" * 181, "reference", "invalid_key"),
    (b"alice,BTC,spot,1,x\x07", "reference", "invalid_key"),
    (b"alice,BTC,spot,1", None, "invalid_file"),
    (b"alice,BTC,spot,1,x19,more", None, "invalid_file"),
    (b"alice,BTC,spot,1,5,x20", None, "invalid_file"),
    (b'alice,BTC,spot,1,"x21', None, "invalid_file"),
    (b'alice,BTC,spot,1,"x"21', None, "invalid_file"),
    (b"alice,BTC,spot,1\xff,x22", "amount", "invalid_file"),
    (b"al\xe9ce,BTC,spot,1,x23", "customer", "invalid_file"),
    (b"alice,B\x00TC,spot,1,x24", "asset", "invalid_file"),
    (b"alice,BTC,spot,1,x\r25", None, "invalid_file"),
    (b"alice,BTC,spot,1," + b"x" * 20_000, None, "invalid_file"),
    (b"alice,BTC,spot,1," + b"x" * 3_000_000, None, "invalid_file"),
    (b"alice;BTC;spot;1;x26", None, "invalid_file"),
    (b",,,,", "customer", "customer_not_found"),
    (b"   ", None, "invalid_file"),
]


def test_bad_lines_are_reported_with_line_column_and_reason_and_the_good_ones_are_imported(
    database: Database,
) -> None:
    ready(database)
    lines = [b"alice,BTC,spot,1,first", *(line for line, _, _ in BAD_LINES), b"alice,BTC,spot,1,last"]
    report = deposits(database, HEADER + b"\n".join(lines))
    assert places(report.problems) == [
        (number, column, code) for number, (_, column, code) in enumerate(BAD_LINES, start=3)
    ]
    assert all(problem.reason for problem in report.problems)
    assert (report.line_count, report.imported, report.problem_count) == (len(lines), 2, len(BAD_LINES))
    assert spot(database) == {"BTC spot": Decimal(2)}


@pytest.mark.parametrize("line", [line for line, _, _ in BAD_LINES][::4])
def test_nothing_at_all_is_imported_if_any_line_is_bad(database: Database, line: bytes) -> None:
    ready(database)
    with pytest.raises(errors.InvalidFile) as caught:
        deposits(database, GOOD + line + b"\n", "stop")
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    assert [problem.line for problem in problems] == [4]
    assert (count(database, "transfer"), count(database, "request")) == (0, 0)
    assert deposits(database, GOOD, "stop").imported == 2


def test_a_reference_stands_for_one_deposit_within_a_file_and_against_the_books(database: Database) -> None:
    ready(database)
    content = (
        HEADER
        + b"alice,BTC,spot,1,r1\n"
        + b"alice,BTC,spot,1.0,r1\n"  # the same
        + b"alice,BTC,spot,2,r1\n"
        + b"alice,BTC,funding,1,r1\n"
        + b"alice,USDT,spot,1,r1\n"
        + b"bert,BTC,spot,1,r1\n"
    )
    report = deposits(database, content)
    assert (report.imported, report.already_there) == (1, 1)
    wrong = [(number, "reference", "request_key_reused") for number in (4, 5, 6, 7)]
    assert places(report.problems) == wrong
    later = deposits(database, HEADER + b"bert,BTC,spot,1,r1\nalice,BTC,spot,1,r1\n")
    assert (later.imported, later.already_there) == (0, 1)
    assert places(later.problems) == [(2, "reference", "request_key_reused")]
    assert (spot(database), spot(database, "bert")) == ({"BTC spot": Decimal(1)}, {})


def test_a_line_that_was_bad_can_be_put_right_under_its_reference(database: Database) -> None:
    ready(database)
    assert (
        deposits(database, HEADER + b"alice,BTC,spot,1.000000001,r1\nnobody,BTC,spot,1,r2").problem_count == 2
    )
    assert deposits(database, HEADER + b"alice,BTC,spot,1.00000001,r1\nbert,BTC,spot,1,r2").imported == 2


def test_a_deposit_that_came_by_the_api_is_not_imported_again(database: Database) -> None:
    ready(database)
    with database.transaction() as tx:
        came = customers.Deposit(
            customer_id=customer(tx, "alice"), key="r1", asset="BTC", account="spot", amount=Decimal("1.5")
        )
        customers.deposit(tx, [came], START)
    report = deposits(database, GOOD)
    assert (report.imported, report.already_there) == (1, 1)
    other = deposits(database, HEADER + b"bert,BTC,spot,1.5,r1\n")
    assert places(other.problems) == [(2, "reference", "request_key_reused")]
    assert spot(database) == {"BTC spot": Decimal("1.5")}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"alice,BTC,spot,1,r1\n",
        b"customer,asset,account,amount\nalice,BTC,spot,1\n",
        b"customer,asset,account,amount,reference,note\nalice,BTC,spot,1,r1,n\n",
        b"customer,asset,account,amount,reference,reference\n",
        GOOD.replace(b",", b";"),
        GOOD.decode().encode("utf-16"),
        b"\xff" + GOOD,
        b"x" * 1_000_000,
        GOOD.replace(b"\n", b"\r"),
    ],
    ids=[
        "empty",
        "blank",
        "none",
        "missing",
        "unknown",
        "twice",
        "semicolons",
        "utf-16",
        "latin",
        "one line",
        "cr",
    ],
)
@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_a_file_without_its_header_is_refused_whole(
    database: Database, content: bytes, on_error: OnError
) -> None:
    ready(database)
    with pytest.raises(errors.InvalidFile, match=r"deposits\.csv"):
        deposits(database, content, on_error)
    assert count(database, "transfer") == 0


def test_a_header_alone_is_an_empty_file_and_no_mistake(database: Database) -> None:
    assert deposits(ready(database), HEADER, "stop") == ImportReport("deposits.csv")


def test_a_file_that_is_bad_all_through_is_not_read_to_its_end(database: Database) -> None:
    ready(database)
    content = HEADER + b"nobody,BTC,spot,1,r\n" * 12_000
    with pytest.raises(errors.InvalidFile) as caught:
        deposits(database, content, "stop")
    problems = caught.value.details["problems"]
    assert isinstance(problems, list)
    assert len(problems) == 1_000
    assert caught.value.details["problem_count"] == 5_000
    skipped = deposits(database, content)
    assert (len(skipped.problems), skipped.problem_count, skipped.imported) == (1_000, 12_000, 0)


def test_progress_counts_lines_and_bytes_to_the_end(database: Database) -> None:
    ready(database)
    content = HEADER + b"".join(b"alice,BTC,spot,1,r%d\n" % number for number in range(7_000))
    seen: list[tuple[int, int]] = []
    stream = io.BytesIO(content)
    customers.import_deposits(
        database.transaction,
        stream,
        "d.csv",
        "stop",
        START,
        progress=lambda lines, size: seen.append((lines, size)),
    )
    assert [lines for lines, _ in seen] == [5_000, 7_000]
    assert seen[-1] == (7_000, len(content))


def test_customers_are_imported_once_with_their_country_level_and_joining_time(
    database: Database, tmp_path: Path
) -> None:
    set_up(database)
    file = tmp_path / "people.csv"
    file.write_bytes(
        "\ufeffreference,name,country,vip_level,joined_at\r\n"
        'alice,"Alice, the first",DE,3,2025-01-31T15:30:00+01:00\r\n'
        "bert,Bert,,,\r\n"
        "山田,山田　太郎,JP,0,2020-02-29\r\n".encode()
    )
    for imported, already_there in [(3, 0), (0, 3)]:
        with file.open("rb") as stream:
            report = customers.import_customers(database.transaction, stream, str(file), "stop", START)
        assert (report.imported, report.already_there) == (imported, already_there)
    with database.transaction() as tx:
        alice, bert = customers.find_customer(tx, "alice"), customers.find_customer(tx, "bert")
        assert (alice.name, alice.country, alice.vip_level) == ("Alice, the first", "DE", 3)
        assert alice.joined_at.isoformat() == "2025-01-31T14:30:00+00:00"
        assert (bert.country, bert.vip_level, bert.joined_at) == (None, 0, START)
        assert customers.find_customer(tx, "山田").name == "山田　太郎"


def test_bad_customers_are_reported_with_their_column(database: Database) -> None:
    set_up(database)
    lines = [
        ("good,Name,DE,1,2020-01-01", None),
        (",Name,DE,1,", ("reference", "invalid_name")),
        ("a b\u0007,Name,DE,1,", ("reference", "invalid_name")),
        ("c1," + "n" * 201 + ",DE,1,", ("name", "invalid_name")),
        ("c2,Name,UK,1,", ("country", "invalid_choice")),
        ("c3,Name,DE,-1,", ("vip_level", "invalid_choice")),
        ("c4,Name,DE,1.5,", ("vip_level", "invalid_choice")),
        ("c5,Name,DE,99999,", ("vip_level", "invalid_choice")),
        ("c6,Name,DE,1,yesterday", ("joined_at", "invalid_time")),
        ("c7,Name,DE,1,2020-01-01T10:00:00", ("joined_at", "invalid_time")),
        ("c8,Name,DE,1,2099-01-01", ("joined_at", "invalid_time")),
        ("c9,Name,DE,1,0001-01-01T00:00:00+05:00", ("joined_at", "invalid_time")),
        ("good,Other name,DE,1,2020-01-01", ("reference", "already_exists")),
    ]
    content = "reference,name,country,vip_level,joined_at\n" + "\n".join(line for line, _ in lines)
    report = people(database, content.encode())
    assert places(report.problems) == [
        (number, *wrong) for number, (_, wrong) in enumerate(lines, start=2) if wrong is not None
    ]
    assert report.imported == 1


def test_customers_need_no_more_than_a_reference(database: Database) -> None:
    set_up(database)
    assert people(database, b"reference\nalice\nbert\n", "stop").imported == 2
    with pytest.raises(errors.InvalidFile):
        people(database, b"reference\ncarl\ncarl\x00\n", "stop")
    assert count(database, "customer") == 2
