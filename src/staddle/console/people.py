"""People: who works the desk, and what each may do. A role is given by two admins and taken away by one."""

import msgspec

from staddle import approvals
from staddle.console.csv_file import csv_file
from staddle.console.listing import Column, Filter, listing_of
from staddle.desk import ROLES, Operator, active_admins, list_operators
from staddle.desk.operators import any_operator
from staddle.pages.once import once
from staddle.pages.page import NOTHING_TYPED, Download, Form, GoTo, Typed, View, Visit, sends, shows
from staddle.server.allow import operator

HERE = "/console/people"
SEES, RULES = operator("viewer"), operator("admin")
GIVEN = tuple(role for role in ROLES if role != "viewer")
WHAT = {
    "support": "serves customers: logins, API keys, what is known about them",
    "product": "drafts products and rates, and approves those of others",
    "treasury": "moves the desk's money, releases runs, corrects entries, and approves for others",
    "admin": "says who may do what; moves no money",
}


class NewOperatorForm(Form, frozen=True, kw_only=True):
    """Who comes, and the roles that they are to have."""

    name: str
    roles: list[str] = msgspec.field(default_factory=list)


class RolesForm(Form, frozen=True, kw_only=True):
    """Every role that somebody is to have."""

    roles: list[str] = msgspec.field(default_factory=list)


class ActiveForm(Form, frozen=True, kw_only=True):
    """Whether somebody works the desk: yes or no."""

    is_active: str


@shows(HERE, allow=SEES)
def show_people(
    visit: Visit, role: str | None = None, state: str | None = None, typed: Typed = NOTHING_TYPED
) -> View:
    """Show the operators; an admin adds somebody."""
    listing = listing_of(
        HERE,
        columns=[
            Column("name", visit.say("Name")),
            Column("roles", visit.say("Roles")),
            Column("state", visit.say("Works the desk")),
            Column("added_at", visit.say("Since")),
        ],
        filters=[
            Filter(
                "role", visit.say("Role"), choices=[("", visit.say("Any")), *((each, each) for each in ROLES)]
            ),
            Filter(
                "state",
                visit.say("Works the desk"),
                choices=[("", visit.say("All")), ("yes", visit.say("Yes")), ("no", visit.say("No"))],
            ),
        ],
        chosen={"role": role, "state": state},
        rows=wanted(list_operators(visit.tx), role, state),
        export=f"{HERE}.csv",
    )
    shown = {
        "listing": listing,
        "what": WHAT,
        "typed": typed,
        "is_alone": len(active_admins(visit.tx)) == 1,
    }
    return View("people.html", shown, part="list")


@shows(f"{HERE}.csv", allow=SEES)
def download_people(visit: Visit, role: str | None = None, state: str | None = None) -> Download:
    """Download the operators as CSV."""
    found = wanted(list_operators(visit.tx), role, state)
    rows = ((each.name, " ".join(each.roles), each.is_active, each.added_at) for each in found)
    return csv_file(("name", "roles", "is_active", "added_at"), rows, "people.csv")


def wanted(people: list[Operator], role: str | None, state: str | None) -> list[Operator]:
    """Leave those whom the filters name."""
    return [
        each
        for each in people
        if (not role or role in each.roles) and (not state or each.is_active == (state == "yes"))
    ]


@sends(HERE, allow=RULES, again=show_people)
def add_by_form(visit: Visit, form: NewOperatorForm) -> GoTo:
    """Add somebody, who sees everything at once; further roles wait for another admin."""
    at = visit.at
    asked = {"name": form.name, "roles": sorted(form.roles)}
    once(
        visit,
        "add_operator",
        asked,
        lambda: approvals.add_operator(visit.tx, at.by, form.name, visit.now, form.roles),
    )
    return GoTo(f"{HERE}/{form.name}", said(visit, form.name))


@shows(f"{HERE}/{{name}}", allow=SEES)
def show_person(visit: Visit, name: str, typed: Typed = NOTHING_TYPED) -> View:
    """Show what one operator may do; an admin changes it."""
    there = any_operator(visit.tx, name)
    shown = {
        "person": there,
        "what": WHAT,
        "typed": typed,
        "chosen": typed.several("roles", there.roles),
        "is_alone": active_admins(visit.tx) == {visit.at.by},
    }
    return View("person.html", shown)


@sends(f"{HERE}/{{name}}/roles", allow=RULES, again=show_person)
def set_roles_by_form(visit: Visit, name: str, form: RolesForm) -> GoTo:
    """Take roles away at once, and ask another admin to agree to those that are new."""
    at = visit.at
    once(
        visit,
        "set_roles",
        {"name": name, "roles": sorted(form.roles)},
        lambda: approvals.set_roles(visit.tx, at.by, name, form.roles, visit.now),
    )
    return GoTo(f"{HERE}/{name}", said(visit, name))


@sends(f"{HERE}/{{name}}/active", allow=RULES, again=show_person)
def set_active_by_form(visit: Visit, name: str, form: ActiveForm) -> GoTo:
    """Let somebody work the desk no more, at once; or again, with the roles that another admin agrees to."""
    at, is_active = visit.at, form.is_active == "yes"
    once(
        visit,
        "set_active",
        {"name": name, "is_active": is_active},
        lambda: approvals.set_operator_active(visit.tx, at.by, name, is_active, visit.now, at.machine_now),
    )
    return GoTo(f"{HERE}/{name}", said(visit, name))


def said(visit: Visit, name: str) -> str:
    """Say how somebody stands after a change."""
    there = any_operator(visit.tx, name)
    if not there.is_active:
        return visit.say("%(name)s does not work the desk any more, and is signed out everywhere.", name=name)
    if there.grant_asked is not None:
        return visit.say("Further roles of %(name)s wait for another admin.", name=name)
    return visit.say("%(name)s has these roles now.", name=name)
