"""A customer's accounts: who they are, what they have of each coin, how their coins moved, what they agreed to."""

from datetime import datetime
from typing import Literal

import msgspec

from staddle.api.fields import Code
from staddle.api.operation import reads
from staddle.api.pages import Cursor, Limit, Page, page, read_cursor
from staddle.customers import Agreement, Consent, Customer, consents_of, current_agreement, find_agreement
from staddle.customers.find import find_customers_by_id
from staddle.customers.movements import Movement, movements_of
from staddle.positions import ShownAsset, assets_of
from staddle.server.allow import ANYBODY, customer
from staddle.server.at import At

TAG = "Accounts"
Kind = Literal[
    "deposit", "withdrawal", "transfer", "subscription", "redemption", "accrued_payout", "forfeiture", "correction"
]  # fmt: skip


class AgreementShown(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the staking service agreement, as it is accepted with a subscription."""

    version: int
    title: str
    body: str
    published_at: datetime


@reads("/v1/me", allow=customer("read"), gives=Customer, tag=TAG)
def show_me(at: At) -> Customer:
    """Show who you are to this desk: reference, country, VIP level."""
    return find_customers_by_id(at.tx, [at.customer_id])[at.customer_id]


@reads("/v1/balances", allow=customer("read"), gives=Page[ShownAsset], tag=TAG)
def list_balances(at: At) -> Page[ShownAsset]:
    """List what you have of each coin: Spot, Funding, Earn, accrued, in all, and the rewards of all time."""
    return Page(items=assets_of(at.tx, at.customer_id))


@reads("/v1/transfers", allow=customer("read"), gives=Page[Movement], tag=TAG)
def list_transfers(
    at: At,
    asset: Code | None = None,
    type: Kind | None = None,  # noqa: A002  the column's name in statements
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[Movement]:
    """List every transfer of your coins, newest first; rewards are listed by themselves."""
    found = movements_of(at.tx, at.customer_id, limit + 1, read_cursor(cursor, int), asset, type)
    return page(found, limit, lambda movement: movement.transfer_id)


@reads("/v1/agreements/current", allow=ANYBODY, gives=AgreementShown, tag=TAG)
def show_current_agreement(at: At) -> AgreementShown:
    """Show the version of the staking service agreement that every subscription must accept."""
    return agreement_shown(current_agreement(at.tx))


@reads("/v1/agreements/{version}", allow=ANYBODY, gives=AgreementShown, tag=TAG)
def show_agreement(at: At, version: int) -> AgreementShown:
    """Show any version of the staking service agreement."""
    return agreement_shown(find_agreement(at.tx, version))


@reads("/v1/consents", allow=customer("read"), gives=Page[Consent], tag=TAG)
def list_consents(at: At) -> Page[Consent]:
    """List which versions of the agreement you accepted, when, and from where."""
    return Page(items=consents_of(at.tx, at.customer_id))


def agreement_shown(agreement: Agreement) -> AgreementShown:
    """Show an agreement without who published it."""
    return AgreementShown(
        version=agreement.version,
        title=agreement.title,
        body=agreement.body,
        published_at=agreement.published_at,
    )
