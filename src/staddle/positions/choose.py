"""Choices of a customer: what happens at maturity, auto-subscribe, the rate guard (product.md rules 8 and 16)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial

import msgspec

from staddle import errors
from staddle.db import Tx, queries
from staddle.ledger import SOURCES, Command, Outcome, answer_commands, cell_of, lock_cells
from staddle.ledger.requests import check_key
from staddle.money import check_positive, check_scale, plain
from staddle.positions.check import check_agreement
from staddle.positions.facts import Offer, agreement_in_force, offers_of, product_ids_of

sql = queries(__package__)


class ChooseAtMaturity(Command, frozen=True, kw_only=True):
    """What should happen when a fixed-term position matures, and where redeemed principal should go."""

    position_id: int
    at_maturity: str
    redeem_to: str = "funding"


class SetAutoSubscribe(Command, frozen=True, kw_only=True):
    """Put the idle balance above `floor` of the source account into a flexible product every day, after the run."""

    product: str
    source: str = "spot"
    floor: Decimal = Decimal(0)
    agreement_version: int | None = None
    is_on: bool = True


class SetRateGuard(Command, frozen=True, kw_only=True):
    """When the floating APR is revised below `apr_min`: `redeem`, or only `stop` auto-subscribe and renewal."""

    product: str
    apr_min: Decimal
    action: str
    is_on: bool = True


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The choice as it now stands."""

    choice: dict[str, str | bool]


def choose_at_maturity(tx: Tx, commands: Sequence[ChooseAtMaturity], now: datetime) -> list[Outcome[Chosen]]:
    """Keep the choices. Refusals: PositionNotFound, NotAFixedPosition, PositionMatured, InvalidChoice."""
    lock_cells(tx, {cell_of(command.customer_id) for command in commands})

    def decide(fresh: Sequence[ChooseAtMaturity]) -> list[Outcome[Chosen]]:
        return [_attempt(partial(_choose, tx, command, now)) for command in fresh]

    return answer_commands(tx, "choose_at_maturity", commands, Chosen, now, decide)


def _attempt(choose: Callable[[], dict[str, str | bool]]) -> Outcome[Chosen]:
    try:
        return Outcome(Chosen(choice=choose()))
    except errors.StaddleError as error:
        return Outcome(error=error)


def _choose(tx: Tx, command: ChooseAtMaturity, now: datetime) -> dict[str, str | bool]:
    check_key(command.key)
    row = tx.execute(
        sql.position_standing,
        {
            "cell": cell_of(command.position_id),
            "position_id": command.position_id,
            "customer_id": command.customer_id,
        },
    ).fetchone()
    if row is None:
        raise errors.PositionNotFound
    if row.term_days is None:
        raise errors.NotAFixedPosition
    if row.ended_at is not None or row.matures_at <= now:
        raise errors.PositionMatured("This position has ended; there is nothing left to choose.")
    offer = offers_of(tx, [row.product_id])[row.product_id]
    if command.at_maturity not in ("redeem", "renew", "to_flexible") or command.redeem_to not in SOURCES:
        raise errors.InvalidChoice("At maturity: redeem, renew or to_flexible; redeem to spot or funding.")
    if command.at_maturity == "to_flexible" and offer.flexible_product_id is None:
        raise errors.InvalidChoice("This product names no flexible product to move to.")
    tx.execute(
        sql.choose_at_maturity,
        {
            "cells": [cell_of(command.position_id)],
            "position_ids": [command.position_id],
            "at_maturity": [command.at_maturity],
            "redeem_to": [command.redeem_to],
        },
    )
    return {
        "position_id": str(command.position_id),
        "at_maturity": command.at_maturity,
        "redeem_to": command.redeem_to,
    }


def set_auto_subscribe(tx: Tx, commands: Sequence[SetAutoSubscribe], now: datetime) -> list[Outcome[Chosen]]:
    """Keep the choices; one per customer and asset. Refusals: NotAFlexibleProduct and those of the agreement."""
    lock_cells(tx, {cell_of(command.customer_id) for command in commands})
    offers = _offers(tx, [command.product for command in commands])

    def decide(fresh: Sequence[SetAutoSubscribe]) -> list[Outcome[Chosen]]:
        return [_attempt(partial(_auto, tx, offers, command, now)) for command in fresh]

    return answer_commands(tx, "set_auto_subscribe", commands, Chosen, now, decide)


def _auto(
    tx: Tx, offers: dict[str, Offer], command: SetAutoSubscribe, now: datetime
) -> dict[str, str | bool]:
    offer = _flexible(offers, command.product, command.key)
    if command.source not in SOURCES:
        raise errors.InvalidChoice("The source account is spot or funding.")
    if command.floor != 0:
        check_positive(command.floor)
    check_scale(command.floor, offer.asset.scale)
    version = agreement_in_force(tx, now)
    if command.is_on:
        check_agreement(command.agreement_version, version)
    _check_customer(tx, command.customer_id)
    tx.execute(
        sql.set_auto_subscribe,
        {
            "cell": cell_of(command.customer_id),
            "customer_id": command.customer_id,
            "asset_id": offer.asset.asset_id,
            "product_id": offer.product_id,
            "source": command.source,
            "floor": command.floor,
            "agreement_version": version or 0,
            "is_on": command.is_on,
            "now": now,
        },
    )
    return {
        "product": command.product,
        "source": command.source,
        "floor": plain(command.floor),
        "is_on": command.is_on,
    }


def set_rate_guard(tx: Tx, commands: Sequence[SetRateGuard], now: datetime) -> list[Outcome[Chosen]]:
    """Keep the guards; one per customer and product. Refusals: NotAFlexibleProduct, InvalidChoice, InvalidRate."""
    lock_cells(tx, {cell_of(command.customer_id) for command in commands})
    offers = _offers(tx, [command.product for command in commands])

    def decide(fresh: Sequence[SetRateGuard]) -> list[Outcome[Chosen]]:
        return [_attempt(partial(_guard, tx, offers, command, now)) for command in fresh]

    return answer_commands(tx, "set_rate_guard", commands, Chosen, now, decide)


def _guard(tx: Tx, offers: dict[str, Offer], command: SetRateGuard, now: datetime) -> dict[str, str | bool]:
    check_key(command.key)
    if command.product not in offers:
        raise errors.ProductNotFound
    offer = offers[command.product]
    if command.action not in ("redeem", "stop"):
        raise errors.InvalidChoice("A rate guard does redeem or stop.")
    if command.action == "redeem" and offer.kind != "flexible":
        raise errors.NotAFlexibleProduct("Only a flexible product can be redeemed by a rate guard.")
    if not command.apr_min.is_finite() or not 0 <= command.apr_min <= 100:
        raise errors.InvalidRate("The lowest APR is a fraction such as 0.03.")
    _check_customer(tx, command.customer_id)
    tx.execute(
        sql.set_rate_guard,
        {
            "cell": cell_of(command.customer_id),
            "customer_id": command.customer_id,
            "product_id": offer.product_id,
            "apr_min": command.apr_min,
            "action": command.action,
            "is_on": command.is_on,
            "now": now,
        },
    )
    return {
        "product": command.product,
        "apr_min": plain(command.apr_min),
        "action": command.action,
        "is_on": command.is_on,
    }


def _offers(tx: Tx, codes: Sequence[str]) -> dict[str, Offer]:
    offers = offers_of(tx, product_ids_of(tx, codes).values())
    return {offer.code: offer for offer in offers.values()}


def _flexible(offers: dict[str, Offer], code: str, key: str) -> Offer:
    check_key(key)
    if code not in offers:
        raise errors.ProductNotFound
    if offers[code].kind != "flexible":
        raise errors.NotAFlexibleProduct
    return offers[code]


def _check_customer(tx: Tx, customer_id: int) -> None:
    known = {"cell": cell_of(customer_id), "customer_id": customer_id}
    if tx.execute(sql.customer_exists, known).fetchone() is None:
        raise errors.CustomerNotFound
