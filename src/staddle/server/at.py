"""What an edge's function works with: in the one transaction of its request, or on the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from staddle.config import Config
from staddle.db import Database, Tx
from staddle.identity.caller import Caller, Seen


@dataclass(slots=True)
class At:
    """An operation at work in its one transaction. `now` is the desk's clock, `machine_now` the real one."""

    tx: Tx
    caller: Caller
    seen: Seen
    now: datetime
    machine_now: datetime
    key: str
    scales: Mapping[str, int]
    config: Config

    @property
    def customer_id(self) -> int:
        """The customer who is calling."""
        assert self.caller.customer_id is not None
        return self.caller.customer_id

    @property
    def by(self) -> str:
        """The operator who is calling."""
        assert self.caller.operator is not None
        return self.caller.operator


@dataclass(slots=True)
class OnDatabase:
    """An operation that needs several transactions, such as a run, or a hash that takes long."""

    database: Database
    config: Config
    caller: Caller
    seen: Seen
    machine_now: datetime
    key: str
    scales: Mapping[str, int]

    @property
    def by(self) -> str:
        """The operator who is calling."""
        assert self.caller.operator is not None
        return self.caller.operator
