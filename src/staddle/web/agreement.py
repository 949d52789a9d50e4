"""The staking service agreement: its text, its versions, and which of them the customer has accepted."""

from staddle.customers import consents_of, current_agreement, find_agreement, list_agreements
from staddle.errors import AgreementNotFound
from staddle.pages.page import View, Visit, shows


@shows("/agreement")
def show_agreement(visit: Visit) -> View:
    """Show the version that is in force; before the first one, that there is none."""
    try:
        version = current_agreement(visit.tx).version
    except AgreementNotFound:
        return View("agreement.html", {"agreement": None})
    return show_agreement_version(visit, version)


@shows("/agreement/{version}")
def show_agreement_version(visit: Visit, version: int) -> View:
    """Show one version of the agreement."""
    agreement = find_agreement(visit.tx, version)
    customer_id = visit.viewer.customer_id
    consents = consents_of(visit.tx, customer_id) if customer_id is not None else []
    versions = list_agreements(visit.tx)
    shown = {
        "agreement": agreement,
        "paragraphs": paragraphs(agreement.body),
        "newest": max(each.version for each in versions),
        "versions": versions[::-1],
        "consents": consents[::-1],
        "accepted": next((each for each in consents if each.version == version), None),
    }
    return View("agreement.html", shown)


def paragraphs(body: str) -> list[str]:
    """Cut a text at its empty lines; lines within a paragraph stay lines."""
    return [part.strip("\n") for part in body.replace("\r\n", "\n").split("\n\n") if part.strip()]
