"""What can be subscribed to: products, their terms, their rates, and what is on offer now."""

from staddle.products.approve import approve_terms
from staddle.products.draft import draft_product, draft_version
from staddle.products.find import Product, Version, find_product, versions_of
from staddle.products.offer import ProductOffer, RateShown, list_products, show_product
from staddle.products.rates import (
    Rate,
    Revision,
    Tier,
    headline_apr,
    rate_after,
    rate_at,
    rate_history,
    rates_of,
)
from staddle.products.revise import RateRevised, approve_rate, propose_rate
from staddle.products.state import (
    Status,
    close_product,
    halt_redeeming,
    halt_subscribing,
    product_status,
    resume_redeeming,
    resume_subscribing,
    retire_product,
)
from staddle.products.terms import Terms, check_terms

__all__ = [
    "Product",
    "ProductOffer",
    "Rate",
    "RateRevised",
    "RateShown",
    "Revision",
    "Status",
    "Terms",
    "Tier",
    "Version",
    "approve_rate",
    "approve_terms",
    "check_terms",
    "close_product",
    "draft_product",
    "draft_version",
    "find_product",
    "halt_redeeming",
    "halt_subscribing",
    "headline_apr",
    "list_products",
    "product_status",
    "propose_rate",
    "rate_after",
    "rate_at",
    "rate_history",
    "rates_of",
    "resume_redeeming",
    "resume_subscribing",
    "retire_product",
    "show_product",
    "versions_of",
]
