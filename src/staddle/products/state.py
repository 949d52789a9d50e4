"""The life of a product: closing and retiring; and what people are told it is (rule 9). Halts are in halt.py."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, cast

from staddle.db import Tx, queries
from staddle.desk import find_operator, log
from staddle.errors import WrongState
from staddle.products.find import Product, lock_product

sql = queries(__package__)

Status = Literal["draft", "discarded", "scheduled", "open", "sold_out", "halted", "closed", "retired"]
NEVER_ON_SALE: Final[tuple[Status, ...]] = ("draft", "discarded")
"""What customers never hear of."""


def product_status(
    state: str,
    *,
    subscribe_halt: str | None,
    opens_at: datetime | None,
    closes_at: datetime | None,
    quota_left: Decimal | None,
    amount_min: Decimal | None,
    now: datetime,
) -> Status:
    """Say what a product is at an instant; sold out once less than the smallest subscription is left."""
    if state != "live" or opens_at is None or amount_min is None:
        return cast(Status, state if state != "live" else "closed")
    if closes_at is not None and now >= closes_at:
        return "closed"
    if subscribe_halt is not None:
        return "halted"
    if now < opens_at:
        return "scheduled"
    if quota_left is not None and quota_left < amount_min:
        return "sold_out"
    return "open"


def close_product(tx: Tx, by: str, code: str, now: datetime) -> Product:
    """Stop new subscriptions for good; redemption, rewards and maturities go on. WrongState unless live."""
    product, _ = lock_for_change(tx, by, code)
    if product.state != "live":
        raise WrongState(f"The product {code} is not on sale; it is {product.state}.")
    return change(tx, by, "close_product", replace(product, state="closed"), {}, now)


def retire_product(tx: Tx, by: str, code: str, now: datetime) -> Product:
    """Put a closed product away. Raises WrongState unless it is closed and nobody holds any of it."""
    product, used = lock_for_change(tx, by, code)
    if product.state != "closed":
        raise WrongState(f"Only a closed product can be retired; {code} is {product.state}.")
    # Every open position holds something, and the quota row counts what all hold, with or without a limit.
    if used > 0:
        raise WrongState(f"Customers still hold positions in {code}; it retires after the last one.")
    return change(tx, by, "retire_product", replace(product, state="retired"), {}, now)


def lock_on_sale(tx: Tx, by: str, code: str) -> Product:
    """Hold a product that is, or was, on sale."""
    product, _ = lock_for_change(tx, by, code)
    if product.state not in ("live", "closed"):
        raise WrongState(f"The product {code} is {product.state}: there is nothing to halt or resume.")
    return product


def lock_for_change(tx: Tx, by: str, code: str) -> tuple[Product, Decimal]:
    """Hold a product and its quota; gives what all customers hold in it.

    Every subscription holds the quota row from before it last looks at the product until it commits, so that none
    slips in behind a halt or a closing.
    """
    find_operator(tx, by)
    product = lock_product(tx, code)
    row = tx.execute(sql.lock_quota, {"product_id": product.product_id}).fetchone()
    return product, Decimal(0) if row is None else row.used


def change(tx: Tx, by: str, act: str, product: Product, details: dict[str, object], now: datetime) -> Product:
    """Write a product's new state and who changed it."""
    new = {
        "product_id": product.product_id,
        "state": product.state,
        "version": product.version,
        "subscribe_halt": product.subscribe_halt,
        "redeem_halt": product.redeem_halt,
    }
    tx.execute(sql.change_product, new)
    log(tx, by, act, product.code, details, now)
    return product
