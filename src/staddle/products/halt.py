"""Halts: one operator asks to pause subscribing or redeeming, or to end the pause; another approves (rule 9)."""

from dataclasses import replace
from datetime import datetime
from typing import Literal

import msgspec

from staddle import desk
from staddle.db import Tx
from staddle.errors import ApprovalNotFound, InvalidChoice, WrongState
from staddle.products.find import Product
from staddle.products.state import change, lock_on_sale

ACT = "change_halt"
What = Literal["subscribing", "redeeming"]


class Halt(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be paused, with a reason that customers see; without a reason the pause ends."""

    product: str
    what: What
    reason: str | None


def ask_halt(tx: Tx, by: str, code: str, what: What, reason: str | None, now: datetime) -> int:
    """Ask to pause subscribing or redeeming, each with its own switch, or with no reason to end the pause.

    Gives the number of the approval; nothing is paused before a second person agrees. Raises ProductNotFound,
    InvalidChoice, or WrongState where the product is not on sale or there is no pause to end.
    """
    product = lock_on_sale(tx, by, code)
    if what not in ("subscribing", "redeeming"):
        raise InvalidChoice("What is halted is subscribing or redeeming.")
    if reason is not None:
        check_reason(reason)
    elif halt_of(product, what) is None:
        raise WrongState(f"{what.capitalize()} of {code} is not paused: there is nothing to resume.")
    request = msgspec.to_builtins(Halt(product=code, what=what, reason=reason))
    return desk.ask(tx, by, ACT, code, request, basis_of_halt(product, what), now)


def approve_halt(tx: Tx, by: str, approval_id: int, now: datetime) -> Product:
    """Pause or resume what somebody else has asked for; everything else of the product goes on.

    Raises ApprovalNotFound, SecondPersonNeeded, WrongState, or ApprovalStale where it was paused or resumed since.
    """
    asked = desk.find_approval(tx, approval_id)
    if asked.act != ACT:
        raise ApprovalNotFound
    halt = msgspec.convert(asked.request, Halt)
    product = lock_on_sale(tx, by, halt.product)
    desk.approve(tx, by, approval_id, ACT, basis_of_halt(product, halt.what), now)
    if halt.what == "subscribing":
        changed = replace(product, subscribe_halt=halt.reason)
    else:
        changed = replace(product, redeem_halt=halt.reason)
    act = f"{'resume' if halt.reason is None else 'halt'}_{halt.what}"
    return change(tx, by, act, changed, {"reason": halt.reason, "asked_by": asked.asked_by}, now)


def halt_of(product: Product, what: What) -> str | None:
    """Say why something is paused; None while it is not."""
    return product.subscribe_halt if what == "subscribing" else product.redeem_halt


def basis_of_halt(product: Product, what: What) -> str:
    """What a request stands upon: the product's state, and the pause there is."""
    reason = halt_of(product, what)
    return f"{product.state}, {'not paused' if reason is None else f'paused: {reason}'}"


def check_reason(reason: str) -> str:
    """Give the reason back; customers see it, so it must be there."""
    if not 1 <= len(reason.strip()) <= 300 or not reason.isprintable() or len(reason) > 300:
        raise InvalidChoice("A halt needs a reason of 1 to 300 printable characters; customers see it.")
    return reason
