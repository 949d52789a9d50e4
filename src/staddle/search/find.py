"""Finding what somebody means by a few letters: a customer, a position, a transfer, an approval, a product, a day.

Whole references, numbers and addresses are looked up by their keys; the beginning of a reference, a name or an address
by an index in the order of letters. Nothing is ever looked through, so it takes as long on a large desk as on a small
one.
"""

from collections.abc import Iterator
from datetime import date

import msgspec

from staddle.customers import (
    Customer,
    CustomerFilter,
    customers_of_desk,
    find_customers,
    find_customers_by_id,
)
from staddle.days import format_instant
from staddle.db import Tx, queries
from staddle.desk import find_approval
from staddle.errors import ApprovalNotFound, TransferNotFound
from staddle.ledger import cell_of, transfer_of
from staddle.money import plain
from staddle.positions import customer_of_position

sql = queries(__package__)
TEXT_MAX = 200
OF_A_KIND = 8
"""So many of each kind are given at most."""
LETTERS_MIN = 2
"""One letter is the beginning of too much."""
DIGITS_MAX = 18
LAST_LETTER = "\U0010ffff"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a text could mean. `kind` and `id` say where it is: customer and the reference, position, transfer or
    approval and its number, receipt and its name, product or asset and its code, run or closing and its day.
    """

    kind: str
    id: str
    title: str
    detail: str


def find_anything(tx: Tx, text: str) -> list[Found]:
    """Give what a text could mean, what it names exactly before what only begins so; nothing for an empty one."""
    wanted = " ".join(text.replace("\x00", "").split())[:TEXT_MAX]
    if not wanted:
        return []
    found: dict[tuple[str, str], Found] = {}
    for some in (exactly(tx, wanted), numbered(tx, wanted), of_day(tx, wanted), called(tx, wanted)):
        for each in some:
            found.setdefault((each.kind, each.id), each)
    return list(found.values())


def exactly(tx: Tx, text: str) -> Iterator[Found]:
    """Find the customer of this reference, the receipt and the product of this name."""
    for customer in find_customers(tx, [text]).values():
        yield of_customer(customer, "")
    number, _, day = text.partition("-")
    position = customer_of_position(tx, int(number)) if is_number(number) else None
    if position is not None and day_of(day) is not None:
        yield Found(kind="receipt", id=text, title=text, detail=f"{position.product}, {position.reference}")


def numbered(tx: Tx, text: str) -> Iterator[Found]:
    """Find what has this number: a position, a transfer or act, an approval, a customer, a notice."""
    if not is_number(text):
        return
    number = int(text)
    position = customer_of_position(tx, number)
    if position is not None:
        state = "open" if position.is_open else "ended"
        told = f"{position.product}, {state}, {position.reference}"
        yield Found(kind="position", id=str(number), title=str(number), detail=told)
    try:
        transfer = transfer_of(tx, number).transfer
        told = f"{transfer.kind} of {plain(transfer.amount)} {transfer.asset}"
        told += f", {format_instant(transfer.effective_at)}"
        yield Found(kind="transfer", id=str(number), title=str(number), detail=told)
    except TransferNotFound:
        pass
    try:
        approval = find_approval(tx, number)
        told = f"{approval.act}, {approval.subject}, {approval.decision or 'waiting'}"
        yield Found(kind="approval", id=str(number), title=str(number), detail=told)
    except ApprovalNotFound:
        pass
    for customer in find_customers_by_id(tx, [number]).values():
        yield of_customer(customer, f"number {number}")
    notice = tx.execute(sql.notice_numbered, {"cell": cell_of(number), "notice_id": number}).fetchone()
    if notice is not None and notice.customer_id:
        whose = find_customers_by_id(tx, [notice.customer_id])[notice.customer_id]
        told = f"message {number}: {notice.kind}, {format_instant(notice.effective_at)}"
        yield of_customer(whose, told)


def of_day(tx: Tx, text: str) -> Iterator[Found]:
    """Find the run and the closing of a day."""
    day = day_of(text)
    row = None if day is None else tx.execute(sql.run_of_day, {"run_on": day}).fetchone()
    if row is None:
        return
    yield Found(kind="run", id=str(day), title=str(day), detail=row.state)
    if row.is_closed:
        yield Found(kind="closing", id=str(day), title=str(day), detail="")


def called(tx: Tx, text: str) -> Iterator[Found]:
    """Find what is called so, or begins so: products, coins, customers by reference, name or e-mail address."""
    if len(text) < LETTERS_MIN:
        return
    lower = text.lower()
    named = {"text": lower, "until": lower + LAST_LETTER, "count": OF_A_KIND}
    for row in tx.execute(sql.products_called, named).fetchall():
        told = f"{row.name}, {row.kind}, {row.state}"
        yield Found(kind="product", id=row.code, title=row.code, detail=told)
    for row in tx.execute(sql.coins_called, named).fetchall():
        yield Found(kind="asset", id=row.code, title=row.code, detail=row.name)
    logins = tx.execute(sql.logins_called, named, prepare=False).fetchall()
    people = find_customers_by_id(tx, [row.customer_id for row in logins])
    for row in logins:
        if row.customer_id in people:
            yield of_customer(people[row.customer_id], row.email)
    for wanted in (CustomerFilter(reference=text), CustomerFilter(name=text)):
        for customer in customers_of_desk(tx, wanted, "reference", None, OF_A_KIND).items:
            yield of_customer(customer, "")


def of_customer(customer: Customer, told: str) -> Found:
    """Say which customer was found, and by what where it is not plain to see."""
    parts = [each for each in (customer.name, told) if each]
    return Found(kind="customer", id=customer.reference, title=customer.reference, detail=", ".join(parts))


def is_number(text: str) -> bool:
    """Say whether this can be a number of ours."""
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX


def day_of(text: str) -> date | None:
    """Read a date such as 2026-01-31; None where it is none."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
