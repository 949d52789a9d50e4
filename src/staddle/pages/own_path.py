"""Where a page may send the browser back to: a path of our own site, whatever an address or a form says."""


def own_path(text: str, otherwise: str = "/") -> str:
    """Give a path of our own site back; anything else becomes `otherwise`, for nobody is to be led elsewhere."""
    is_own = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if is_own and "\\" not in text and len(text) <= 2000 else otherwise
