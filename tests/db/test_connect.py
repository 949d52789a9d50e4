"""Transactions at the edges."""

import pytest

from staddle.db import Database


def test_acts_run_as_the_applications_role_in_utc(database: Database) -> None:
    with database.transaction() as tx:
        row = tx.execute("SELECT current_user AS who, current_setting('timezone') AS zone").fetchone()
    assert row == ("staddle_app", "UTC")


def test_a_transaction_is_rolled_back_when_it_raises(database: Database) -> None:
    with database.owner() as owner:
        owner.execute("CREATE TABLE thing (id int); GRANT ALL ON thing TO staddle_app")
    with pytest.raises(ZeroDivisionError), database.transaction() as tx:
        tx.execute("INSERT INTO thing VALUES (1)")
        raise ZeroDivisionError
    with database.transaction() as tx:
        assert tx.execute("SELECT * FROM thing").fetchall() == []
