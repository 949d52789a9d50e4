"""What needs two people, a line each: who decides it, what it changes and effects, how it is done once approved."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from staddle import customers, desk, identity, products, rewards, treasury
from staddle.approvals import money, people, rates, runs
from staddle.approvals import products as of_products
from staddle.approvals.words import Told
from staddle.customers import ask_move
from staddle.db import Tx
from staddle.desk import Approval, grants
from staddle.errors import StaddleError
from staddle.identity import Caller, Seen, lost_factors
from staddle.positions.publish_rate import publish_rate
from staddle.products import approve as terms
from staddle.products import halt, revise, sources
from staddle.rewards import report
from staddle.treasury import correct, move_pool


@dataclass(frozen=True, slots=True)
class Deciding:
    """Who approves a request, from where and when; `machine_now` is the real clock, by which sign-in goes."""

    caller: Caller
    approval_id: int
    now: datetime
    machine_now: datetime
    seen: Seen = identity.UNSEEN

    @property
    def by(self) -> str:
        """The operator's name."""
        return self.caller.operator or ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of request. `roles`: whoever has one of them may decide it."""

    act: str
    title: str
    roles: tuple[str, ...]
    describe: Callable[[Tx, Approval, datetime], tuple[Told, Told]]
    """What it changes, and what comes of it, as things stand."""
    basis: Callable[[Tx, Approval], str]
    """What it would stand upon if it were asked for now."""
    approve: Callable[[Tx, Deciding], object]
    barred: Callable[[Tx, Approval], str | None] = field(default=lambda _tx, _asked: None)
    """Who may not approve it besides the one who asked: drafted it, gains by it, has started it."""
    is_past: Callable[[Approval, datetime], bool] = field(default=lambda _asked, _now: False)
    """Whether its time has gone by."""


def _move_pool(tx: Tx, deciding: Deciding) -> object:
    key = f"desk:approval {deciding.approval_id}"
    command = treasury.ApprovePoolMove(key=key, by=deciding.by, approval_id=deciding.approval_id)
    return treasury.approve_pool_move(tx, [command], deciding.now)[0].unwrap()


def _started_by(tx: Tx, asked: Approval) -> str | None:
    try:
        return rewards.find_report(tx, date.fromisoformat(asked.subject)).started_by
    except StaddleError:
        return None


KINDS = {
    kind.act: kind
    for kind in (
        Kind(
            terms.ACT,
            "Put terms in force",
            ("product",),
            of_products.of_terms,
            of_products.basis_of_asked_terms,
            lambda tx, d: products.approve_asked_terms(tx, d.by, d.approval_id, d.now),
            barred=lambda _, asked: str(asked.request["drafted_by"]),
        ),
        Kind(
            revise.ACT,
            "Revise a rate",
            ("product",),
            rates.of_revision,
            rates.basis_of_revision,
            lambda tx, d: publish_rate(tx, d.by, d.approval_id, d.now),
            is_past=rates.is_past,
        ),
        Kind(
            sources.ACT,
            "Follow a rate source",
            ("product",),
            rates.of_source,
            rates.basis_of_set_source,
            lambda tx, d: products.approve_source(tx, d.by, d.approval_id, d.now),
        ),
        Kind(
            halt.ACT,
            "Pause or resume",
            ("product",),
            of_products.of_halt,
            of_products.basis_of_asked_halt,
            lambda tx, d: products.approve_halt(tx, d.by, d.approval_id, d.now),
        ),
        Kind(
            report.ACT,
            "Release a held run",
            ("treasury",),
            runs.of_release,
            runs.basis_of_asked_release,
            lambda tx, d: rewards.approve_release(tx, d.by, d.approval_id, d.now),
            barred=_started_by,
        ),
        Kind(
            move_pool.ACT,
            "Move a reward pool",
            ("treasury",),
            money.of_pool_move,
            money.basis_of_pool_move,
            _move_pool,
        ),
        Kind(
            ask_move.ACT,
            "Move a customer's coins",
            ("treasury",),
            money.of_customer_move,
            money.basis_of_customer_move,
            lambda tx, d: customers.approve_customer_move(tx, d.by, d.approval_id, d.now),
        ),
        Kind(
            correct.ACT,
            "Correct an entry",
            ("treasury",),
            money.of_correction,
            money.basis_of_asked_correction,
            lambda tx, d: treasury.approve_correction(tx, d.by, d.approval_id, d.now),
        ),
        Kind(
            grants.ACT,
            "Give roles",
            ("admin",),
            people.of_roles,
            people.basis_of_roles,
            lambda tx, d: desk.approve_roles(tx, d.by, d.approval_id, d.now),
            barred=lambda _, asked: asked.subject,
        ),
        Kind(
            lost_factors.ACT,
            "Take away lost second factors",
            ("support", "admin"),
            people.of_factors,
            people.basis_of_factors,
            lambda tx, d: identity.remove_lost_factors(tx, d.caller, d.approval_id, d.seen, d.machine_now),
        ),
    )
}
