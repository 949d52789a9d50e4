"""The Binance Simple Earn API over the acts of the engine: its clients change their base URL and nothing else."""

from staddle.binance.routes import edge

__all__ = ["edge"]
