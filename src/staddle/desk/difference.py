"""How what is asked for differs from what is in force: one line each, as the second person reads it."""

import msgspec


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that changes. `field` is its stable name, `words` the name that people read.

    `before` and `after` are texts in plain words, amounts as plain decimals; None where there is nothing.
    """

    field: str
    words: str
    before: str | None
    after: str | None
