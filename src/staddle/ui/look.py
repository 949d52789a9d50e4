"""How somebody sees the pages: language, theme, time zone. Kept in a cookie for whoever is not signed in."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from gettext import NullTranslations
from zoneinfo import ZoneInfo, available_timezones

from staddle.ui.languages import LANGUAGES, direction_of, language_for, texts_of

THEMES = ("system", "light", "dark")
UTC_NAME = "UTC"
COOKIE = "staddle_look"


@dataclass(frozen=True)
class Look:
    """A language, a theme and a time zone, each of those that there are."""

    language: str = "en"
    theme: str = "system"
    zone: str = UTC_NAME
    is_zone_known: bool = False
    """Whether the viewer, or their browser, has said which; UTC is only assumed else."""

    @cached_property
    def texts(self) -> NullTranslations:
        """The texts of the language."""
        return texts_of(self.language)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return direction_of(self.language)

    @cached_property
    def time_zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.zone)

    def say(self, text: str, **values: object) -> str:
        """Give a text in the language, with its values."""
        said = self.texts.gettext(text)
        return said % values if values else said

    def as_cookie(self) -> str:
        """Write the look as the value of a cookie."""
        zone = self.zone.replace("/", "-.") if self.is_zone_known else ""
        return f"{self.language}.{self.theme}.{zone}"


def look_of(cookie: str | None, accepts: str) -> Look:
    """Read a look from a cookie; whatever is not one of ours is left out, and the browser's wish taken instead."""
    language, _, rest = (cookie or "").partition(".")
    theme, _, zone = rest.partition(".")
    return look_with(
        {
            "language": language if language in LANGUAGES else language_for(accepts),
            "theme": theme,
            "zone": zone.replace("-.", "/"),
        }
    )


def look_with(wishes: Mapping[str, str | None], look: Look | None = None) -> Look:
    """Give a look with those of the wishes that there are."""
    look = look or Look()
    language, theme, zone = (wishes.get(name) or "" for name in ("language", "theme", "zone"))
    return Look(
        language if language in LANGUAGES else look.language,
        theme if theme in THEMES else look.theme,
        zone if zone in time_zones() else look.zone,
        zone in time_zones() or look.is_zone_known,
    )


@cache
def time_zones() -> frozenset[str]:
    """Name all time zones that there are."""
    return frozenset(available_timezones()) | {UTC_NAME}
