"""What clients ask before anything else, without a key: are you there, what time is it, what is traded."""

from datetime import datetime

from staddle.binance.asked import milliseconds
from staddle.binance.endpoint import Document, tells


@tells("/api/v3/ping", weight=1)
def ping(now: datetime) -> Document:  # noqa: ARG001
    """Say that the service is there."""
    return {}


@tells("/api/v3/time", weight=1)
def server_time(now: datetime) -> Document:
    """Say what time it is: by the machine's clock, which signed requests are held against."""
    return {"serverTime": milliseconds(now)}


@tells("/api/v3/exchangeInfo", weight=20)
def exchange_info(now: datetime) -> Document:
    """Say that nothing is traded here."""
    return {
        "timezone": "UTC",
        "serverTime": milliseconds(now),
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6_000}
        ],
        "exchangeFilters": [],
        "symbols": [],
    }
