"""What customers want at one moment of a day: commands, some of which a rule will refuse."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_DOWN, Context, Decimal
from random import Random

from staddle.customers import Deposit, TransferBetween, Withdraw
from staddle.db import Tx
from staddle.demo.catalogue import SALES, Sale
from staddle.ledger import AccountKind, all_assets, asset_id_of, balances_of_customer, kind_of
from staddle.money import ZERO
from staddle.positions import AskToLeave, ChooseAtMaturity, Redeem, ShownPosition, Subscribe, positions_of

CUT = Context(prec=60, rounding=ROUND_DOWN)


@dataclass(slots=True)
class Wishes:
    """The commands of one moment, act by act."""

    subscribe: list[Subscribe] = field(default_factory=list)
    redeem: list[Redeem] = field(default_factory=list)
    ask_to_leave: list[AskToLeave] = field(default_factory=list)
    choose: list[ChooseAtMaturity] = field(default_factory=list)
    transfer: list[TransferBetween] = field(default_factory=list)
    deposit: list[Deposit] = field(default_factory=list)
    withdraw: list[Withdraw] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a customer has: Spot and Funding by coin, and open positions."""

    customer_id: int
    spot: dict[str, Decimal]
    funding: dict[str, Decimal]
    positions: list[ShownPosition]


def look(tx: Tx, customer_id: int, now: datetime) -> Wallet:
    """See what a customer sees before deciding."""
    assets = all_assets(tx)
    spot: dict[str, Decimal] = {}
    funding: dict[str, Decimal] = {}
    for account, amount in balances_of_customer(tx, customer_id).items():
        held = {AccountKind.SPOT: spot, AccountKind.FUNDING: funding}.get(kind_of(account))
        if held is not None and amount > 0:
            held[assets[asset_id_of(account)].code] = amount
    return Wallet(customer_id, spot, funding, positions_of(tx, customer_id, now))


def decide(tx: Tx, chance: Random, customer_ids: Sequence[int], moment: str, now: datetime) -> Wishes:
    """Let some customers decide what they want; `moment` makes their keys."""
    wishes = Wishes()
    for customer_id in customer_ids:
        wallet = look(tx, customer_id, now)
        wants = chance.choices(WANTS, [weight for _, weight in WEIGHTS])[0]
        wants(wishes, chance, wallet, moment)
    return wishes


def want_to_subscribe(wishes: Wishes, chance: Random, wallet: Wallet, moment: str) -> None:
    """Stake a part of what is there; one in twelve asks for what a rule refuses."""
    sales = [sale for sale in SALES if sale.asset in wallet.spot]
    if not sales:
        return
    sale = chance.choice(sales)
    step = Decimal(sale.amount_min) / 10
    amount = whole_steps(part_of(chance, wallet.spot[sale.asset]), step)
    agreement: int | None = 1
    if chance.randrange(12) == 0:
        mistake = chance.randrange(4)
        amount = (amount * 50, step, amount + step / 10, amount)[mistake]
        agreement = None if mistake == 3 else 1
    elif amount < Decimal(sale.amount_min):
        amount = Decimal(sale.amount_min)
    wishes.subscribe.append(
        Subscribe(
            customer_id=wallet.customer_id,
            key=f"{moment} subscribe",
            product=sale.code,
            amount=min(amount, limit_of(sale)),
            agreement_version=agreement,
            accepted_from="demo",
        )
    )


def limit_of(sale: Sale) -> Decimal:
    """What customers know about a product's largest amount."""
    largest: Decimal = sale.terms.get("amount_max") or sale.terms.get("personal_cap") or Decimal(10_000_000)
    return largest


def want_to_redeem(wishes: Wishes, chance: Random, wallet: Wallet, moment: str) -> None:
    """Take all or a part back from a flexible product."""
    flexible = [position for position in wallet.positions if position.kind == "flexible"]
    if not flexible:
        return
    position = chance.choice(flexible)
    amount = (
        None
        if chance.randrange(3) == 0
        else whole_steps(part_of(chance, position.principal), Decimal("0.01"))
    )
    if amount is not None and chance.randrange(15) == 0:
        amount *= 40
    wishes.redeem.append(
        Redeem(
            customer_id=wallet.customer_id,
            key=f"{moment} redeem",
            product=position.product,
            amount=None if amount is None or amount == 0 else amount,
            destination=chance.choice(("spot", "spot", "funding")),
        )
    )


def want_to_leave(wishes: Wishes, chance: Random, wallet: Wallet, moment: str) -> None:
    """Ask what leaving a fixed term early would cost."""
    fixed = [position for position in wallet.positions if position.kind == "fixed"]
    if fixed:
        position_id = chance.choice(fixed).position_id
        ask = AskToLeave(customer_id=wallet.customer_id, key=f"{moment} ask", position_id=position_id)
        wishes.ask_to_leave.append(ask)


def want_to_choose(wishes: Wishes, chance: Random, wallet: Wallet, moment: str) -> None:
    """Choose what happens at maturity."""
    fixed = [position for position in wallet.positions if position.kind == "fixed"]
    if fixed:
        wishes.choose.append(
            ChooseAtMaturity(
                customer_id=wallet.customer_id,
                key=f"{moment} choose",
                position_id=chance.choice(fixed).position_id,
                at_maturity=chance.choice(("redeem", "renew", "to_flexible")),
                redeem_to=chance.choice(("spot", "funding")),
            )
        )


def want_to_transfer(wishes: Wishes, chance: Random, wallet: Wallet, moment: str) -> None:
    """Bring rewards and redeemed coins from Funding to Spot; now and then too much."""
    if wallet.funding:
        asset = chance.choice(sorted(wallet.funding))
        amount = wallet.funding[asset] * chance.choice((1, 1, 1, 1, 1, 1, 2))
        wishes.transfer.append(
            TransferBetween(
                customer_id=wallet.customer_id,
                key=f"{moment} transfer",
                asset=asset,
                source="funding",
                destination="spot",
                amount=amount,
            )
        )


def want_to_deposit(
    wishes: Wishes,
    chance: Random,  # noqa: ARG001
    wallet: Wallet,
    moment: str,
) -> None:
    """Bring a quarter more of a coin."""
    for asset in sorted(wallet.spot)[:1]:
        amount = whole_steps(wallet.spot[asset] / 4, Decimal("0.0001"))
        if amount > 0:
            wishes.deposit.append(
                Deposit(
                    customer_id=wallet.customer_id,
                    key=f"{moment} deposit",
                    asset=asset,
                    account="spot",
                    amount=amount,
                )
            )


def want_to_withdraw(wishes: Wishes, chance: Random, wallet: Wallet, moment: str) -> None:
    """Take some coins away."""
    for asset in sorted(wallet.spot)[-1:]:
        amount = whole_steps(part_of(chance, wallet.spot[asset]) / 2, Decimal("0.01"))
        if amount > 0:
            wishes.withdraw.append(
                Withdraw(
                    customer_id=wallet.customer_id,
                    key=f"{moment} withdraw",
                    asset=asset,
                    account="spot",
                    amount=amount,
                )
            )


def part_of(chance: Random, amount: Decimal) -> Decimal:
    """A few to sixty percent of an amount."""
    return amount * Decimal(chance.randrange(3, 60)).scaleb(-2)


def whole_steps(amount: Decimal, step: Decimal) -> Decimal:
    """Cut an amount down to whole steps."""
    return CUT.multiply(CUT.divide_int(max(amount, ZERO), step), step)


WEIGHTS = (
    (want_to_subscribe, 58),
    (want_to_redeem, 14),
    (want_to_leave, 7),
    (want_to_choose, 5),
    (want_to_transfer, 10),
    (want_to_deposit, 3),
    (want_to_withdraw, 3),
)
WANTS = [wants for wants, _ in WEIGHTS]
