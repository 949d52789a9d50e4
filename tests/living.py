"""A desk to live with in a test: it opens a transaction for each act, holds the clock, and makes up the keys.

Every method calls the public acts on a real database; there is nothing here that decides or computes. `now` is the
desk's clock and only moves when a test moves it:

    living = Living(database)
    living.product("USDT-FLEX", "USDT", apr="0.08")
    anna = living.customer("anna", USDT="1000")
    position = living.subscribe(anna, "USDT-FLEX", "100")
    living.passes(days=2)
    living.catch_up()
    assert living.funding(anna, "USDT") == Decimal("0.02191780")
"""

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

from staddle import customers, desk, ledger, positions, products, rewards
from staddle.db import Database, Tx
from staddle.ledger import AccountKind
from staddle.rewards.audit import audit

START = datetime(2026, 1, 22, 15, 30, tzinfo=UTC)
"""The instant at which stories begin, that of the first worked number's date and hour."""

POOL = Decimal(10) ** 12
"""What each reward pool is funded with, so that no run is short of it unless a test wants it so."""

SCALES = {"BTC": 8, "ETH": 8, "SOL": 8, "USDT": 8, "USDC": 8, "YEN": 2}
Band = tuple[str, str | None, str]


class Living:
    """A sandbox desk with the operators ada and bob, an agreement, coins with funded pools, and a clock."""

    def __init__(
        self,
        database: Database,
        start: datetime = START,
        distribution_time: time = time(0),
        run_change_max: str = "1000000",
    ) -> None:
        self.database = database
        self.now = start
        self.assets: dict[str, ledger.Asset] = {}
        self._keys = (f"key {number}" for number in itertools.count(1))
        with database.transaction() as tx:
            desk.create_desk(
                tx, "Test desk", True, distribution_time, start, run_change_max=Decimal(run_change_max)
            )
            desk.add_operator(tx, "ada", "ada", start)
            desk.add_operator(tx, "ada", "bob", start, desk.ROLES)
            for alarm in desk.list_alarms(tx):  # ada was the only admin, and bob has seen it
                desk.clear_alarm(tx, alarm.kind, alarm.subject, start)
            self.agreement = customers.publish_agreement(tx, "ada", "Staking", "You may stake.", start)

    # The clock

    def passes(self, **length: float) -> datetime:
        """Let time pass: days=1, hours=.., seconds=..; gives the new instant."""
        self.now += timedelta(**length)
        return self.now

    def comes(self, instant: datetime) -> datetime:
        """Let the clock come to an instant."""
        assert instant >= self.now, "a clock only moves forward"
        self.now = instant
        return instant

    # The desk

    def asset(self, code: str, scale: int | None = None, pool: Decimal = POOL) -> ledger.Asset:
        """Add a coin with a funded reward pool; one that is there stays as it is."""
        if code not in self.assets:
            with self.database.transaction() as tx:
                name = f"Coin {code}"
                self.assets[code] = ledger.add_asset(tx, code, name, SCALES[code] if scale is None else scale)
            self.fund_pool(code, pool)
        return self.assets[code]

    def fund_pool(self, code: str, amount: Decimal) -> None:
        """Put coins from custody into the reward pool, in the books of cell 0."""
        if amount == 0:
            return
        with self.database.transaction() as tx:
            locked = ledger.lock_cells(tx, [0])
            transfer_id = locked.next_transfer(0)
            debit, credit = (
                ledger.account_of(0, self.assets[code], kind)
                for kind in (AccountKind.CUSTODY, AccountKind.REWARD_POOL)
            )
            pool = ledger.Transfer(
                transfer_id, transfer_id, "pool_funding", 0, debit, credit, amount, self.key()
            )
            ledger.post(tx, locked, [pool], self.now)

    def product(
        self,
        code: str,
        asset: str,
        apr: str | None = None,
        bands: Sequence[Band] = (),
        term_days: int | None = None,
        amount_min: str | None = None,
        step: str | None = None,
        **terms: Any,
    ) -> str:
        """Put a product on sale with a rate in force from now on; fixed where it has `term_days`. Gives its code.

        Amounts among the terms may be strings; minimum and step are the asset's unit unless said otherwise.
        """
        unit = self.asset(asset).unit
        for name in ("amount_max", "personal_cap", "quota", "kept_fraction", "reduced_apr"):
            if isinstance(terms.get(name), str):
                terms[name] = Decimal(terms[name])
        of_product = products.Terms(
            **({"opens_at": self.now} | terms),
            amount_min=unit if amount_min is None else Decimal(amount_min),
            step=unit if step is None else Decimal(step),
            term_days=term_days,
        )
        kind = "flexible" if term_days is None else "fixed"
        with self.database.transaction() as tx:
            products.draft_product(tx, "ada", code, asset, kind, f"Product {code}", of_product, self.now)
            products.approve_terms(tx, "bob", code, 1, self.now)
        if apr is not None or bands:
            self.revise(code, apr, bands, at=None)
        return code

    def new_terms(self, code: str, **changed: Any) -> int:
        """Put a new version of a product's terms in force, with these fields changed; gives its number."""
        with self.database.transaction() as tx:
            newest = products.versions_of(tx, products.find_product(tx, code).product_id)[-1].terms
            terms = msgspec.structs.replace(newest, **changed)
            version = products.draft_version(tx, "ada", code, terms, self.now).version
            products.approve_terms(tx, "bob", code, version, self.now)
        return version

    def revise(
        self, code: str, apr: str | None = None, bands: Sequence[Band] = (), at: datetime | None = None
    ) -> products.RateRevised:
        """Publish a rate, flat or in bands (from, to, APR), in force from `at` on; a first rate from now on."""
        tiers = [
            products.Tier(Decimal(low), None if high is None else Decimal(high), Decimal(of_band))
            for low, high, of_band in (bands or [("0", None, str(apr))])
        ]
        with self.database.transaction() as tx:
            number = products.propose_rate(tx, "ada", code, tiers, at, self.now)
            return products.approve_rate(tx, "bob", number, self.now)

    # Customers

    def customer(
        self,
        reference: str,
        country: str | None = None,
        vip_level: int = 0,
        joined_at: datetime | None = None,
        **spot: Any,
    ) -> int:
        """Add a customer with coins in their Spot account (USDT="1000"); gives their id."""
        new = customers.NewCustomer(
            reference=reference, country=country, vip_level=vip_level, joined_at=joined_at
        )
        with self.database.transaction() as tx:
            customer_id = customers.add_customers(tx, [new], self.now)[0].unwrap().customer_id
        for code, amount in spot.items():
            self.deposit(customer_id, code, amount)
        return customer_id

    def deposit(
        self, customer_id: int, asset: str, amount: str, account: Literal["spot", "funding"] = "spot"
    ) -> customers.Moved:
        """Credit a customer with coins from outside."""
        self.asset(asset)
        command = customers.Deposit(
            customer_id=customer_id, key=self.key(), asset=asset, account=account, amount=Decimal(amount)
        )
        with self.database.transaction() as tx:
            outcome = customers.deposit(tx, [command], self.now)[0]
        return outcome.unwrap()

    # Acts on positions; each raises the refusal it gets, after it was committed and stored, as an edge does

    def key(self) -> str:
        """Make up an idempotency key that was not used before."""
        return next(self._keys)

    def subscription(self, customer_id: int, product: str, amount: str, **fields: Any) -> positions.Subscribe:
        """Word a subscription with a new key and the agreement accepted, unless the fields say otherwise."""
        worded: dict[str, Any] = {"key": self.key(), "agreement_version": self.agreement} | fields
        return positions.Subscribe(customer_id=customer_id, product=product, amount=Decimal(amount), **worded)

    def subscribe_all(
        self, commands: Sequence[positions.Subscribe]
    ) -> list[ledger.Outcome[positions.Subscribed]]:
        """Subscribe a list in one transaction; gives the outcomes."""
        with self.database.transaction() as tx:
            return positions.subscribe(tx, commands, self.now)

    def subscribe(self, customer_id: int, product: str, amount: str, **fields: Any) -> int:
        """Subscribe; gives the position's id."""
        command = self.subscription(customer_id, product, amount, **fields)
        return self.subscribe_all([command])[0].unwrap().position_id

    def preview(self, customer_id: int, product: str, amount: str, **fields: Any) -> positions.Subscribed:
        """Preview a subscription."""
        command = self.subscription(customer_id, product, amount, **fields)
        with self.database.transaction() as tx:
            outcome = positions.preview(tx, [command], self.now)[0]
        return outcome.unwrap()

    def redeem(
        self, customer_id: int, product: str, amount: str | None = None, destination: str = "funding"
    ) -> positions.Redeemed:
        """Redeem from a flexible product, all of it without an amount."""
        command = positions.Redeem(
            customer_id=customer_id,
            key=self.key(),
            product=product,
            amount=None if amount is None else Decimal(amount),
            destination=destination,
        )
        with self.database.transaction() as tx:
            outcome = positions.redeem(tx, [command], self.now)[0]
        return outcome.unwrap()

    def quote(self, customer_id: int, position_id: int) -> positions.EarlyQuote:
        """Ask what leaving a fixed-term position now would bring."""
        command = positions.AskToLeave(customer_id=customer_id, key=self.key(), position_id=position_id)
        with self.database.transaction() as tx:
            outcome = positions.ask_to_leave(tx, [command], self.now)[0]
        return outcome.unwrap()

    def confirm(self, customer_id: int, quote_id: int) -> positions.EarlyQuote:
        """Confirm a quote; gives it as it was carried out."""
        command = positions.ConfirmLeave(customer_id=customer_id, key=self.key(), quote_id=quote_id)
        with self.database.transaction() as tx:
            outcome = positions.confirm_leave(tx, [command], self.now)[0]
        return outcome.unwrap().quote

    def leave_early(self, customer_id: int, position_id: int) -> positions.EarlyQuote:
        """Ask for a quote and confirm it."""
        return self.confirm(customer_id, self.quote(customer_id, position_id).quote_id)

    def choose(
        self, customer_id: int, position_id: int, at_maturity: str, redeem_to: str = "funding"
    ) -> positions.Chosen:
        """Choose what happens at maturity."""
        command = positions.ChooseAtMaturity(
            customer_id=customer_id,
            key=self.key(),
            position_id=position_id,
            at_maturity=at_maturity,
            redeem_to=redeem_to,
        )
        with self.database.transaction() as tx:
            outcome = positions.choose_at_maturity(tx, [command], self.now)[0]
        return outcome.unwrap()

    # Rewards

    def run(self, run_on: date) -> rewards.RunReport:
        """Do the reward run of a date as the operator ada."""
        return rewards.run(self.database, run_on, "ada", self.now)

    def catch_up(self) -> list[rewards.RunReport]:
        """Do every run that is due."""
        return rewards.catch_up(self.database, "ada", self.now)

    def tick(self) -> int:
        """End what has matured, as is done between runs; gives the number of positions."""
        return rewards.mature_all(self.database, self.now)

    # Looking

    def balance(self, customer_id: int, asset: str, kind: AccountKind) -> Decimal:
        """Read one balance of a customer; without a row it is zero."""
        account = ledger.account_of(customer_id, self.assets[asset], kind)
        with self.database.transaction() as tx:
            return ledger.balances_of(tx, [account]).get(account, Decimal(0))

    def spot(self, customer_id: int, asset: str) -> Decimal:
        """Read a customer's Spot balance."""
        return self.balance(customer_id, asset, AccountKind.SPOT)

    def funding(self, customer_id: int, asset: str) -> Decimal:
        """Read a customer's Funding balance, where rewards arrive."""
        return self.balance(customer_id, asset, AccountKind.FUNDING)

    def earn(self, customer_id: int, asset: str) -> Decimal:
        """Read a customer's staked principal."""
        return self.balance(customer_id, asset, AccountKind.EARN)

    def accrued(self, customer_id: int, asset: str) -> Decimal:
        """Read what a customer has accrued and cannot spend yet."""
        return self.balance(customer_id, asset, AccountKind.ACCRUED)

    def rewards_of(self, position_id: int) -> dict[date, Decimal]:
        """Read the rewards of a position by run date."""
        found = self.rows(
            "SELECT run_on, amount FROM reward WHERE position_id = %s ORDER BY run_on", position_id
        )
        return {row.run_on: row.amount for row in found}

    def position(self, position_id: int) -> Any:
        """Read the row of a position."""
        return self.rows("SELECT * FROM position WHERE position_id = %s", position_id)[0]

    def positions_of(self, customer_id: int, product: str) -> list[Any]:
        """Read the rows of a customer's positions in a product, oldest first, ended ones too."""
        return self.rows(
            "SELECT p.* FROM position p JOIN product o USING (product_id) WHERE p.customer_id = %s AND o.code = %s"
            " ORDER BY p.started_at, p.position_id",
            customer_id,
            product,
        )

    def quota_used(self, product: str) -> Decimal:
        """Read what all customers hold of a product, as its quota row counts it."""
        found = self.rows("SELECT used FROM quota JOIN product USING (product_id) WHERE code = %s", product)
        used: Decimal = found[0].used
        return used

    def rows(self, query: str, *values: object) -> list[Any]:
        """Read rows as the application's role."""
        with self.database.transaction() as tx:
            return tx.execute(query, values).fetchall()


def halt(tx: Tx, code: str, what: products.What, reason: str | None, now: datetime) -> products.Product:
    """Pause subscribing or redeeming, or with no reason let it go on: ada asks, bob approves."""
    return products.approve_halt(tx, "bob", products.ask_halt(tx, "ada", code, what, reason, now), now)


def release(tx: Tx, run_on: date, now: datetime, by: str = "bob") -> rewards.RunReport:
    """Let a held run be executed: ada asks, bob approves."""
    return rewards.approve_release(tx, by, rewards.ask_release(tx, "ada", run_on, now), now)


def assert_audited(database: Database) -> None:
    """The product's own audit finds nothing wrong, from the rows alone."""
    wrong = [finding for finding in audit(database) if not finding.is_information]
    assert wrong == []


def assert_books_hold(tx: Tx) -> None:
    """Every cell adds up to zero, Earn holds exactly the principals, every quota counts exactly what is held."""
    unbalanced = tx.execute(
        "SELECT cell, account_asset(account_id), sum(amount) FROM balance GROUP BY 1, 2 HAVING sum(amount) <> 0"
    ).fetchall()
    assert unbalanced == []
    earn = tx.execute(
        """SELECT coalesce(b.customer_id, p.customer_id) AS customer_id, b.amount AS earn, p.amount AS principal
             FROM (SELECT account_customer(account_id) AS customer_id, account_asset(account_id) AS asset_id, amount
                     FROM balance WHERE account_kind(account_id) = 3) b
             FULL JOIN (SELECT customer_id, account_asset(reward_account) AS asset_id, sum(principal) AS amount
                          FROM position GROUP BY 1, 2) p
               ON p.customer_id = b.customer_id AND p.asset_id = b.asset_id
            WHERE coalesce(b.amount, 0) <> coalesce(p.amount, 0)"""
    ).fetchall()
    assert earn == []
    quotas = tx.execute(
        """SELECT q.product_id, q.used FROM quota q
            WHERE q.used <> (SELECT coalesce(sum(p.principal), 0) FROM position p WHERE p.product_id = q.product_id)"""
    ).fetchall()
    assert quotas == []
