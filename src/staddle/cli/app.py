"""The tree of commands on one screen: what `staddle --help` lists, in its panels, and the file that has each command.

A command's file is loaded when the command is called, so that help comes at once.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from staddle import __version__

DESK, PRODUCTS, CUSTOMERS, STAKING, REWARDS, TREASURY, PROOF, SANDBOX = (
    "Desk",
    "Products and rates",
    "Customers and money",
    "Staking",
    "Rewards",
    "Treasury",
    "Proof",
    "Sandbox",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A command or a group of the first level."""

    name: str
    panel: str
    file: str
    sentence: str
    is_group: bool = False


ENTRIES = (
    Entry("desk", DESK, "desk", "Set up the desk, its limits and its log.", True),
    Entry("operators", DESK, "desk", "The people who work the desk.", True),
    Entry("serve", DESK, "serve", "Serve the pages, the console and the API until stopped."),
    Entry("backup", DESK, "backup", "Write all of the database into a file."),
    Entry("restore", DESK, "backup", "Make a database out of a backup, and audit it."),
    Entry("reseal", DESK, "reseal", "Seal all secrets by the newest key."),
    Entry("settings", DESK, "settings", "What is in force, secrets hidden."),
    Entry("approvals", DESK, "approvals", "What waits for a second person.", True),
    Entry("worker", DESK, "worker", "Keep the schedule until stopped; start several, one of them leads."),
    Entry("alarms", DESK, "alarms", "What somebody must look at.", True),
    Entry("logins", DESK, "logins", "Who may sign in; from which amount they must prove it again.", True),
    Entry("keys", DESK, "keys", "API keys of customers.", True),
    Entry("clients", DESK, "keys", "Integrators' back ends.", True),
    Entry("webhooks", DESK, "webhooks", "Where integrators are told what happens; sending it again.", True),
    Entry("assets", PRODUCTS, "rates", "The coins.", True),
    Entry(
        "products", PRODUCTS, "products", "What can be subscribed to: drafts, approval, halts, the end.", True
    ),
    Entry("rates", PRODUCTS, "rates", "Rates: propose, approve, history; and where they are read.", True),
    Entry("prices", PRODUCTS, "prices", "What coins are worth, only to be shown.", True),
    Entry("customers", CUSTOMERS, "customers", "Who subscribes; from a file, too.", True),
    Entry("agreements", CUSTOMERS, "customers", "The staking service agreement, in versions.", True),
    Entry("deposits", CUSTOMERS, "customers", "Deposits from a file.", True),
    Entry("deposit", CUSTOMERS, "accounts", "Credit a customer with coins that custody has received."),
    Entry("withdraw", CUSTOMERS, "accounts", "Debit a customer with coins that leave custody."),
    Entry("transfer", CUSTOMERS, "accounts", "Move coins between Spot and Funding."),
    Entry(
        "balances",
        CUSTOMERS,
        "accounts",
        "Spot, Funding, Earn, accrued, total and lifetime rewards of each coin.",
    ),
    Entry("preview", STAKING, "staking", "What subscribing would bring; nothing is written."),
    Entry("subscribe", STAKING, "staking", "Stake an amount."),
    Entry("positions", STAKING, "staking", "A customer's positions, newest first."),
    Entry("position", STAKING, "staking", "One position in full, with every reward."),
    Entry("redeem", STAKING, "staking", "Take principal back from a flexible product."),
    Entry("quote", STAKING, "leaving", "What leaving a fixed-term position now would bring."),
    Entry("leave", STAKING, "leaving", "Leave a fixed-term position early: shows the cost, asks, does it."),
    Entry("choose", STAKING, "choosing", "Choose what happens at maturity."),
    Entry("auto-subscribe", STAKING, "choosing", "Put idle coins into a flexible product every day.", True),
    Entry("guard", STAKING, "choosing", "Redeem, or stop, when a rate falls too low.", True),
    Entry("rewards", REWARDS, "rewards", "The daily run: plan, run, release, report, catch up.", True),
    Entry(
        "tasks", REWARDS, "tasks", "Work that is asked for and done by the worker: runs, audits, plans.", True
    ),
    Entry("tick", REWARDS, "rewards", "Do all that is due now."),
    Entry("receipt", REWARDS, "statements", "Everything to recompute a reward with a pencil."),
    Entry("verify-receipt", REWARDS, "statements", "Recompute a receipt."),
    Entry("statement", REWARDS, "statements", "All that happened to a customer's coins, as CSV."),
    Entry("treasury", TREASURY, "treasury", "The desk's own money: reward pools, runway, maturities.", True),
    Entry("ledger", PROOF, "ledger", "The books: transfers, accounts, closed days, the trial balance.", True),
    Entry("search", PROOF, "ledger", "Find a customer, position, transfer, product or day."),
    Entry("audit", PROOF, "proof", "Prove the whole ledger again."),
    Entry("seal", PROOF, "proof", "Chain by hash what is new in the books."),
    Entry("errors", PROOF, "proof", "Every error that a command can answer with.", True),
    Entry("clock", SANDBOX, "sandbox", "The sandbox's clock.", True),
    Entry("demo", SANDBOX, "demo", "A desk that lives through 90 days, and is audited."),
)
_BY_NAME = {entry.name: entry for entry in ENTRIES}

app = typer.Typer(
    name="staddle", add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False
)


def _say_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"staddle {__version__}")
        raise typer.Exit


@app.callback()
def _beside_commands(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is."),
    ] = False,
) -> None:
    """Declare what the program takes beside a command."""


def _group(name: str) -> typer.Typer:
    group = typer.Typer(name=name, help=_BY_NAME[name].sentence, rich_markup_mode="rich")
    app.add_typer(group)
    return group


desk = _group("desk")
operators = _group("operators")
approvals = _group("approvals")
logins = _group("logins")
keys = _group("keys")
clients = _group("clients")
webhooks = _group("webhooks")
assets = _group("assets")
products = _group("products")
rates = _group("rates")
rate_sources = typer.Typer(
    name="sources", help="Where rates are read, and within what bounds.", rich_markup_mode="rich"
)
rates.add_typer(rate_sources)
prices = _group("prices")
alarms = _group("alarms")
customers = _group("customers")
agreements = _group("agreements")
deposits = _group("deposits")
auto = _group("auto-subscribe")
guard = _group("guard")
rewards = _group("rewards")
tasks = _group("tasks")
treasury = _group("treasury")
ledger = _group("ledger")
errors = _group("errors")
clock = _group("clock")


class Tree(TyperGroup):
    """The first level: lists the entries above, and loads a command's file when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Name the commands in the order of their panels."""
        return [entry.name for entry in ENTRIES]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Give a command's entry for the help text."""
        entry = _BY_NAME.get(cmd_name)
        if entry is None:
            return None
        return TyperCommand(name=entry.name, help=entry.sentence, rich_help_panel=entry.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Give the command itself."""
        entry = _BY_NAME.get(args[0])
        if entry is None:
            return super().resolve_command(ctx, args)
        return args[0], load(entry), args[1:]


def load(entry: Entry) -> Any:
    """Load the file of a command and give the command."""
    importlib.import_module(f"staddle.cli.{entry.file}")
    return typer.main.get_group(app).commands[entry.name]


def is_bare_group(arguments: Sequence[str]) -> bool:
    """Say whether nothing but a group was named: then its help is wanted."""
    return not arguments or (
        len(arguments) == 1 and arguments[0] in _BY_NAME and _BY_NAME[arguments[0]].is_group
    )


tree = Tree(
    name="staddle",
    params=typer.main.get_group(app).params,
    help="The Earn desk of an exchange: flexible and fixed staking, daily rewards, books that prove themselves.\n\n"
    "Begin with [bold]staddle demo[/]: a sandbox desk that lives through 90 days.",
    epilog="Every command has --json. Exit codes: 0 done, 2 wrong input, 3 no such thing, 4 refused by a rule, "
    "75 try again later, 70 a mistake of ours; audit: 1 something is wrong.",
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
