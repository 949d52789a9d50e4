"""What operators do: two of them, for nobody approves their own requests."""

from datetime import UTC, date, datetime
from typing import Any

from tests.api.story import Story
from tests.stories.node import feed, node

from staddle import desk
from staddle.customers import find_customer
from staddle.days import distribution_at
from staddle.ledger import AccountKind, account_of, cell_of, find_asset
from staddle.rewards import close_all
from staddle.rewards.plan import plan_run


def tell(story: Story) -> None:
    look(story)
    set_up(story)
    sell(story)
    set_rates(story)
    follow_a_source(story)
    fund(story)
    pay(story)
    prove(story)
    read_the_books(story)


def look(story: Story) -> None:
    story.call("show_desk", story.first)
    story.call("list_desk_operators", story.first)
    story.call("list_log", story.first, by="ada", limit=2)
    story.call("download_log", story.first, act="approve_terms")
    story.call("list_errors", story.nobody)
    story.call("show_runway", story.first)
    story.call("list_maturities", story.first, days=90)


def set_up(story: Story) -> None:
    story.call("add_coin", story.first, body={"code": "ETH", "name": "Ether", "scale": 8})
    price = {"quote": "USD", "price": "65000.5", "priced_at": "2026-02-01T12:00:00Z"}
    story.call("set_price_of_asset", story.first, asset="BTC", body=price)
    story.call("list_prices", story.nobody)
    agreement = {"title": "Staking service agreement", "body": "You may stake, and leave when you like."}
    story.call("publish_new_agreement", story.first, body=agreement)
    story.call("list_agreement_versions", story.first)
    added = story.call("add_desk_operator", story.first, name="cleo", body={"roles": ["support"]})
    story.call("approve_request", story.second, approval_id=added["grant_asked"])
    story.call("set_roles_of_operator", story.first, name="bob", body={"roles": ["product", "treasury"]})
    story.call("set_operator_active", story.first, name="cleo", body={"is_active": False})
    people = "reference,name,country,vip_level,joined_at\nhal,Hal,DE,1,2026-01-05\nida,Ida,,,\n"
    story.call("import_customer_file", story.first, body=people)
    coins = "customer,asset,account,amount,reference\nhal,USDT,spot,120,wire-1\nida,USDT,spot,oops,wire-2\n"
    story.call("import_deposit_file", story.client, body=coins, on_error="skip")


def sell(story: Story) -> None:
    terms = {"amount_min": "0.01", "step": "0.01", "quota": "500", "personal_cap": "20"}
    draft = {"asset": "ETH", "kind": "flexible", "name": "Ether, any time", "terms": terms}
    story.call("draft_new_product", story.first, code="ETH-FLEX", body=draft)
    story.call("list_products_of_desk", story.second, state="draft")
    story.call("approve_version", story.second, code="ETH-FLEX", version=1)
    story.call(
        "draft_new_version", story.second, code="ETH-FLEX", body={"quota": "750", "personal_cap": None}
    )
    asked = story.call("ask_for_version", story.second, code="ETH-FLEX", version=2)
    story.call("approve_request", story.first, approval_id=asked["approval_id"])
    story.call("list_versions", story.first, code="ETH-FLEX")
    work_on_drafts(story)
    reason = {"reason": "The network is being upgraded; back within the hour."}
    asked = story.call("halt_product", story.first, code="ETH-FLEX", what="subscribing", body=reason)
    story.call("approve_request", story.second, approval_id=asked["approval_id"])
    asked = story.call("resume_product", story.first, code="ETH-FLEX", what="subscribing")
    story.call("approve_request", story.second, approval_id=asked["approval_id"])
    story.call("show_product_of_desk", story.first, code="ETH-FLEX")
    story.call("draft_new_product", story.first, code="ETH-OLD", body=draft)
    story.call("approve_version", story.second, code="ETH-OLD", version=1)
    story.call("close_sale", story.first, code="ETH-OLD")
    story.call("retire_closed_product", story.first, code="ETH-OLD")


def work_on_drafts(story: Story) -> None:
    story.call("show_differences", story.second, code="ETH-FLEX", version=2)
    half = {
        "asset": "ETH",
        "kind": "fixed",
        "name": "Ether, a month",
        "terms": {"amount_min": "ten", "step": "0.01"},
    }
    story.call("check_product", story.first, body={"code": "ETH-30D", **half})
    clone = {"code": "ETH-30D", "kind": "fixed", "name": "Ether, a month", "terms": {"term_days": 30}}
    story.call("clone_known_product", story.first, code="ETH-FLEX", body=clone)
    story.call("discard_draft", story.second, code="ETH-30D", version=1)
    clone["terms"] = {"term_days": 30, "opens_at": "2026-03-01T00:00:00Z"}
    story.call("clone_known_product", story.first, code="ETH-FLEX", body=clone)
    story.call("list_schedule", story.first, days=60)


def set_rates(story: Story) -> None:
    asked = story.call("propose_new_rate", story.first, body={"product": "ETH-FLEX", "apr": "0.031"})
    story.call("list_approvals", story.second)
    story.call("show_approval", story.second, approval_id=asked["approval_id"])
    story.call("approve_proposed_rate", story.second, approval_id=asked["approval_id"])
    tiers = [{"amount_from": "0", "amount_to": "1", "apr": "0.05"}, {"amount_from": "1", "apr": "0.01"}]
    later = {"product": "ETH-FLEX", "tiers": tiers, "effective_at": "2026-03-01T00:00:00Z"}
    story.call("foresee_new_rate", story.first, body=later)
    asked = story.call("propose_new_rate", story.first, body=later)
    story.call("decline_approval", story.second, approval_id=asked["approval_id"])


def follow_a_source(story: Story) -> None:
    with node(feed("0.09")) as source:
        terms = {
            "kind": "json", "url": f"{source.url}/feed", "figure_path": "/rates/0/apr", "desk_share": "0.1",
            "apr_min": "0.01", "apr_max": "0.06", "step_max": "0.005",
        }  # fmt: skip
        asked = story.call("set_rate_source", story.first, product="ETH-FLEX", body=terms)
        story.call("approve_rate_source", story.second, approval_id=asked["approval_id"])
        story.call("list_rate_sources", story.first)
        story.call("show_rate_source", story.first, product="ETH-FLEX")
        story.call("read_rate_source", story.first, product="ETH-FLEX")
    story.call("list_readings", story.first, product="ETH-FLEX")
    story.call("propose_held_reading", story.first, product="ETH-FLEX")
    story.call("end_rate_source", story.first, product="ETH-FLEX")


def fund(story: Story) -> None:
    asked = story.call(
        "ask_for_pool_move",
        story.first,
        body={"move": "funding", "asset": "ETH", "amount": "25", "reference": "custody-20260201-7"},
    )
    story.call("approve_asked_pool_move", story.second, approval_id=asked["approval_id"])
    story.call("list_pool_moves", story.first, asset="ETH")
    story.call("list_pool_history", story.first, asset="ETH", limit=2)
    story.call("show_ladder", story.first, asset="USDT", days=2)
    wanted = {
        "asset": "USDT",
        "days": 3,
        "apr_factor": "1.5",
        "apr_from": "2026-03-01T00:00:00Z",
        "growth": "250",
    }
    story.call("suppose", story.first, body=wanted)
    credit = {"move": "deposit", "customer": "dora", "asset": "USDT", "amount": "15"}
    asked = story.call("ask_for_customer_move", story.first, body=credit)
    moved = story.call("approve_asked_customer_move", story.second, approval_id=asked["approval_id"])
    reason = {"reason": "Credited twice: wire-7 was imported before."}
    asked = story.call("ask_for_correction", story.first, transfer_id=moved["transfer_id"], body=reason)
    story.call("approve_request", story.second, approval_id=asked["approval_id"])


def pay(story: Story) -> None:
    subscribed = {"product": "USDT-FLEX", "amount": "200", "agreement_version": 2}
    story.call("subscribe", story.client.acting_for("dora"), body=subscribed)
    story.call("move_desk_clock", story.first, body={"by": "10h"})
    story.call("plan_run", story.first, run_on="2026-02-02")
    story.call("change_run_limits", story.first, body={"run_change_max": "0.000001"})
    story.call("start_run", story.first, body={})
    asked = story.call("release_held_run", story.first, run_on="2026-02-02")
    story.call("approve_request", story.second, approval_id=asked["approval_id"])
    story.call("change_run_limits", story.first, body={"run_change_max": "1000000"})
    story.call("start_run", story.first, body={"run_on": "2026-02-02"})
    story.call("show_run", story.first, run_on="2026-02-02")
    story.call("show_reconciliation", story.first, run_on="2026-02-02")
    story.call("list_run_attempts", story.first, run_on="2026-02-02")
    cell, account = funding_of(story, "dora")
    with story.service.database.owner() as owner:
        owner.execute("DELETE FROM balance WHERE cell = %s AND account_id = %s", [cell, account])
    story.call("move_desk_clock", story.first, body={"by": "1d"})
    pause(story)
    story.call("catch_up_runs", story.first)
    with story.service.database.owner() as owner:
        owner.execute("INSERT INTO balance VALUES (%s, %s, 0)", [cell, account])
    parked = story.call("list_parked_positions", story.first)
    story.call("retry_parked_position", story.first, position_id=parked[0]["position_id"])
    story.call("list_runs", story.first, limit=1)
    story.call("do_what_is_due", story.first)


def pause(story: Story) -> None:
    """A run that is planned and not paid yet is paused, is left alone, and goes on; a plan is asked for meanwhile."""
    day = date(2026, 2, 3)
    with story.service.database.transaction() as tx:
        cutoff, now = (
            distribution_at(day, desk.find_desk(tx).distribution_time),
            desk.now_of(tx, datetime.now(UTC)),
        )
    plan_run(story.service.database, day, cutoff, "scheduler", now)
    story.call(
        "pause_started_run", story.first, run_on=str(day), body={"because": "A node is being upgraded"}
    )
    assert story.call("start_run", story.first, body={})["state"] == "paused"
    story.call("resume_paused_run", story.first, run_on=str(day))
    asked = story.call("ask_for_task", story.first, body={"kind": "plan", "run_on": str(day)})
    story.call("show_task", story.first, task_id=asked["task_id"])
    story.call("list_asked_tasks", story.first, is_open=True)


def funding_of(story: Story, reference: str) -> tuple[int, int]:
    """The Funding account of a customer, for a fault."""
    with story.service.database.transaction() as tx:
        customer_id = find_customer(tx, reference).customer_id
        return cell_of(customer_id), account_of(customer_id, find_asset(tx, "USDT"), AccountKind.FUNDING)


def prove(story: Story) -> None:
    story.call("seal_books", story.first)
    verdict: Any = story.call("audit_books", story.first)
    assert verdict["is_sound"], verdict["findings"]
    with story.service.database.transaction() as tx:
        now = desk.now_of(tx, story.service.living.now)
        desk.raise_alarm(tx, "runway_short", "ETH", {"days_left": 12}, now)
    alarms = story.call("list_desk_alarms", story.first)["items"]
    number = next(each["alarm_id"] for each in alarms if each["kind"] == "runway_short")
    story.call("clear_desk_alarm", story.first, alarm_id=number)


def read_the_books(story: Story) -> None:
    """Look through the ledger, with its newest closed day."""
    story.call("search_desk", story.first, text="ada")
    story.call("list_transfers_of_desk", story.first, kind="subscription", limit=2)
    moved = story.call("list_transfers_of_desk", story.first, customer="ada", limit=1)["items"][0]
    story.call("show_transfer_of_desk", story.first, transfer_id=moved["transfer_id"])
    close_all(story.service.database, story.service.living.now)
    newest = story.call("list_closings", story.first, limit=1)["items"][0]
    story.call("show_closing_of_day", story.first, closed_on=newest["closed_on"])
    house: dict[str, Any] = {"asset": "USDT", "account": "reward_expense", "limit": 2}
    story.call("show_house_account_by_day", story.first, **house)
    story.call("list_positions_of_desk", story.first, state="all", limit=2)
    account: dict[str, Any] = {"reference": "ada", "asset": "USDT", "account": "funding", "limit": 3}
    story.call("show_account_of_customer", story.first, **account)
    positions = story.call("list_positions_of_customer", story.first, reference="ada", limit=1)["items"]
    named = {"reference": "ada", "position_id": positions[0]["position_id"]}
    story.call("explain_day_of_position", story.first, run_on=newest["closed_on"], **named)
