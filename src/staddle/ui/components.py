"""Small drawings of ours as inline SVG: the mark of a coin, icons, the ring of progress."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from hashlib import sha256

from markupsafe import Markup, escape

from staddle.ui.formats import safe

HUES = 8
ICONS = {
    "earn": "M4 20h16M6 20V9l6-5 6 5v11M10 20v-6h4v6",
    "assets": "M3 7h18v12H3zM3 11h18M16 15h2",
    "positions": "M4 19V5M4 19h16M8 15l4-5 3 3 5-7",
    "history": "M12 7v5l3 2M4 12a8 8 0 1 0 2.3-5.6M4 4v4h4",
    "messages": "M4 5h16v11H9l-5 4z",
    "settings": "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1"
    "M16.3 16.3l2.1 2.1M5.6 18.4l2.1-2.1M16.3 7.7l2.1-2.1",
    "search": "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM20 20l-4.6-4.6",
    "close": "M6 6l12 12M18 6L6 18",
    "check": "M5 13l4 4L19 7",
    "warn": "M12 4l9 16H3zM12 10v4M12 17v.5",
    "info": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v5M12 8v.5",
    "lock": "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
    "swap": "M7 4L3 8l4 4M3 8h14M17 12l4 4-4 4M21 16H7",
    "receipt": "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
    "download": "M12 4v11M7 11l5 5 5-5M5 20h14",
    "next": "M9 5l7 7-7 7",
    "back": "M15 5l-7 7 7 7",
    "user": "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21c0-4 4-6 8-6s8 2 8 6",
    "key": "M14 10a4 4 0 1 0-3.5 4L13 16.5V19h3v2h4v-3.5l-6-6z",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l4 2",
}
"""The paths of the icons on a field of 24 by 24."""
TURNED = frozenset({"back", "next"})
"""Icons that point along the line of writing: they are turned where that runs from right to left."""


@cache
def icon(name: str) -> Markup:
    """Draw an icon; it is decoration, what it means stands beside it or in a label."""
    turns = " turns" if name in TURNED else ""
    return safe(
        f'<svg class="icon{turns}" viewBox="0 0 24 24" aria-hidden="true"><path d="{ICONS[name]}"/></svg>'
    )


@lru_cache(maxsize=1_000)
def asset_mark(code: str) -> Markup:
    """Draw the mark of a coin: its first letters in a disc whose colour is the coin's own."""
    hue = sha256(code.encode()).digest()[0] % HUES
    letters = code[:3] if len(code) <= 4 else code[:2]
    return safe(
        f'<svg class="mark hue-{hue}" viewBox="0 0 40 40" aria-hidden="true"><circle cx="20" cy="20" r="20"/>'
        f'<text x="20" y="20" dy="0.36em" text-anchor="middle" class="mark-{len(letters)}">{escape(letters)}</text>'
        "</svg>"
    )


def ring(done: int, of: int) -> Markup:
    """Draw a ring of which `done` of `of` is filled; the words beside it say the same."""
    return Markup(
        '<svg class="ring" viewBox="0 0 36 36" aria-hidden="true"><circle class="ring-of" cx="18" cy="18" r="15.5"/>'
        '<circle class="ring-done" cx="18" cy="18" r="15.5" pathLength="100" stroke-dasharray="{} 100"/></svg>'
    ).format(_tenths(done, of))


def _tenths(done: int, of: int) -> str:
    """Write done / of in percent with one decimal, cut."""
    tenths = min(1000, done * 1000 // of) if of else 0
    return f"{tenths // 10}.{tenths % 10}"


def spark(steps: Sequence[tuple[datetime, Decimal]], since: datetime, until: datetime) -> Markup:
    """Draw how a figure went between two instants as a small line of steps; the figure itself stands beside it."""
    begun = [value for at, value in steps if at <= since]
    points = [(since, begun[-1])] if begun else []
    points += [(at, value) for at, value in steps if since < at <= until]
    if not points:
        return Markup("")
    high, whole = max(value for _, value in points), (until - since) or timedelta(seconds=1)
    across = [int(100 * (at - since) / whole) for at, _ in points] + [100]
    up = [26 - (int(22 * value // high) if high else 0) for _, value in points]
    path = f"M{across[0]} {up[0]}" + "".join(
        f"H{across[n + 1]}" + (f"V{up[n + 1]}" if n + 1 < len(up) else "") for n in range(len(up))
    )
    return safe(
        '<svg class="spark" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">'
        f'<path d="{path}"/></svg>'
    )


COMPONENTS = {"spark": spark, "icon": icon, "asset_mark": asset_mark, "ring": ring}
"""What templates may call."""
