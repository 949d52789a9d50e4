"""The business on one screen: every account there is, and every permitted move of money between them.

A transfer's `kind` may only run from the debit to the credit account declared here; the database holds the same list
in a constraint and refuses everything else (a test proves the two equal). Money moves from the debit account to the
credit account. Customer accounts and the reward pool hold what we owe and are never below zero; custody and reward
expense are the other side of the books and run below zero; every cell adds up to exactly zero in every asset.
"""

from enum import IntEnum


class AccountKind(IntEnum):
    """The kinds of account; the number is the last four bits of an account's id, the house's are 8 and up."""

    SPOT = 1
    FUNDING = 2
    EARN = 3
    """Staked principal."""
    ACCRUED = 4
    """Rewards of at-maturity products: earned, visible, not spendable yet (rule 18)."""

    CUSTODY = 8
    """The coins themselves, seen from the books: minus all that we hold for customers and for the pool."""
    REWARD_EXPENSE = 9
    """What rewards have cost the desk, booked the day they accrue (rule 31)."""
    REWARD_POOL = 10
    """What treasury has set aside for rewards (rule 31)."""
    FORFEITED_REWARDS = 11
    """Income from early redemptions (rules 24 and 31)."""


Move = tuple[AccountKind, AccountKind]
A = AccountKind

MOVES: dict[str, frozenset[Move]] = {
    # Coins come in and go out: the integrator's API (rule 32).
    "deposit": frozenset({(A.CUSTODY, A.SPOT), (A.CUSTODY, A.FUNDING)}),
    "withdrawal": frozenset({(A.SPOT, A.CUSTODY), (A.FUNDING, A.CUSTODY)}),
    # A customer's own accounts.
    "transfer": frozenset({(A.SPOT, A.FUNDING), (A.FUNDING, A.SPOT)}),
    # Staking and its end. A renewal moves no money: the principal stays in Earn.
    "subscription": frozenset({(A.SPOT, A.EARN), (A.FUNDING, A.EARN)}),
    "redemption": frozenset({(A.EARN, A.SPOT), (A.EARN, A.FUNDING)}),
    # Rewards: one compact row per position and day in the table `reward`, not in `transfer` (rules 17 to 19).
    "reward": frozenset({(A.REWARD_EXPENSE, A.FUNDING), (A.REWARD_EXPENSE, A.ACCRUED)}),
    "accrued_payout": frozenset({(A.ACCRUED, A.FUNDING)}),
    "forfeiture": frozenset({(A.EARN, A.FORFEITED_REWARDS), (A.ACCRUED, A.FORFEITED_REWARDS)}),
    # Treasury (rule 31).
    "pool_funding": frozenset({(A.CUSTODY, A.REWARD_POOL)}),
    "pool_withdrawal": frozenset({(A.REWARD_POOL, A.CUSTODY)}),
    "income_to_pool": frozenset({(A.FORFEITED_REWARDS, A.REWARD_POOL)}),
    # A mistake is never edited: a correction runs the other way and names the transfer that it corrects.
    "correction": frozenset(
        {
            (A.SPOT, A.CUSTODY),
            (A.FUNDING, A.CUSTODY),
            (A.CUSTODY, A.SPOT),
            (A.CUSTODY, A.FUNDING),
            (A.REWARD_POOL, A.CUSTODY),
            (A.CUSTODY, A.REWARD_POOL),
        }
    ),
}

SOURCES = {"spot": A.SPOT, "funding": A.FUNDING}
"""The two accounts a customer may pay from and be paid to, by the word that edges use."""
