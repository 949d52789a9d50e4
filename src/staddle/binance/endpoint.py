"""What an endpoint is, and the list of all: each is one function, declared with its address, weight and permission.

@reads("/sapi/v1/simple-earn/flexible/list", weight=150)
def list_flexible(at: At, asked: Asked) -> Document:
    '''List the flexible products.'''
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from staddle.binance.asked import Asked
from staddle.identity.caller import Caller, Seen
from staddle.ledger import Command
from staddle.server.allow import Allow, customer
from staddle.server.at import At

Document = dict[str, Any]
Make = Callable[[Caller, str, Seen], Command]
Function = TypeVar("Function", bound=Callable[..., Any])
ENDPOINTS: dict[tuple[str, str], "Endpoint"] = {}
"""Every endpoint by its method and path."""
PREFIX = "/sapi/v1/simple-earn"
KEY_PREFIX = "binance:"
"""How the idempotency keys of this edge begin; nobody else may send one that begins so."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint. Without `allow` anybody may ask, and nothing is signed.

    One `is_paced` moves money, once in some seconds for each account: its `run` reads what is asked, and gives what
    does it. With an `act` that makes the command of a batch, and `then` writes down what became of it. `product` is
    the number for a product that is not there.
    """

    name: str
    method: Literal["GET", "POST"]
    path: str
    weight: int
    allow: Allow | None
    run: Callable[..., Any]
    act: str | None = None
    then: Callable[[At, Asked, Any], Document] | None = None
    is_paced: bool = False
    product: int = -6001


def tells(path: str, weight: int) -> Callable[[Function], Function]:
    """Declare what anybody may ask without a key; the function takes the machine's time."""
    return _declare("GET", path, weight, None)


def reads(
    path: str, weight: int, method: Literal["GET", "POST"] = "GET", scope: str = "read", product: int = -6001
) -> Callable[[Function], Function]:
    """Declare what a key may do in one transaction: read, or with another scope change a choice."""
    return _declare(method, path, weight, customer(scope), product=product)


def acts(path: str, weight: int, scope: str, product: int = -6001) -> Callable[[Function], Function]:
    """Declare what moves money in its own transaction: the function reads what is asked, and gives what does it."""
    return _declare("POST", path, weight, customer(scope), is_paced=True, product=product)


def batched(
    path: str,
    weight: int,
    act: str,
    then: Callable[[At, Asked, Any], Document],
    product: int = -6001,
) -> Callable[[Function], Function]:
    """Declare what moves money together with others of its moment: the function reads what is asked, and gives what
    makes the command. The act's name is the scope that it needs.
    """
    return _declare("POST", path, weight, customer(act), act=act, then=then, is_paced=True, product=product)


def _declare(
    method: Literal["GET", "POST"], path: str, weight: int, allow: Allow | None, **more: Any
) -> Callable[[Function], Function]:
    def add(function: Function) -> Function:
        full = path if path.startswith(("/api/", "/sapi/")) else PREFIX + path
        assert (method, full) not in ENDPOINTS, f"there are two of {method} {full}"
        ENDPOINTS[method, full] = Endpoint(
            f"binance_{function.__name__}", method, full, weight, allow, function, **more
        )
        return function

    return add


def rows(found: list[Document], total: int) -> Document:
    """Write a page of a list."""
    return {"rows": found, "total": total}
