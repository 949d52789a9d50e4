"""Six clients, unmodified and as their registries give them, live a whole life on the running service at once."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.api.world import Service
from tests.binance.installed import HERE, node, npm_clients, python_clients
from tests.binance.world import hmac_key, passes
from tests.living import assert_audited

PYTHON = {
    "official": "python",
    "python_binance": "python",
    "ccxt_implicit": "python",
    "connector": "connector",
}
NPM = ("binance", "connector")
CLIENTS = [*PYTHON, *(f"npm {name}" for name in NPM)]
WITHIN_SECONDS = 120


def begin(service: Service, name: str) -> "subprocess.Popen[str]":
    """Start a client's program for a customer of its own, with 1000 USDT and 1 BTC in Spot and 500 USDT in Funding."""
    customer_id = service.living.customer(name, USDT="1000", BTC="1")
    service.living.deposit(customer_id, "USDT", "500", "funding")
    key = hmac_key(service.database, name)
    environ = {"ADDRESS": service.url, "API_KEY": key.api_key_id, "API_SECRET": str(key.secret)}
    if name.startswith("npm "):
        command, folder = [node(), f"{name.removeprefix('npm ')}.js"], npm_clients()
    else:
        command, folder = [sys.executable, "-W", "ignore", str(HERE / "clients" / f"{name}.py")], HERE
        environ["PYTHONPATH"] = str(python_clients(PYTHON[name]))
    return subprocess.Popen(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def lives(service: Service) -> dict[str, str]:
    """What each program said at last: `done`, or what it met instead."""
    for folder in ("python", "connector"):
        python_clients(folder)
    npm_clients()
    programs = {name: begin(service, name) for name in CLIENTS}
    said: dict[str, str] = {}
    try:
        for name, program in programs.items():
            assert program.stdout is not None
            said[name] = program.stdout.readline().strip()
        passes(service, days=2)
        for name, program in programs.items():
            if said[name] == "two days":
                out, errors = program.communicate("\n", WITHIN_SECONDS)
                said[name] = out.strip() if program.returncode == 0 else errors
            else:
                said[name] = program.communicate(timeout=WITHIN_SECONDS)[1]
    finally:
        for program in programs.values():
            program.kill()
    return said


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_lives_a_whole_life(lives: dict[str, str], service: Service, name: str) -> None:
    assert lives[name] == "done", lives[name]
    living, customer_id = service.living, service.customer_id(name)
    assert living.earn(customer_id, "USDT") == living.earn(customer_id, "BTC") == 0
    rewards = living.rows(
        "SELECT coalesce(sum(r.amount), 0) - coalesce(sum(f.amount), 0) AS amount FROM reward r"
        " LEFT JOIN forfeited_reward f USING (cell, position_id, run_on)"
        " WHERE account_customer(r.credit_account) = %s AND account_asset(r.credit_account) = %s",
        customer_id,
        living.assets["USDT"].asset_id,
    )[0].amount
    rest = living.accrued(customer_id, "USDT")
    total = living.spot(customer_id, "USDT") + living.funding(customer_id, "USDT")
    assert rest == 0
    assert total == Decimal(1500) + rewards


def test_the_books_hold_after_all_of_them(lives: dict[str, str], service: Service) -> None:
    assert_audited(service.database)


def test_no_client_is_changed() -> None:
    """What is installed is what the lock files name, by hash; our programs only set the address and the key."""
    for path in (Path(HERE / "clients" / "python.lock"), Path(HERE / "clients" / "connector.lock")):
        assert "--hash=sha256:" in path.read_text()
    assert '"integrity": "sha512-' in (HERE / "npm" / "package-lock.json").read_text()
