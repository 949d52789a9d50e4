"""A redemption of a large amount, asked for in a session, needs a fresh proof of who is asking."""

from collections.abc import Sequence
from datetime import datetime

from staddle.db import Tx
from staddle.errors import ProductNotFound, StaddleError, StepUpNeeded
from staddle.identity import is_unproven, needs_step_up
from staddle.identity.caller import Caller
from staddle.ledger import Command, all_assets
from staddle.positions import Redeem
from staddle.products import find_product

Made = Command | StaddleError


def refuse_unproven(
    tx: Tx, callers: Sequence[Caller | StaddleError], made: Sequence[Made], machine_now: datetime
) -> list[Made]:
    """Put StepUpNeeded in the place of the redemptions that need a proof; nothing is asked for those of API keys."""
    return [
        StepUpNeeded()
        if isinstance(caller, Caller)
        and isinstance(command, Redeem)
        and is_unproven(caller, machine_now)
        and _is_large(tx, command)
        else command
        for caller, command in zip(callers, made, strict=True)
    ]


def _is_large(tx: Tx, command: Redeem) -> bool:
    try:
        asset_id = find_product(tx, command.product).asset_id
    except ProductNotFound:
        return False
    return needs_step_up(tx, all_assets(tx)[asset_id].code, command.amount)
