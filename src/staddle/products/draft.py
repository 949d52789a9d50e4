"""Drafting products and new versions of their terms; nothing is on sale before a second person approves."""

from datetime import datetime

import msgspec

from staddle.db import Tx, queries
from staddle.desk import find_operator, log
from staddle.errors import AlreadyExists, InvalidChoice, InvalidName, ProductNotFound, WrongState
from staddle.ledger import Asset, all_assets, find_asset
from staddle.products.check_terms import check_terms, refuse
from staddle.products.find import (
    CODE,
    Product,
    Version,
    find_product,
    lock_product,
    newest_of,
    versions_of,
)
from staddle.products.terms import Terms, with_defaults

sql = queries(__package__)


def draft_product(
    tx: Tx, by: str, code: str, asset: str, kind: str, name: str, terms: Terms, now: datetime
) -> Version:
    """Draft a product and the first version of its terms (rule 9); `asset` is the coin's code.

    Drafting the same again gives what is there; a code with other content is AlreadyExists, unless all that was
    drafted under it has been discarded. Raises InvalidName, InvalidChoice, InvalidTerms or AssetNotFound.
    """
    find_operator(tx, by)
    check_names(code, kind, name)
    coin = find_asset(tx, asset)
    terms = with_defaults(kind, terms)
    check_terms(kind, coin, terms)
    tx.execute(sql.lock_new_products)
    known = known_product(tx, code)
    if known is not None and known.state != "discarded":
        return same_draft(tx, known, (coin.asset_id, kind, name), terms)
    target = flexible_target(tx, terms.flexible_product, coin)
    if known is not None:
        check_same_coin(known, coin, kind)
        tx.execute(sql.rename_product, {"product_id": known.product_id, "name": name})
    else:
        product = {"code": code, "asset_id": coin.asset_id, "kind": kind, "name": name, "now": now}
        tx.execute(sql.add_product, product)
    log(tx, by, "draft_product", code, {"asset": asset, "kind": kind, "name": name}, now)
    return add_version(tx, by, find_product(tx, code), target, terms, now)


def draft_version(tx: Tx, by: str, code: str, terms: Terms, now: datetime) -> Version:
    """Draft new terms of a product, for new positions only (rule 10).

    Drafting again what the newest version says gives that version. Raises ProductNotFound, WrongState or
    InvalidTerms.
    """
    find_operator(tx, by)
    product = lock_product(tx, code)
    if product.state in ("closed", "retired"):
        raise WrongState(f"The product {code} is {product.state}: it takes no new terms.")
    terms = with_defaults(product.kind, terms)
    coin = all_assets(tx)[product.asset_id]
    check_terms(product.kind, coin, terms)
    newest = newest_of(versions_of(tx, product.product_id))
    if newest.terms == terms and newest.discarded_at is None:
        return newest
    target = flexible_target(tx, terms.flexible_product, coin)
    return add_version(tx, by, product, target, terms, now)


def known_product(tx: Tx, code: str) -> Product | None:
    """Give the product that has this code, None where none has."""
    try:
        return find_product(tx, code)
    except ProductNotFound:
        return None


def same_draft(tx: Tx, product: Product, content: tuple[int, str, str], terms: Terms) -> Version:
    """Give the first version of a product drafted with this very content; any other is AlreadyExists."""
    first = versions_of(tx, product.product_id)[0]
    if (product.asset_id, product.kind, product.name) != content or first.terms != terms:
        raise AlreadyExists(f"The product {product.code} already exists with other content.")
    return first


def check_same_coin(discarded: Product, coin: Asset, kind: str) -> None:
    """A code that was drafted and discarded may be drafted again, for the same coin and kind: AlreadyExists."""
    if (discarded.asset_id, discarded.kind) != (coin.asset_id, kind):
        raise AlreadyExists(
            f"The code {discarded.code} was drafted before for another coin or kind; take another code."
        )


def add_version(
    tx: Tx, by: str, product: Product, target: int | None, terms: Terms, now: datetime
) -> Version:
    """Write the next version of a product's terms as a draft."""
    known = versions_of(tx, product.product_id)
    version = known[-1].version + 1 if known else 1
    row = msgspec.structs.asdict(terms) | {
        "product_id": product.product_id,
        "version": version,
        "flexible_product_id": target,
        "countries_allowed": None if terms.countries_allowed is None else list(terms.countries_allowed),
        "countries_excluded": list(terms.countries_excluded),
        "by": by,
        "now": now,
    }
    tx.execute(sql.add_terms, row)
    if product.state == "discarded":
        tx.execute(sql.draft_again, {"product_id": product.product_id})
    log(tx, by, "draft_terms", product.code, {"version": version, "terms": terms}, now)
    return versions_of(tx, product.product_id)[-1]


def flexible_target(tx: Tx, code: str | None, coin: Asset) -> int | None:
    """Give the id of the product that principal moves to at maturity: a flexible one of the same asset."""
    if code is None:
        return None
    try:
        target = find_product(tx, code)
    except ProductNotFound:
        refuse("flexible_product", f"there is no product {code[:40]!r}")
    if target.kind != "flexible":
        refuse("flexible_product", f"{code} is not a flexible product")
    if target.asset_id != coin.asset_id:
        refuse("flexible_product", f"{code} is not in {coin.code}")
    if target.state in ("discarded", "retired"):
        refuse("flexible_product", f"{code} is {target.state}")
    return target.product_id


def check_names(code: str, kind: str, name: str) -> None:
    """Refuse a code or name that cannot be shown, and a kind that is none."""
    check_code(code)
    check_name(name)
    check_kind(kind)


def check_code(code: str) -> None:
    """Refuse a code that is none: InvalidName."""
    if not CODE.fullmatch(code):
        raise InvalidName(
            "A product's code has 1 to 40 capital letters, digits, '.', '_', '~' or '-', such as BTC-FLEX."
        )


def check_name(name: str) -> None:
    """Refuse a name that cannot be shown on one line: InvalidName."""
    if not 1 <= len(name) <= 80 or not name.isprintable() or name != name.strip():
        raise InvalidName("A product's name has 1 to 80 printable characters.")


def check_kind(kind: str) -> None:
    """Refuse what is no kind of product: InvalidChoice."""
    if kind not in ("flexible", "fixed"):
        raise InvalidChoice("A product is flexible or fixed.")
