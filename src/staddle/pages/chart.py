"""Series for the charts: instants and decimals as text; the browser only turns them into pixels."""

import json
from collections.abc import Sequence

from staddle.document import percent
from staddle.pages.page import Visit
from staddle.products import RateShown


def rate_series(visit: Visit, rates: Sequence[RateShown]) -> str:
    """Give the history of a headline rate in percent, oldest first, up to now."""
    begun = [rate for rate in reversed(rates) if rate.effective_at <= visit.now]
    instants = [int(rate.effective_at.timestamp()) for rate in begun]
    percents = [percent(rate.headline_apr) for rate in begun]
    if begun:
        instants.append(int(visit.now.timestamp()))
        percents.append(percents[-1])
    return series_of(instants, percents, visit.say("Headline APR"), "%")


def series_of(instants: Sequence[int], values: Sequence[str], label: str, unit: str) -> str:
    """Write a series as the page carries it."""
    return json.dumps(
        {
            "t": list(instants),
            "v": list(values),
            "label": label,
            "unit": unit,
        }
    )
