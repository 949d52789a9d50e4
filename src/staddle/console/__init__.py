"""The operators' console: see at once whether all is well, and change products, rates and money by two people."""

from staddle.console.routes import edge

__all__ = ["edge"]
