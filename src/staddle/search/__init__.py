"""What somebody types into the search, and everything that it could be: each look is one by index."""

from staddle.search.find import Found, find_anything

__all__ = ["Found", "find_anything"]
