"""Earn: what is on offer."""

from staddle.products import list_products
from staddle.web.page import View, Visit, shows


@shows("/")
def show_earn(visit: Visit) -> View:
    """Show every product that customers see."""
    return View("earn.html", {"offers": list_products(visit.tx, visit.now)})
