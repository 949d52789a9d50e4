"""What the demo desk has on sale, who works it, and whom it serves."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

D = Decimal
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
OPENS_LATER = START + timedelta(days=100)
OPERATORS = ("alice", "bob", "carol")
ASSETS = (
    ("BTC", "Bitcoin", 8),
    ("ETH", "Ether", 8),
    ("SOL", "Solana", 8),
    ("USDT", "Tether USD", 6),
    ("USDD", "Decentralised USD", 6),
    ("BDX", "Beldex", 8),
)
POOLS = {"BTC": D(2), "ETH": D(15), "SOL": D(300), "USDT": D(60_000), "USDD": D(9_000), "BDX": D(70_000)}
LARGEST = {"BTC": 3, "ETH": 40, "SOL": 900, "USDT": 60_000, "USDD": 20_000, "BDX": 90_000}
"""The most whole coins that a customer brings."""
PRICES = {
    "BTC": D(65_000),
    "ETH": D(3_400),
    "SOL": D(150),
    "USDT": D(1),
    "USDD": D("0.998"),
    "BDX": D("0.081"),
}
"""What the coins are worth in USD; all but the two dollars go a little up and down."""
STEADY = ("USDT", "USDD")
COUNTRIES = ("DE", "FR", "NL", "GB", "JP", "BR", "IN", "NG", "US", "CA")
FIRST_NAMES = (
    "ada", "ben", "cleo", "dina", "emil", "fatou", "gita", "hugo", "ines", "jun",
    "kofi", "lena", "mira", "nils", "olga", "pia", "quin", "rosa", "sami", "tess",
)  # fmt: skip
AGREEMENT = """You stake coins; we pay you rewards every day, in the same coin.
Rates may change where the product says so. Rewards are estimated, not guaranteed.
Flexible products can be redeemed at any time. Leaving a fixed term early costs what its quote says."""

Bands = tuple[tuple[str, str | None, str], ...]


@dataclass(frozen=True, slots=True)
class Sale:
    """A product on sale: its rate in bands of (from, to, APR), and its terms beyond minimum and step."""

    code: str
    asset: str
    name: str
    bands: Bands
    amount_min: str
    term_days: int | None = None
    terms: dict[str, Any] = field(default_factory=dict)


def flat(apr: str) -> Bands:
    """One APR for every amount."""
    return (("0", None, apr),)


SALES = (
    Sale("BTC-FLEX", "BTC", "Bitcoin Flexible",
         (("0", "0.1", "0.03"), ("0.1", "1", "0.012"), ("1", None, "0.005")), "0.001"),
    Sale("ETH-FLEX", "ETH", "Ether Flexible", (("0", "1", "0.04"), ("1", None, "0.018")), "0.01"),
    Sale("SOL-FLEX", "SOL", "Solana Flexible", flat("0.055"), "0.1"),
    Sale("USDT-FLEX", "USDT", "Tether Flexible",
         (("0", "500", "0.12"), ("500", "5000", "0.03"), ("5000", None, "0.01")), "1"),
    Sale("USDD-FLEX", "USDD", "USDD Flexible", flat("0.06"), "1"),
    Sale("BDX-FLEX", "BDX", "Beldex Flexible", flat("0.09"), "10"),
    Sale("BTC-30D", "BTC", "Bitcoin 30 days", flat("0.025"), "0.001", 30),
    Sale("BTC-120D", "BTC", "Bitcoin 120 days", flat("0.042"), "0.001", 120,
         {"early_redemption": "keep_fraction", "kept_fraction": D("0.5")}),
    Sale("BTC-VIP-60D", "BTC", "Bitcoin 60 days for VIP 3 and above", flat("0.06"), "0.1", 60, {"vip_level_min": 3}),
    Sale("ETH-7D", "ETH", "Ether 7 days, again and again", flat("0.03"), "0.01", 7, {"at_maturity": "renew"}),
    Sale("ETH-60D", "ETH", "Ether 60 days, paid at the end", flat("0.045"), "0.01", 60, {"payout": "at_maturity"}),
    Sale("SOL-14D", "SOL", "Solana 14 days, then flexible", flat("0.06"), "0.1", 14,
         {"at_maturity": "to_flexible", "flexible_product": "SOL-FLEX"}),
    Sale("SOL-60D", "SOL", "Solana 60 days", flat("0.075"), "0.1", 60,
         {"early_redemption": "reduced_apr", "reduced_apr": D("0.02"), "reduced_apr_days_min": 10}),
    Sale("SOL-120D", "SOL", "Solana 120 days, opening later", flat("0.09"), "0.1", 120, {"opens_at": OPENS_LATER}),
    Sale("USDT-WELCOME", "USDT", "Three days for new customers", flat("5"), "10", 3,
         {"amount_max": D(300), "personal_cap": D(300), "new_customer_days": 14}),
    Sale("USDT-7D", "USDT", "Tether 7 days", flat("0.05"), "1", 7, {"flexible_product": "USDT-FLEX"}),
    Sale("USDT-30D", "USDT", "Tether 30 days", flat("0.08"), "1", 30, {"flexible_product": "USDT-FLEX"}),
    Sale("USDT-60D", "USDT", "Tether 60 days, paid at the end", flat("0.09"), "1", 60, {"payout": "at_maturity"}),
    Sale("USDT-90D", "USDT", "Tether 90 days", flat("0.1"), "1", 90,
         {"early_redemption": "keep_fraction", "kept_fraction": D("0.05")}),
    Sale("USDT-120D", "USDT", "Tether 120 days, to the end", flat("0.11"), "1", 120,
         {"early_redemption": "not_allowed"}),
    Sale("USDD-30D", "USDD", "USDD 30 days, floating", flat("0.07"), "1", 30, {"rate_policy": "floating"}),
    Sale("BDX-90D", "BDX", "Beldex 90 days, a small edition", flat("0.15"), "100", 90,
         {"quota": D(60_000), "personal_cap": D(5_000), "countries_excluded": ("US",)}),
)  # fmt: skip
