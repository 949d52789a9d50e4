"""Staddle: the Earn desk of an exchange, wallet or neobank. Start reading at `ledger/chart.py`."""

__version__ = "0.1.0"
