"""The staking service agreement, in versions, and who accepted which."""

from dataclasses import dataclass
from datetime import datetime

from staddle.db import Tx, queries
from staddle.desk import find_operator, log
from staddle.errors import AgreementNotFound, InvalidName
from staddle.ledger import cell_of

sql = queries(__package__)
BODY_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Agreement:
    """A version of the staking service agreement."""

    version: int
    title: str
    body: str
    published_by: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """A version of the agreement, without its text."""

    version: int
    title: str
    published_by: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """Which version a customer accepted, when, and from where: the first time counts."""

    version: int
    accepted_at: datetime
    accepted_from: str


def publish_agreement(tx: Tx, by: str, title: str, body: str, now: datetime) -> int:
    """Publish a new version, which every subscription from now on must accept (rule 13); gives its number.

    Publishing again what is in force gives the version in force. Raises OperatorNotFound or InvalidName.
    """
    find_operator(tx, by)
    if not 1 <= len(title) <= 200 or not title.isprintable():
        raise InvalidName("An agreement's title has 1 to 200 printable characters.")
    if not body.strip() or len(body) > BODY_MAX or "\x00" in body:
        raise InvalidName(f"An agreement's text has 1 to {BODY_MAX:,} characters.")
    tx.execute(sql.lock_agreements)
    row = tx.execute(sql.current_agreement).fetchone()
    if row is not None and (row.title, row.body) == (title, body):
        return int(row.version)
    version = 1 if row is None else int(row.version) + 1
    tx.execute(
        sql.publish_agreement, {"version": version, "title": title, "body": body, "by": by, "now": now}
    )
    log(tx, by, "publish_agreement", f"version {version}", {"title": title}, now)
    return version


def current_agreement(tx: Tx) -> Agreement:
    """Read the version in force; raises AgreementNotFound before the first one."""
    row = tx.execute(sql.current_agreement).fetchone()
    if row is None:
        raise AgreementNotFound("No staking service agreement has been published yet.")
    return Agreement(*row)


def list_agreements(tx: Tx) -> list[PublishedVersion]:
    """Read all versions without their texts, oldest first."""
    return [PublishedVersion(*row) for row in tx.execute(sql.list_agreements).fetchall()]


def find_agreement(tx: Tx, version: int) -> Agreement:
    """Read one version; raises AgreementNotFound."""
    row = tx.execute(sql.find_agreement, {"version": version}).fetchone() if 0 < version < 2**31 else None
    if row is None:
        raise AgreementNotFound
    return Agreement(*row)


def consents_of(tx: Tx, customer_id: int) -> list[Consent]:
    """Read what a customer accepted, oldest version first."""
    wanted = {"cell": cell_of(customer_id), "customer_id": customer_id}
    return [Consent(*row) for row in tx.execute(sql.consents_of, wanted).fetchall()]
