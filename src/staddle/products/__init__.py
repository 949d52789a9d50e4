"""What can be subscribed to: products, their terms, their rates, and what is on offer now."""

from staddle.products.approve import approve_asked_terms, approve_terms, ask_terms
from staddle.products.check_draft import DraftCheck, check_draft, check_version
from staddle.products.check_terms import Problem, check_terms
from staddle.products.clone import clone_product, cloned_terms
from staddle.products.differences import differences, is_said, term_words, version_differences
from staddle.products.discard import discard_version
from staddle.products.draft import draft_product, draft_version
from staddle.products.find import (
    Product,
    Version,
    find_product,
    in_force_before,
    newest_of,
    terms_in_force,
    versions_of,
    waiting_drafts,
)
from staddle.products.halt import What, approve_halt, ask_halt, halt_of
from staddle.products.offer import (
    ProductOffer,
    RateShown,
    headline_steps,
    list_products,
    offer_of_terms,
    show_product,
    shown_rates,
)
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
from staddle.products.read_terms import make_terms, parse_term
from staddle.products.readings import (
    Reading,
    check_fresh,
    keep_reading,
    next_distribution,
    propose_reading,
    readings_of,
    sources_due,
)
from staddle.products.revise import RateRevised, approve_rate, propose_rate
from staddle.products.schedule import Coming, schedule
from staddle.products.source_kinds import Figures, Get, read_figures
from staddle.products.source_terms import SourceTerms, check_source, check_url
from staddle.products.sources import Source, approve_source, end_source, find_source, list_sources, set_source
from staddle.products.state import Status, close_product, product_status, retire_product
from staddle.products.terms import Terms

__all__ = [
    "Coming",
    "DraftCheck",
    "Figures",
    "Get",
    "Problem",
    "Product",
    "ProductOffer",
    "Rate",
    "RateRevised",
    "RateShown",
    "Reading",
    "Revision",
    "Source",
    "SourceTerms",
    "Status",
    "Terms",
    "Tier",
    "Version",
    "What",
    "approve_asked_terms",
    "approve_halt",
    "approve_rate",
    "approve_source",
    "approve_terms",
    "ask_halt",
    "ask_terms",
    "check_draft",
    "check_fresh",
    "check_source",
    "check_terms",
    "check_url",
    "check_version",
    "clone_product",
    "cloned_terms",
    "close_product",
    "differences",
    "discard_version",
    "draft_product",
    "draft_version",
    "end_source",
    "find_product",
    "find_source",
    "halt_of",
    "headline_apr",
    "headline_steps",
    "in_force_before",
    "is_said",
    "keep_reading",
    "list_products",
    "list_sources",
    "make_terms",
    "newest_of",
    "next_distribution",
    "offer_of_terms",
    "parse_term",
    "product_status",
    "propose_rate",
    "propose_reading",
    "rate_after",
    "rate_at",
    "rate_history",
    "rates_of",
    "read_figures",
    "readings_of",
    "retire_product",
    "schedule",
    "set_source",
    "show_product",
    "shown_rates",
    "sources_due",
    "term_words",
    "terms_in_force",
    "version_differences",
    "versions_of",
    "waiting_drafts",
]
