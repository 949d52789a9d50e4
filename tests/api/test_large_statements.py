"""A statement of any length is sent in memory that does not grow with it."""

import csv
from pathlib import Path

from tests.api.world import Caller, Service

ROWS = 100_000
GROWTH_MAX = 8 << 20
"""The CSV of so many rows has 11 million bytes."""

MANY_TRANSFERS = """
INSERT INTO transfer (cell, transfer_id, act_id, kind, customer_id, debit_account, credit_account, amount,
                      effective_at, request_key)
SELECT t.cell, t.transfer_id + (n::bigint << 30), t.act_id, t.kind, t.customer_id, t.debit_account, t.credit_account,
       t.amount, t.effective_at + make_interval(secs => n), 'many ' || n
  FROM (SELECT * FROM transfer WHERE kind = 'deposit' AND customer_id = %s ORDER BY transfer_id LIMIT 1) t,
       generate_series(1, %s) n
"""


def memory_of_workers(service: Service) -> dict[int, int]:
    """Give the most memory that each process of the service has ever had, in bytes, by its id."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:
            continue  # it has ended meanwhile
        if int(lines["PPid"]) == service.process.pid and "VmHWM" in lines:
            found[int(status.parent.name)] = int(lines["VmHWM"].split()[0]) << 10
    return found


def test_a_csv_of_many_rows_is_sent_whole_in_little_memory(service: Service, ada: Caller) -> None:
    with service.database.owner() as owner:
        owner.execute(MANY_TRANSFERS, [ada.get("/v1/me").json()["customer_id"], ROWS])
    service.passes(days=10)
    period = {"from_at": "2026-01-01T00:00:00Z", "until_at": "2026-01-22T16:00:00Z"}
    assert ada.get("/v1/statement.csv", **period).status_code == 200
    before = memory_of_workers(service)
    headers = {"Authorization": f"Bearer {ada.token}"}
    with service.http.stream("GET", "/v1/statement.csv", headers=headers) as given:
        count = sum(1 for _ in csv.reader(given.iter_lines()))
    assert count > ROWS
    after = memory_of_workers(service)
    growth = {process: after[process] - before[process] for process in before}
    assert max(growth.values()) < GROWTH_MAX, growth


def test_a_reader_who_leaves_halfway_takes_nothing_with_them(service: Service, ada: Caller) -> None:
    headers = {"Authorization": f"Bearer {ada.token}"}
    with service.http.stream("GET", "/v1/statement.csv", headers=headers) as given:
        next(given.iter_lines())
    assert ada.get("/v1/me").status_code == 200
