"""A shell at a fresh database, and one at a copy of a desk that commands alone have set up."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.shell import Shell, environment

from staddle.db import Database, Server

_numbers = itertools.count(1)


@pytest.fixture
def shell(database: Database) -> Iterator[Shell]:
    """A shell at an empty database."""
    with environment(database.dsn):
        yield Shell()


@pytest.fixture(scope="session")
def desk_template(
    server: Server, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Shell]]:
    """A desk with ada and bob, BTC and USDT, a flexible and a fixed product, and ann with 20,000 USDT."""
    name = f"cli_desk_{os.getpid()}"
    server.drop(name)
    server.create(name, template)
    with environment(server.dsn_of(name)):
        shell = Shell()
        set_up(shell, tmp_path_factory.mktemp("desk"))
        shell.done("deposit", "ann", "USDT", "20000", "--key", "opening")
    yield name, shell
    server.drop(name)


@pytest.fixture
def desk(server: Server, desk_template: tuple[str, Shell]) -> Iterator[Shell]:
    """A shell at a copy of that desk."""
    template, first = desk_template
    name = f"cli_{os.getpid()}_{next(_numbers)}"
    server.drop(name)
    server.create(name, template)
    with environment(server.dsn_of(name)):
        yield Shell(name, set(first.seen))
    server.drop(name)


def set_up(shell: Shell, tmp_path: Path) -> None:
    """Set a sandbox desk up by commands alone."""
    shell.done("desk", "create", "Test desk", "--sandbox", "--at", "2026-01-10T15:30:00Z")
    shell.done("operators", "add", "ada")
    roles = [word for role in ("support", "product", "treasury") for word in ("--role", role)]
    shell.done("operators", "add", "bob", *roles, "--as", "ada")
    shell.done("assets", "add", "BTC", "Bitcoin", "--as", "ada")
    shell.done("assets", "add", "USDT", "Tether", "--scale", "6", "--as", "ada")
    text = tmp_path / "agreement.txt"
    text.write_text("You stake. We pay.")
    shell.done("agreements", "publish", "Agreement", "--file", str(text), "--as", "ada")
    flexible = [
        "--asset",
        "USDT",
        "--kind",
        "flexible",
        "--name",
        "Flexible",
        "--amount-min",
        "1",
        "--step",
        "0.01",
    ]
    shell.done("products", "draft", "FLEX", *flexible, "--quota", "100000", "--as", "ada")
    terms = tmp_path / "terms.json"
    terms.write_text(
        '{"amount_min": "1", "step": 0.01, "term_days": 30, "flexible_product": "FLEX", "opens_at": "2026-01-01"}'
    )
    fixed = ["--asset", "USDT", "--kind", "fixed", "--name", "30 days", "--terms", str(terms)]
    shell.done("products", "draft", "FIXED", *fixed, "--as", "ada")
    for code in ("FLEX", "FIXED"):
        shell.done("products", "approve", code, "--as", "bob")
    tiers = ["--tier", "0:500:0.12", "--tier", "500:5000:0.008", "--tier", "5000::0.003"]
    first = shell.done("rates", "propose", "FLEX", *tiers, "--as", "ada")["approval_id"]
    second = shell.done("rates", "propose", "FIXED", "--apr", "0.08", "--as", "ada")["approval_id"]
    for number in (first, second):
        shell.done("rates", "approve", number, "--as", "bob")
    fund = shell.done("treasury", "fund", "USDT", "1000", "--as", "ada")["approval_id"]
    shell.done("treasury", "approve", fund, "--as", "bob")
    shell.done("customers", "add", "ann", "--name", "Ann", "--country", "DE")
