"""Early redemption of a fixed-term position: a quote that holds for five minutes, then its confirmation (rule 24)."""

from staddle.api.fields import Body, Id, id_of
from staddle.api.operation import Given, answered, writes
from staddle.errors import PositionNotFound, QuoteNotFound, StepUpNeeded
from staddle.identity import is_unproven, needs_step_up
from staddle.positions import AskToLeave, ConfirmLeave, EarlyQuote, LeftEarly, ask_to_leave, confirm_leave
from staddle.server.allow import customer
from staddle.server.at import At

TAG = "Staking"


class EarlyRedemptionBody(Body, frozen=True, kw_only=True):
    """The quote that is confirmed."""

    quote_id: Id


@writes(
    "POST",
    "/v1/positions/{position_id}/early-redemption-quotes",
    allow=customer("redeem"),
    gives=EarlyQuote,
    tag=TAG,
    status=201,
)
def quote_early_redemption(at: At, position_id: Id) -> Given:
    """Ask what leaving a fixed-term position now would bring: every payout that is taken back, and what is returned.

    The quote holds for five minutes; nothing is moved until it is confirmed.
    """
    wanted = id_of(position_id, PositionNotFound)
    command = AskToLeave(customer_id=at.customer_id, key=at.key, position_id=wanted)
    return answered(ask_to_leave(at.tx, [command], at.now)[0], 201)


@writes("POST", "/v1/early-redemptions", allow=customer("redeem"), gives=LeftEarly, tag=TAG, keyed="must")
def redeem_early(at: At, body: EarlyRedemptionBody) -> Given:
    """Confirm a quote: the position ends, and the principal comes back less what is forfeited.

    Where its figures have changed meanwhile, the answer is `quote_changed` and the new quote is in `details`.
    """
    quote_id = id_of(body.quote_id, QuoteNotFound)
    command = ConfirmLeave(customer_id=at.customer_id, key=at.key, quote_id=quote_id)
    outcome = confirm_leave(at.tx, [command], at.now)[0]
    if outcome.answer is not None and not outcome.is_replay and is_unproven(at.caller, at.machine_now):
        left = outcome.answer.quote
        if needs_step_up(at.tx, left.asset, left.returned):
            raise StepUpNeeded  # which takes all of it back
    return answered(outcome)
