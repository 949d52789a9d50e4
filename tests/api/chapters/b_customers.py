"""What customers do and read: ada looks around, stakes, redeems, leaves early; ben decides in advance."""

from typing import Any

from tests.api.story import Story


def tell(story: Story) -> None:
    look(story)
    stake(story)
    leave(story)
    decide(story)


def look(story: Story) -> None:
    ada = story.ada
    story.call("show_me", ada)
    story.call("list_balances", ada)
    story.call("list_transfers", ada, limit=2)
    story.call("list_consents", ada)
    story.call("list_rewards", ada, asset="USDT", limit=2)
    story.call("total_rewards", ada)
    positions = story.call("list_positions", ada, limit=2)["items"]
    shown = story.call("show_position", ada, position_id=positions[0]["position_id"])
    story.call("show_receipt", ada, receipt=shown["rewards"][0]["receipt"])
    period: dict[str, Any] = {"from_at": "2026-01-27T00:00:00Z", "until_at": "2026-01-29T00:00:00Z"}
    story.call("list_statement", ada, limit=3, **period)
    story.call("download_statement", ada, **period)


def stake(story: Story) -> None:
    wanted = {"product": "USDT-FLEX", "amount": "100", "agreement_version": 1}
    story.call("preview_subscription", story.ada, body=wanted)
    story.call("subscribe", story.ada, body=wanted)
    story.call("redeem", story.ada, body={"product": "USDT-FLEX", "amount": "50", "destination": "spot"})
    moved = {"asset": "USDT", "amount": "25.5", "source": "spot", "destination": "funding"}
    story.call("transfer", story.ada, body=moved)


def leave(story: Story) -> None:
    held = story.call("list_positions", story.ada, product="USDT-30D")["items"][0]
    quote = story.call("quote_early_redemption", story.ada, position_id=held["position_id"])
    story.call("redeem_early", story.ada, body={"quote_id": quote["quote_id"]})


def decide(story: Story) -> None:
    held = story.call("list_positions", story.ben, product="USDT-90D")["items"][0]
    chosen = {"at_maturity": "redeem", "redeem_to": "spot"}
    story.call("choose_maturity", story.ben, position_id=held["position_id"], body=chosen)
    auto = {"source": "funding", "floor": "10", "agreement_version": 1}
    story.call("choose_auto_subscription", story.ben, product="USDT-FLEX", body=auto)
    story.call("list_auto_subscriptions", story.ben)
    guard = {"apr_min": "0.05", "action": "redeem"}
    story.call("choose_rate_guard", story.ben, product="USDT-FLEX", body=guard)
    story.call("list_rate_guards", story.ben)
