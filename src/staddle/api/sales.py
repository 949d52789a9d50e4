"""Products as the desk makes them: drafts, approval by a second person, halts, the end of a sale."""

from typing import Annotated, Any, Literal

import msgspec

from staddle import approvals, products
from staddle.api.approvals import RequestAsked, asked
from staddle.api.fields import AmountText, Body, Code
from staddle.api.once import once
from staddle.api.operation import Given, reads, writes
from staddle.products import Product, ProductOffer, Terms, Version, make_terms
from staddle.products.offer import STATES
from staddle.products.terms import AtMaturity, EarlyRedemption, Kind, Payout, RatePolicy
from staddle.server.allow import operator
from staddle.server.at import At

TAG = "Sales"
SEE, MAKE = operator("viewer"), operator("product")
State = Literal["draft", "discarded", "live", "closed", "retired"]
What = Literal["subscribing", "redeeming"]
Fraction = Annotated[AmountText, msgspec.Meta(description="A fraction: 0.05 is 5 %.")]
Instant = Annotated[str, msgspec.Meta(description="An instant such as 2026-01-31T15:30:00Z.", max_length=40)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=300, description="Why; customers see it.")]
Unset = msgspec.UnsetType
UNSET = msgspec.UNSET


class TermsBody(Body, frozen=True, kw_only=True):
    """Terms of a product. What is left out keeps its usual or its present value; null is without limit."""

    amount_min: AmountText | Unset = UNSET
    step: AmountText | Unset = UNSET
    opens_at: Instant | Unset = UNSET
    closes_at: Instant | Unset | None = UNSET
    amount_max: AmountText | Unset | None = UNSET
    personal_cap: AmountText | Unset | None = UNSET
    quota: AmountText | Unset | None = UNSET
    term_days: int | Unset | None = UNSET
    new_customer_days: int | Unset | None = UNSET
    vip_level_min: int | Unset = UNSET
    countries_allowed: list[str] | Unset | None = UNSET
    countries_excluded: list[str] | Unset = UNSET
    rate_policy: RatePolicy | Unset | None = UNSET
    payout: Payout | Unset = UNSET
    early_redemption: EarlyRedemption | Unset = UNSET
    kept_fraction: Fraction | Unset | None = UNSET
    reduced_apr: Fraction | Unset | None = UNSET
    reduced_apr_days_min: int | Unset | None = UNSET
    at_maturity: AtMaturity | Unset = UNSET
    flexible_product: Code | Unset | None = UNSET

    def changes(self) -> dict[str, Any]:
        """Give what was named."""
        return {name: each for name, each in msgspec.structs.asdict(self).items() if each is not UNSET}


class DraftBody(Body, frozen=True, kw_only=True):
    """A product and its first terms; `opens_at` left out is now."""

    asset: Code
    kind: Kind
    name: Annotated[str, msgspec.Meta(max_length=80, description="What customers read.")]
    terms: TermsBody


class HaltBody(Body, frozen=True, kw_only=True):
    """Why something is paused."""

    reason: Reason


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """Terms that wait for a second person."""

    product: str
    asset: str
    draft: Version


class VersionsShown(msgspec.Struct, frozen=True, kw_only=True):
    """All versions of a product's terms; amounts are in `asset`."""

    product: str
    asset: str
    versions: list[Version]


@reads("/v1/desk/products", allow=SEE, gives=list[ProductOffer], tag=TAG)
def list_products_of_desk(at: At, state: State | None = None) -> list[ProductOffer]:
    """List all products, drafts and retired ones too."""
    return products.list_products(at.tx, at.now, STATES if state is None else [state])


@reads("/v1/desk/products/{code}", allow=SEE, gives=ProductOffer, tag=TAG)
def show_product_of_desk(at: At, code: Code) -> ProductOffer:
    """Show a product in whatever state."""
    return products.show_product(at.tx, code, at.now)


@reads("/v1/desk/products/{code}/versions", allow=SEE, gives=VersionsShown, tag=TAG)
def list_versions(at: At, code: Code) -> VersionsShown:
    """List the versions of a product's terms, oldest first: who drafted and who approved each."""
    found = products.versions_of(at.tx, products.find_product(at.tx, code).product_id)
    return VersionsShown(product=code, asset=asset_of(at, code), versions=found)


@writes("PUT", "/v1/desk/products/{code}", allow=MAKE, gives=Drafted, tag=TAG)
def draft_new_product(at: At, code: Code, body: DraftBody) -> Given:
    """Draft a product with its first terms; a second person approves them. The same draft again changes nothing."""
    terms = make_terms({"opens_at": at.now}, body.terms.changes())

    def draft() -> Drafted:
        made = products.draft_product(at.tx, at.by, code, body.asset, body.kind, body.name, terms, at.now)
        return Drafted(product=code, asset=body.asset, draft=made)

    return once(at, "draft_product", {"code": code, "draft": body}, draft)


@writes("POST", "/v1/desk/products/{code}/versions", allow=MAKE, gives=Drafted, tag=TAG)
def draft_new_version(at: At, code: Code, body: TermsBody) -> Given:
    """Draft new terms for new positions: the newest ones, with changes. A second person approves them."""
    newest = products.newest_of(
        products.versions_of(at.tx, products.find_product(at.tx, code).product_id)
    ).terms
    terms: Terms = make_terms(msgspec.structs.asdict(newest), body.changes())

    def draft() -> Drafted:
        made = products.draft_version(at.tx, at.by, code, terms, at.now)
        return Drafted(product=code, asset=asset_of(at, code), draft=made)

    return once(at, "draft_version", {"code": code, "changes": body}, draft)


@writes("POST", "/v1/desk/products/{code}/versions/{version}/approve", allow=MAKE, gives=Product, tag=TAG)
def approve_version(at: At, code: Code, version: Annotated[int, msgspec.Meta(ge=1)]) -> Given:
    """Put drafted terms in force, as a second person; with the first ones the product goes on sale."""
    named = {"code": code, "version": version}
    return once(
        at, "approve_terms", named, lambda: products.approve_terms(at.tx, at.by, code, version, at.now)
    )


@writes("POST", "/v1/desk/products/{code}/versions/{version}/ask", allow=MAKE, gives=RequestAsked, tag=TAG)
def ask_for_version(at: At, code: Code, version: Annotated[int, msgspec.Meta(ge=1)]) -> Given:
    """Put drafted terms before a second person, with their difference to those in force."""
    return once(
        at,
        "ask_terms",
        {"code": code, "version": version},
        lambda: asked(at, approvals.ask_terms(at.tx, at.by, code, version, at.now)),
    )


@writes("POST", "/v1/desk/products/{code}/halts/{what}", allow=MAKE, gives=RequestAsked, tag=TAG)
def halt_product(at: At, code: Code, what: What, body: HaltBody) -> Given:
    """Ask to pause subscribing or redeeming, each with its own switch; a second person approves.

    Customers see the reason.
    """
    return once(
        at,
        "ask_halt",
        {"code": code, "what": what, "reason": body.reason},
        lambda: asked(at, approvals.ask_halt(at.tx, at.by, code, what, body.reason, at.now)),
    )


@writes("DELETE", "/v1/desk/products/{code}/halts/{what}", allow=MAKE, gives=RequestAsked, tag=TAG)
def resume_product(at: At, code: Code, what: What) -> Given:
    """Ask to end a pause; a second person approves."""
    return once(
        at,
        "ask_halt",
        {"code": code, "what": what, "reason": None},
        lambda: asked(at, approvals.ask_halt(at.tx, at.by, code, what, None, at.now)),
    )


@writes("POST", "/v1/desk/products/{code}/close", allow=MAKE, gives=Product, tag=TAG)
def close_sale(at: At, code: Code) -> Given:
    """Stop new subscriptions for good; redemption, rewards and maturities go on."""
    return once(
        at, "close_product", {"code": code}, lambda: products.close_product(at.tx, at.by, code, at.now)
    )


@writes("POST", "/v1/desk/products/{code}/retire", allow=MAKE, gives=Product, tag=TAG)
def retire_closed_product(at: At, code: Code) -> Given:
    """Put a closed product away, once nobody holds any of it."""
    return once(
        at, "retire_product", {"code": code}, lambda: products.retire_product(at.tx, at.by, code, at.now)
    )


def asset_of(at: At, code: str) -> str:
    """Give the coin of a product."""
    return products.show_product(at.tx, code, at.now).asset
