"""Drafts of products: looked over, laid beside what is in force, cloned, discarded; and what comes when."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from staddle import products
from staddle.api.fields import Body, Code
from staddle.api.once import once
from staddle.api.operation import Given, reads, writes
from staddle.api.sales import MAKE, SEE, TAG, Drafted, TermsBody
from staddle.desk import Difference
from staddle.products import Coming, DraftCheck, Product
from staddle.products.schedule import DAYS_MAX
from staddle.products.terms import Kind
from staddle.server.at import At

Number = Annotated[int, msgspec.Meta(ge=1)]
Written = Annotated[str, msgspec.Meta(max_length=1000)]


class CheckBody(Body, frozen=True, kw_only=True):
    """A product as far as it is filled in: its terms by name, as they were written, all of them.

    With the code and the terms alone they are the next version of a product that exists.
    """

    code: Written = ""
    asset: Written | None = None
    kind: Written | None = None
    name: Written | None = None
    terms: Annotated[Mapping[str, Any], msgspec.Meta(max_length=50)]


class CloneBody(Body, frozen=True, kw_only=True):
    """Another product out of the newest terms of one; coin and kind left out are the same."""

    code: Code
    name: Annotated[str, msgspec.Meta(max_length=80, description="What customers read.")]
    asset: Code | None = None
    kind: Kind | None = None
    terms: TermsBody = TermsBody()


class ProblemShown(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field."""

    field: str
    message: str


class DraftChecked(msgspec.Struct, frozen=True, kw_only=True):
    """Whether something could be drafted as it is; every problem, by field; what would change."""

    is_sound: bool
    problems: list[ProblemShown]
    differences: list[Difference]
    """From the terms in force, as far as the fields could be read; of a new product all is new."""


class DifferencesShown(msgspec.Struct, frozen=True, kw_only=True):
    """How one version of a product's terms differs from another; where `before` is null, all of it is new."""

    product: str
    before: int | None
    version: int
    differences: list[Difference]


@reads("/v1/desk/schedule", allow=SEE, gives=list[Coming], tag=TAG)
def list_schedule(at: At, days: Annotated[int, msgspec.Meta(ge=1, le=DAYS_MAX)] = 30) -> list[Coming]:
    """List what will happen to products by itself: openings, closings, rates; and drafts that would open."""
    return products.schedule(at.tx, at.now, days)


@reads("/v1/desk/products/{code}/versions/{version}/differences", allow=SEE, gives=DifferencesShown, tag=TAG)
def show_differences(at: At, code: Code, version: Number, before: Number | None = None) -> DifferencesShown:
    """Show how a version differs from another one, by default from the one that was in force before it.

    In plain words, amounts as plain decimals, `without limit` where there is none.
    """
    than, found = products.version_differences(at.tx, code, version, before)
    return DifferencesShown(product=code, before=than, version=version, differences=found)


@writes("POST", "/v1/desk/products/check", allow=MAKE, gives=DraftChecked, tag=TAG, keyed="no")
def check_product(at: At, body: CheckBody) -> DraftChecked:
    """Look a draft over without writing anything: every problem at once, by field, and what would change."""
    if (body.asset, body.kind, body.name) == (None, None, None):
        in_force = products.terms_in_force(at.tx, body.code)
        return shown(products.check_version(at.tx, body.code, body.terms, at.now), in_force)
    names = (body.code, body.asset or "", body.kind or "", body.name or "")
    return shown(products.check_draft(at.tx, *names, body.terms, at.now), None)


@writes("POST", "/v1/desk/products/{code}/clone", allow=MAKE, gives=Drafted, tag=TAG)
def clone_known_product(at: At, code: Code, body: CloneBody) -> Given:
    """Draft another product out of the newest terms of this one, as far as they fit its coin and kind."""
    source = products.show_product(at.tx, code, at.now)
    asset, kind = body.asset or source.asset, body.kind or source.kind

    def clone() -> Drafted:
        changes = body.terms.changes()
        made = products.clone_product(at.tx, at.by, code, body.code, asset, kind, body.name, changes, at.now)
        return Drafted(product=body.code, asset=asset, draft=made)

    return once(at, "clone_product", {"code": code, "clone": body}, clone)


@writes("POST", "/v1/desk/products/{code}/versions/{version}/discard", allow=MAKE, gives=Product, tag=TAG)
def discard_draft(at: At, code: Code, version: Number) -> Given:
    """Discard a draft that nobody approved; it stays on record. A product without any other is discarded with it."""
    asked = {"code": code, "version": version}
    return once(
        at, "discard_terms", asked, lambda: products.discard_version(at.tx, at.by, code, version, at.now)
    )


def shown(checked: DraftCheck, in_force: products.Terms | None) -> DraftChecked:
    """Say what a check has found."""
    return DraftChecked(
        is_sound=checked.is_sound,
        problems=[ProblemShown(field=each.field, message=each.message) for each in checked.problems],
        differences=products.differences(in_force, checked.terms),
    )
