"""A desk is worked by commands alone, from its first morning to its audit; every command there is has been used."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

from tests.cli.doors import keep_the_doors
from tests.cli.shell import Shell
from tests.cli.webhooks import tell_integrators

from staddle.cli.app import ENTRIES, load
from staddle.db import Server
from staddle.db.connect import connect_owner


def all_commands() -> set[str]:
    found = set()
    for entry in ENTRIES:
        names = load(entry).commands if entry.is_group else None
        found |= {entry.name} if names is None else {f"{entry.name} {name}" for name in names}
    return found


def test_a_desk_is_worked_by_commands_alone(desk: Shell, tmp_path: Path) -> None:
    read_the_desk(desk)
    keep_the_doors(desk, tmp_path)
    bring_customers_and_money(desk, tmp_path)
    tell_integrators(desk)
    stake(desk)
    live(desk)
    leave_and_choose(desk)
    hold_and_release(desk)
    keep_what_is_written(desk, tmp_path)
    look_at_what_needs_it(desk)
    work_on_drafts(desk)
    end_products(desk)
    prove(desk)
    read_the_books(desk)
    look_ahead(desk)
    untold = {"demo", "rewards retry", "serve", "worker", "backup", "restore", "reseal"}
    assert all_commands() - desk.seen == untold


def read_the_desk(desk: Shell) -> None:
    shown = desk.done("desk", "show")
    assert shown["now_at"] == "2026-01-10T15:30:00Z"
    assert (shown["desk"]["name"], shown["approvals_waiting"]) == ("Test desk", 0)
    assert "STADDLE_DATABASE_URL" in json.dumps(desk.done("settings"))
    assert [each["name"] for each in desk.done("operators", "list")["operators"]] == ["ada", "bob"]
    assert [each["scale"] for each in desk.done("assets", "list")["assets"]] == [8, 6]
    set_price = ("prices", "set", "BTC", "USD", "65000.50", "--as", "ada")
    assert desk.done(*set_price)["price"] == "65000.5"
    assert desk.done("prices", "list")["prices"] == [
        {"asset": "BTC", "quote": "USD", "price": "65000.5", "priced_at": "2026-01-10T15:30:00Z"}
    ]
    assert desk.done("desk", "limits", "--run-change-max", "1000", "--as", "ada")["run_change_max"] == "1000"
    assert desk.done("desk", "log", "--count", "1")["entries"][0]["act"] == "change_limits"
    assert desk.done("agreements", "list")["agreements"][0]["version"] == 1
    assert desk.done("agreements", "show")["body"] == "You stake. We pay."
    offers = {each["code"]: each for each in desk.done("products", "list")["products"]}
    assert offers["FLEX"]["rate"]["headline_apr"] == "0.12"
    assert offers["FLEX"]["rate"]["is_up_to"] is True
    assert offers["FLEX"]["quota_left"] == "100000.000000"
    assert desk.done("products", "show", "FIXED")["terms"]["term_days"] == 30
    assert len(desk.done("rates", "history", "FLEX")["revisions"]) == 1
    foreseen = desk.done("rates", "foresee", "FLEX", "--apr", "0.01", "--at", "2027-01-01")
    assert (foreseen["headline_after"], foreseen["asset"]) == ("0.01", "USDT")
    desk.refused("invalid_rate", 2, "rates", "foresee", "FLEX")
    number = desk.done("rates", "propose", "FLEX", "--apr", "0.01", "--at", "2027-01-01", "--as", "ada")[
        "approval_id"
    ]
    assert desk.done("approvals", "list")["approvals"][0]["subject"] == "FLEX"
    desk.done("approvals", "decline", number, "--as", "bob")
    assert desk.done("approvals", "list")["approvals"] == []
    assert {each["code"] for each in desk.done("errors", "list")["errors"]} >= {"quota_full", "not_a_sandbox"}


def bring_customers_and_money(desk: Shell, tmp_path: Path) -> None:
    desk.done("customers", "change", "ann", "--vip-level", "2", "--as", "ada")
    assert desk.done("customers", "show", "ann")["customer"]["vip_level"] == 2
    people, coins = tmp_path / "people.csv", tmp_path / "coins.csv"
    people.write_text("reference,name,country,vip_level,joined_at\nben,Ben,FR,0,\ncleo,Cleo,,1,\n")
    coins.write_text(
        "customer,asset,account,amount,reference\nben,BTC,spot,1.5,d1\ncleo,USDT,funding,200,d2\n"
    )
    assert desk.done("customers", "import", str(people))["imported"] == 2
    assert desk.done("deposits", "import", str(coins))["imported"] == 2
    assert desk.done("deposits", "import", str(coins))["already_there"] == 2
    assert desk.done("deposit", "ben", "BTC", "0.5")["amount"] == "0.50000000"
    assert desk.done("withdraw", "ben", "BTC", "0.25")["amount"] == "0.25000000"
    desk.done("transfer", "ben", "BTC", "1", "--from", "spot", "--to", "funding")
    held = desk.done("balances", "ben")["assets"][0]
    assert (held["spot"], held["funding"], held["total"]) == ("0.75000000", "1.00000000", "1.75000000")


def stake(desk: Shell) -> None:
    seen = desk.done("preview", "ann", "FLEX", "10000")
    assert (seen["daily_estimate"], seen["position_id"]) == ("0.304109", "0")
    assert seen["first_day_ends_at"] == "2026-01-11T15:30:00Z"
    assert seen["next_payout_at"] == "2026-01-12T00:00:00Z"
    opened = desk.done("subscribe", "ann", "FLEX", "10000", "--accept", "1")
    assert opened["amount"] == "10000.000000"
    desk.done(
        "subscribe", "ann", "FIXED", "1000", "--accept", "1", "--at-maturity", "renew", "--revision-seen", "1"
    )
    desk.done("auto-subscribe", "set", "cleo", "FLEX", "--from", "funding", "--floor", "50", "--accept", "1")
    desk.done("guard", "set", "ann", "FLEX", "0.001", "--action", "redeem")
    assert desk.done("auto-subscribe", "list", "cleo")["auto_subscriptions"][0]["floor"] == "50.000000"
    assert desk.done("auto-subscribe", "list", "ann")["rate_guards"][0]["apr_min"] == "0.001"


def live(desk: Shell) -> None:
    assert desk.done("clock", "advance", "3d", "--with-runs", "--as", "ada")["runs"] == 3
    assert desk.done("clock", "show")["now_at"] == "2026-01-13T15:30:00Z"
    assert desk.done("positions", "cleo")["positions"][0]["principal"] == "150.000000"
    desk.done("auto-subscribe", "off", "cleo", "FLEX")
    desk.done("guard", "off", "ann", "FLEX")
    desk.done("clock", "set", "2026-01-14T00:00:00Z")
    planned = desk.done("rewards", "plan")
    assert {each["product"] for each in planned["lines"]} == {"FLEX", "FIXED"}
    ran = desk.done("rewards", "run", "--as", "ada")
    assert ran["state"] == "finished"
    paid = {line["product"]: line["amount_paid"] for line in ran["lines"]}
    assert {line["product"]: line["amount"] for line in planned["lines"]} == paid
    assert desk.done("rewards", "run", "2026-01-14")["finished_at"] == ran["finished_at"]
    assert desk.done("rewards", "report", "2026-01-14")["lines"] == ran["lines"]
    assert desk.done("rewards", "catch-up")["runs"] == []
    assert len(desk.done("rewards", "list")["runs"]) == 4
    assert desk.done("rewards", "parked")["parked"] == []
    assert desk.done("tick")["runs"] == []


def leave_and_choose(desk: Shell) -> None:
    position = desk.done("positions", "ann", "--product", "FIXED")["positions"][0]
    number = position["position_id"]
    desk.done("choose", "ann", number, "to_flexible", "--to", "spot")
    full = desk.done("position", "ann", number)
    assert full["position"]["at_maturity"] == "to_flexible"
    assert [reward["day"] for reward in full["rewards"]] == [3, 2, 1][-len(full["rewards"]) :]
    quote = desk.done("quote", "ann", number)
    assert quote["sentence"].startswith("You get 999.")
    taken_back = sum(Decimal(each["taken_back"]) for each in quote["payouts"])
    assert taken_back == Decimal(quote["rewards_forfeited"]) > 0
    left = desk.done("leave", "ann", "--quote", quote["quote_id"])
    assert left["quote"]["returned"] == quote["returned"]
    assert desk.refused("position_ended", 4, "quote", "ann", number)["details"] == {}
    redeemed = desk.done("redeem", "ann", "FLEX", "4000", "--to", "spot")
    assert (redeemed["amount"], redeemed["left"]) == ("4000.000000", "6000.000000")


def hold_and_release(desk: Shell) -> None:
    desk.done("desk", "limits", "--run-change-max", "0.01", "--as", "ada")
    desk.done("clock", "advance", "1d")
    held = desk("rewards", "run", "--as", "ada", "--json")
    assert (held.code, held.json["state"], held.problem["code"]) == (4, "held", "run_outside_limits")
    assert desk("tick", "--json").problem["code"] == "run_outside_limits"
    number = str(desk.done("rewards", "release", "2026-01-15", "--as", "ada")["approval_id"])
    desk.refused("second_person_needed", 4, "approvals", "approve", number, "--as", "ada")
    done = desk.done("approvals", "approve", number, "--as", "bob")["done"]
    assert (done["state"], done["released_by"]) == ("released", "bob")
    pause = ("rewards", "pause", "2026-01-15", "--because", "The node is away", "--as", "ada")
    assert desk.done(*pause)["state"] == "paused"
    paused = desk("rewards", "run", "--as", "ada", "--json")
    assert (paused.code, paused.json["state"], paused.problem["code"]) == (4, "paused", "run_paused")
    assert desk.done("rewards", "resume", "2026-01-15", "--as", "bob")["state"] == "executing"
    assert desk.done("rewards", "run", "2026-01-15", "--as", "ada")["state"] == "finished"
    tried = desk.done("rewards", "attempts", "2026-01-15")["attempts"]
    assert [each["outcome"] for each in tried][-2:] == ["held", "finished"]
    reconciled = desk.done("rewards", "reconcile", "2026-01-15")
    assert (reconciled["is_even"], {each["difference"] for each in reconciled["products"]}) == (
        True,
        {"0.000000"},
    )
    number = desk.done("tasks", "ask", "plan", "2026-01-16", "--as", "ada")["task_id"]
    desk.refused("task_in_progress", 4, "tasks", "ask", "plan", "2026-01-16", "--as", "bob")
    assert desk.done("tasks", "show", number)["state"] == "waiting"
    listed = desk.done("tasks", "list", "--open")
    assert ([each["task_id"] for each in listed["tasks"]], listed["worker"]) == ([number], None)
    assert desk.done("treasury", "runway")["assets"][0]["asset"] == "USDT"
    desk.done("treasury", "maturities", "--days", "40")
    moved = desk.done("deposit", "ann", "USDT", "0.5")["transfer_id"]
    asked = desk.done("treasury", "correct", moved, "--reason", "Credited twice.", "--as", "ada")
    done = desk.done("approvals", "approve", str(asked["approval_id"]), "--as", "bob")["done"]
    assert (done["corrects_id"], done["amount"]) == (moved, "0.500000")
    desk.refused(
        "already_exists", 4, "treasury", "correct", moved, "--reason", "Credited twice.", "--as", "ada"
    )
    number = desk.done("treasury", "income", "USDT", "--as", "ada")["approval_id"]
    desk.refused("second_person_needed", 4, "treasury", "approve", number, "--as", "ada")
    assert desk.done("treasury", "approve", number, "--as", "bob")["move"] == "income"
    withdraw = ("treasury", "withdraw", "USDT", "10", "--reference", "custody 8", "--as", "ada")
    assert desk.done(*withdraw)["amount"] == "10.000000"
    assert desk.done("treasury", "moves", "--asset", "USDT")["moves"][0]["reference"] == "custody 8"


def keep_what_is_written(desk: Shell, tmp_path: Path) -> None:
    rows = desk.done("statement", "ann")["rows"]
    assert {row["type"] for row in rows} >= {"deposit", "subscription", "reward", "forfeiture", "redemption"}
    file = tmp_path / "statement.csv"
    assert desk.done("statement", "ann", "--csv", str(file))["row_count"] == len(rows)
    printed = desk("statement", "ann", "--csv", "-")
    assert printed.out.replace("\r\n", "\n") == file.read_text()
    assert len(list(csv.reader(io.StringIO(printed.out)))) == len(rows) + 1
    reward = next(row for row in rows if row["type"] == "reward")
    receipt = tmp_path / "receipt.json"
    desk.done("receipt", "ann", reward["reference"], "--out", str(receipt))
    assert json.loads(desk("receipt", "ann", reward["reference"]).out) == json.loads(receipt.read_text())
    assert desk.done("verify-receipt", str(receipt)) == {"verdict": "proved", "reason": None}
    false = json.loads(receipt.read_text()) | {"amount": "9.000000"}
    receipt.write_text(json.dumps(false))
    assert desk("verify-receipt", str(receipt)).code == 1
    receipt.write_text("{")
    assert desk("verify-receipt", str(receipt)).code == 2


def look_at_what_needs_it(desk: Shell) -> None:
    alone = desk.done("alarms", "list", "--all")["alarms"]
    assert {each["kind"] for each in alone} == {"roles_granted_alone"}  # ada is the only admin
    for each in alone:
        desk.done("alarms", "clear", str(each["alarm_id"]), "--as", "bob")
    desk.refused("alarm_not_found", 3, "alarms", "clear", "999", "--as", "ada")
    assert desk.done("rates", "sources", "list")["sources"] == []
    desk.refused("source_not_found", 3, "rates", "sources", "read", "FLEX")


def work_on_drafts(desk: Shell) -> None:
    half = desk.done("products", "check", "NEW", "--asset", "USDT", "--kind", "fixed", "--amount-min", "ten")
    assert not half["is_sound"]
    assert {each["field"] for each in half["problems"]} == {"name", "amount_min", "step", "term_days"}
    fields = ("--amount-min", "1", "--step", "1", "--opens", "2026-01-01", "--term-days", "30")
    sound = desk.done("products", "check", "FIXED", *fields)
    assert (sound["is_sound"], sound["problems"]) == (True, [])
    new = ("products", "clone", "FIXED", "FIXED-2", "--name", "Again", "--opens", "2036-01-01", "--as", "ada")
    assert desk.done(*new)["draft"]["version"] == 1
    [opening] = desk.done("products", "schedule", "--days", "3650")["coming"]
    assert (opening["product"], opening["what"]) == ("FIXED-2", "would_open")
    differences = desk.done("products", "differences", "FIXED-2", "1")
    assert differences["before"] is None
    assert differences["differences"][0]["words"] == "Term"
    assert "Smallest subscription" in desk("products", "differences", "FIXED-2", "1").out
    assert desk.done("products", "discard", "FIXED-2", "1", "--as", "bob")["state"] == "discarded"
    assert desk.done("products", "schedule")["coming"] == []
    assert "Nothing is due" in desk("products", "schedule").out


def end_products(desk: Shell) -> None:
    desk.done("products", "version", "FIXED", "--amount-max", "500", "--as", "ada")
    asked = desk.done("products", "ask", "FIXED", "2", "--as", "ada")
    assert [each["after"] for each in asked["request"]["difference"]] == ["2", "500"]
    assert desk.done("products", "approve", "FIXED", "2", "--as", "bob")["version"] == 2
    closed = desk.done("approvals", "list", "--decided")["approvals"][0]
    assert (closed["approval_id"], closed["state"]) == (asked["approval_id"], "approved")
    asked = desk.done("products", "halt", "FIXED", "subscribing", "--reason", "Maintenance.", "--as", "ada")
    assert "paused: Maintenance." in desk("approvals", "show", str(asked["approval_id"])).out
    desk.done("approvals", "approve", str(asked["approval_id"]), "--as", "bob")
    problem = desk.refused("subscribing_halted", 4, "preview", "ann", "FIXED", "100")
    assert "Maintenance." in problem["message"]
    asked = desk.done("products", "resume", "FIXED", "subscribing", "--as", "ada")
    desk.done("approvals", "approve", str(asked["approval_id"]), "--as", "bob")
    assert desk.done("products", "close", "FIXED", "--as", "ada")["state"] == "closed"
    assert desk.done("products", "retire", "FIXED", "--as", "ada")["state"] == "retired"


def prove(desk: Shell) -> None:
    assert desk.done("seal")["seals"] > 0
    found = desk.done("audit")
    assert found["is_sound"] is True
    assert found["findings"] == []


def read_the_books(desk: Shell) -> None:
    newest = desk.done("ledger", "transfers")["transfers"][0]
    one = desk.done("ledger", "transfer", newest["transfer_id"])
    assert newest["transfer_id"] in {each["transfer_id"] for each in one["found"]["act"]}
    of_ben = desk.done("ledger", "account", "ben", "BTC", "spot")
    assert of_ben["statement"]["closing"] == desk.done("balances", "ben")["assets"][0]["spot"]
    desk.done("ledger", "house-account", "USDT", "reward_pool")
    closings = desk.done("ledger", "closings")["closings"]
    day = desk.done("ledger", "trial-balance", closings[0]["closed_on"])
    assert day["closed_on"] == closings[0]["closed_on"]
    assert "ben" in {each["title"] for each in desk.done("search", "ben")["found"]}


def look_ahead(desk: Shell) -> None:
    assert desk.done("treasury", "history", "USDT")["days"]
    [rungs] = [
        each for each in desk.done("treasury", "ladder", "--days", "9")["assets"] if each["asset"] == "USDT"
    ]
    assert len(rungs["days"]) == 9
    assert len(desk.done("treasury", "what-if", "USDT", "--days", "9")["days"]) == 9


def test_people_get_tables_and_sentences(desk: Shell) -> None:
    told = desk("subscribe", "ann", "FLEX", "1234.5", "--accept", "1", "--key", "mine")
    assert told.code == 0
    assert "Subscribed as position" in told.out
    assert "1,234.50 USDT" in told.out
    assert told.out.rstrip().endswith("key mine")
    assert "up to 12 %" in desk("products", "list").out.replace("\N{NO-BREAK SPACE}", " ")
    assert "18,765.50" in desk("balances", "ann").out
    for shown in (
        "desk show",
        "rewards list",
        "treasury runway",
        "treasury moves",
        "treasury ladder --days 9",
        "treasury what-if USDT --days 9 --growth 100",
        "treasury history USDT",
        "rates foresee FLEX --apr 0.02 --at 2030-01-01",
        "audit",
        "approvals list",
        "rates history FLEX",
    ):
        assert desk(*shown.split()).code == 0


def test_the_audit_says_by_its_exit_code_that_something_is_wrong(desk: Shell, server: Server) -> None:
    with connect_owner(server.dsn_of(desk.database)) as owner:
        owner.execute("UPDATE balance SET amount = amount + 1 WHERE amount > 0 AND account_id & 15 = 1")
    found = desk("audit", "--json")
    assert found.code == 1
    assert found.json["is_sound"] is False
    assert {each["check"] for each in found.json["findings"]} >= {"trial_balance", "balances"}
    assert "not sound" in desk("audit").out
