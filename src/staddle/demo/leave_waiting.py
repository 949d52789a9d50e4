"""What waits for a second person when the demo is over, so that there is something to decide in the console."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from staddle import approvals, products, treasury
from staddle.db import Database
from staddle.demo.catalogue import OPERATORS
from staddle.demo.set_up import tier

ALICE, BOB, CAROL = OPERATORS
RATE_FROM = timedelta(days=3)


def leave_waiting(database: Database, now: datetime) -> list[int]:
    """Let operators ask for a rate, for coins in a pool, and for new terms; gives the numbers of the requests."""
    with database.transaction() as tx:
        tiers = [tier("0", "500", "0.1"), tier("500", "5000", "0.025"), tier("5000", None, "0.01")]
        rate = approvals.ask_rate(tx, ALICE, "USDT-FLEX", tiers, now + RATE_FROM, now)
        fund = treasury.AskPoolMove(
            key="demo fund SOL",
            by=CAROL,
            move="funding",
            asset="SOL",
            amount=Decimal(300),
            reference="custody-2026-0417",
        )
        move = approvals.ask_pool_move(tx, [fund], now)[0].unwrap().approval_id
        terms = products.versions_of(tx, products.find_product(tx, "ETH-60D").product_id)[-1].terms
        changes = {"amount_min": Decimal("0.05"), "personal_cap": Decimal(40)}
        changed = msgspec.structs.replace(terms, **changes)
        draft = products.draft_version(tx, BOB, "ETH-60D", changed, now)
        opened = approvals.ask_terms(tx, BOB, "ETH-60D", draft.version, now)
    return [rate, move, opened]
