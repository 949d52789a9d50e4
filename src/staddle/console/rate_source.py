"""The source that a product's rate follows: set by two people, read at any time, ended by one."""

from decimal import Decimal

from staddle import approvals, products
from staddle.console.foresight import read_percent
from staddle.console.rates import MAKES, show_rate
from staddle.desk import now_of
from staddle.errors import InvalidSource, StaddleError
from staddle.pages.once import once
from staddle.pages.page import Form, GoTo, Visit, sends, works
from staddle.products import SourceTerms
from staddle.products.source_terms import SourceKind
from staddle.server.at import OnDatabase
from staddle.server.read_rates import read_source

PERCENTS = ("desk_share", "apr_min", "apr_max", "step_max")


class SourceForm(Form, frozen=True, kw_only=True):
    """Where a rate is read, and how far the product follows; shares and rates in percent."""

    kind: SourceKind
    url: str
    figure_path: str = ""
    time_path: str = ""
    is_percent: bool = False
    desk_share: str
    apr_min: str
    apr_max: str
    step_max: str
    stale_hours: int = 24


@sends("/console/rates/{code}/source", allow=MAKES, again=show_rate)
def ask_for_source(visit: Visit, code: str, form: SourceForm) -> GoTo:
    """Put a source before a second person; whoever approves it stands for every revision within its bounds."""
    terms = SourceTerms(
        kind=form.kind,
        url=form.url,
        figure_path=form.figure_path or None,
        time_path=form.time_path or None,
        is_percent=form.is_percent,
        stale_hours=form.stale_hours,
        desk_share=fraction_of(form, "desk_share"),
        apr_min=fraction_of(form, "apr_min"),
        apr_max=fraction_of(form, "apr_max"),
        step_max=fraction_of(form, "step_max"),
    )

    def ask() -> dict[str, object]:
        hosts = visit.at.config.http_hosts
        return {"approval_id": approvals.ask_source(visit.tx, visit.at.by, code, terms, visit.now, hosts)}

    asked = once(visit, "set_source", {"product": code, "source": terms}, ask)
    said = visit.say(
        "The source waits for a second person as request %(number)s.", number=asked["approval_id"]
    )
    return GoTo(f"/console/rates/{code}", said)


def fraction_of(form: SourceForm, name: str) -> Decimal:
    """Read a field in percent; raises InvalidSource, which names it."""
    try:
        return read_percent(getattr(form, name))
    except StaddleError as error:
        refused = InvalidSource(str(error))
        refused.field = name
        raise refused from None


@sends("/console/rates/{code}/source/end", allow=MAKES, again=show_rate)
def end_followed_source(visit: Visit, code: str) -> GoTo:
    """Let the product follow its source no longer; its rate stays as it is."""
    once(
        visit,
        "end_source",
        {"product": code},
        lambda: products.end_source(visit.tx, visit.at.by, code, visit.now),
    )
    return GoTo(
        f"/console/rates/{code}",
        visit.say("The product follows no source any more. Its rate stays as it is."),
    )


@works("/console/rates/{code}/source/read", allow=MAKES, again=show_rate)
def read_followed_source(at: OnDatabase, code: str) -> GoTo:
    """Read the source now; within its bounds the rate is published for the next distribution."""
    with at.database.transaction() as tx:
        now = now_of(tx, at.machine_now)
    reading = read_source(at.database, code, now, at.machine_now, at.config.http_hosts)
    return GoTo(f"/console/rates/{code}", f"The source was read: {reading.outcome}.")


@sends("/console/rates/{code}/source/propose", allow=MAKES, again=show_rate)
def propose_held(visit: Visit, code: str) -> GoTo:
    """Put the rate of the newest held reading before a second person."""

    def ask() -> dict[str, object]:
        number, _ = approvals.ask_reading(visit.tx, visit.at.by, code, visit.now)
        return {"approval_id": number}

    asked = once(visit, "propose_reading", {"product": code}, ask)
    said = visit.say("The rate that was read waits as request %(number)s.", number=asked["approval_id"])
    return GoTo(f"/console/rates/{code}", said)
