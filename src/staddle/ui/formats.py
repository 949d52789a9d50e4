"""How figures and instants are shown: by locale, and never rounded. An amount is shown to its last digit."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

from babel import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import get_decimal_symbol, get_group_symbol
from markupsafe import Markup, escape

from staddle.money import EXACT, plain
from staddle.ui.look import Look

_HUNDRED = Decimal(100)
DECIMALS_MIN = 2
"""So many decimals are shown at the least, that columns of amounts are calm."""


@dataclass(frozen=True)
class Formats:
    """Formats for one look at one instant. Everything it gives is safe to put into HTML."""

    look: Look
    now: datetime

    def number(self, value: Decimal | int, least: int = 0, most: int | None = None) -> str:
        """Write a figure with grouped digits, all of its decimals and at least `least`; `most` cuts what is only a
        reckoned figure, towards zero. No amount is ever cut.
        """
        whole, _, decimals = plain(Decimal(value)).partition(".")
        decimals = decimals.rstrip("0") if most is None else decimals[:most].rstrip("0")
        decimals = decimals.ljust(least, "0")
        group, point = signs_of(self.look.language)
        sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
        first = len(digits) % 3 or 3
        grouped = group.join([digits[:first], *(digits[i : i + 3] for i in range(first, len(digits), 3))])
        return sign + grouped + (point + decimals if decimals else "")

    def amount(self, value: Decimal, asset: str, scale: int | None = None) -> Markup:
        """Show an amount to its last digit with its coin behind it; digits run left to right in every language."""
        least = DECIMALS_MIN if scale is None else min(scale, DECIMALS_MIN)
        return safe(
            f'<span class="amount"><bdi dir="ltr">{self.number(value, least)}</bdi> '
            f'<span class="unit">{escape(asset)}</span></span>'
        )

    def figure(self, value: Decimal, scale: int | None = None) -> Markup:
        """Show an amount whose coin is said elsewhere, such as in the head of its column."""
        least = DECIMALS_MIN if scale is None else min(scale, DECIMALS_MIN)
        return safe(f'<span class="amount"><bdi dir="ltr">{self.number(value, least)}</bdi></span>')

    def apr(self, fraction: Decimal, most: int = 4) -> Markup:
        """Show an annual rate, a fraction, in percent; a blended one is cut to `most` decimals."""
        percent = self.number(EXACT.multiply(fraction, _HUNDRED), DECIMALS_MIN, most)
        return safe(f'<span class="apr"><bdi dir="ltr">{percent}&nbsp;%</bdi></span>')

    def instant(self, instant: datetime) -> Markup:
        """Show an instant in the viewer's time zone; UTC, to the second, is in its title."""
        return self._time(instant, self.moment(instant))

    def moment(self, instant: datetime) -> str:
        """Write an instant in the viewer's time zone, with the zone's name."""
        local = instant.astimezone(self.look.time_zone)
        return f"{format_datetime(local, 'medium', locale=self.look.language)} {local.tzname()}"

    def both(self, instant: datetime) -> Markup:
        """Show an instant in the viewer's time zone, and in UTC behind it where that is another."""
        shown = self.instant(instant)
        if instant.astimezone(self.look.time_zone).utcoffset() == timedelta(0):
            return shown
        in_utc = format_datetime(instant.astimezone(UTC), "short", locale=self.look.language)
        return shown + Markup(' <span class="in-utc">({} UTC)</span>').format(in_utc)

    def day(self, day: date | datetime) -> Markup:
        """Show a date; of an instant, the viewer's."""
        local = day.astimezone(self.look.time_zone) if isinstance(day, datetime) else day
        shown = format_date(local, "medium", locale=self.look.language)
        return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), shown)

    def countdown(self, instant: datetime) -> Markup:
        """Show how long it is until an instant; the page's script keeps it running."""
        return Markup('<time class="countdown" data-countdown datetime="{}" title="{}">{}</time>').format(
            instant.astimezone(UTC).isoformat().replace("+00:00", "Z"), in_utc(instant), self.until(instant)
        )

    def until(self, instant: datetime) -> str:
        """Say how long it is until an instant."""
        left = max(instant - self.now, timedelta(0))
        return format_timedelta(left, threshold=1, add_direction=True, locale=self.look.language)

    def in_seconds(self, seconds: int) -> str:
        """Say that something is so many seconds away; a minute and more in minutes, rounded up."""
        left = timedelta(seconds=seconds) if seconds < 60 else timedelta(minutes=-(-seconds // 60))
        return format_timedelta(left, threshold=1, add_direction=True, locale=self.look.language)

    def _time(self, instant: datetime, shown: str) -> Markup:
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            instant.astimezone(UTC).isoformat().replace("+00:00", "Z"), in_utc(instant), escape(shown)
        )


def in_utc(instant: datetime) -> str:
    """Write an instant in UTC, to the second."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@cache
def signs_of(language: str) -> tuple[str, str]:
    """Give the sign between groups of digits and the one before decimals; digits are Western in every language."""
    locale = Locale.parse(language)
    return get_group_symbol(locale), get_decimal_symbol(locale)


def safe(html: str) -> Markup:
    """Take HTML for what it is: put together by hand, for a page writes hundreds, of digits and escaped text only."""
    return Markup(html)  # noqa: S704
