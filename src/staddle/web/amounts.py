"""Amounts as people type them: plain decimals, with the comma or the digits of their language where it has others."""

from decimal import Decimal

from staddle.errors import InvalidAmount
from staddle.money import check_positive, parse_decimal
from staddle.pages.read import ungrouped
from staddle.ui.formats import signs_of

_WESTERN = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫", "01234567890123456789.")


def read_amount(text: str, language: str) -> Decimal:
    """Read an amount above zero; raises InvalidAmount, which names the field.

    A sign between groups of digits is refused rather than guessed at: `1,000` is a thousand to some and one to others.
    """
    try:
        typed = ungrouped(text.strip()).translate(_WESTERN)
        if signs_of(language)[1] == "," and "." not in typed and typed.count(",") == 1:
            typed = typed.replace(",", ".")
        amount = parse_decimal(typed)
        check_positive(amount)
    except InvalidAmount:
        refused = InvalidAmount("Please type the amount as a plain number above zero, such as 1250.5.")
        refused.field = "amount"
        raise refused from None
    return amount
