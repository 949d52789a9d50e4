"""The words of the books in plain English: kinds of accounts, of transfers, how positions end."""

from collections.abc import Mapping
from urllib.parse import quote, unquote

from staddle.customers import Customer, find_customer, find_customers
from staddle.db import Tx
from staddle.pages.page import Visit


def account_words(visit: Visit) -> Mapping[str, str]:
    """Name the kinds of account, by their names in the chart."""
    say = visit.say
    return {
        "spot": say("Spot"),
        "funding": say("Funding"),
        "earn": say("Earn"),
        "accrued": say("Accrued"),
        "custody": say("Custody"),
        "reward_expense": say("Reward expense"),
        "reward_pool": say("Reward pool"),
        "forfeited_rewards": say("Forfeited rewards"),
    }


def kind_words(visit: Visit) -> Mapping[str, str]:
    """Name the kinds of transfers, and of the rows of statements."""
    say = visit.say
    return {
        "deposit": say("Deposit"),
        "withdrawal": say("Withdrawal"),
        "transfer": say("Transfer"),
        "subscription": say("Subscription"),
        "redemption": say("Redemption"),
        "accrued_payout": say("Accrued rewards paid out"),
        "forfeiture": say("Forfeiture"),
        "pool_funding": say("Pool funded"),
        "pool_withdrawal": say("Pool withdrawn"),
        "income_to_pool": say("Income to the pool"),
        "correction": say("Correction"),
        "reward": say("Reward"),
        "accrual": say("Reward, accrued"),
        "renewal": say("Renewal"),
    }


def ending_words(visit: Visit) -> Mapping[str, str]:
    """Say how a position ended."""
    say = visit.say
    return {
        "redemption": say("redeemed"),
        "early_redemption": say("left early"),
        "maturity": say("matured"),
        "renewal": say("renewed"),
        "to_flexible": say("went on as flexible"),
    }


def customer_address(reference: str) -> str:
    """Give the address of a customer's page. A reference may hold any letters; one with a slash, at which addresses
    are cut before they are read, is written twice over.
    """
    once = quote(reference, safe="")
    return f"/console/customers/{quote(once, safe='') if '/' in reference else once}"


def customer_in(tx: Tx, text: str) -> Customer:
    """Find the customer that an address names; raises CustomerNotFound."""
    there = find_customers(tx, [text]).get(text)
    return find_customer(tx, unquote(text)) if there is None else there
