"""NotFound: there is no such thing, or it is somebody else's."""

from staddle.errors.tree import NotFound


class AddressNotFound(NotFound):
    """There is nothing at this address."""


class AssetNotFound(NotFound):
    """There is no such asset."""

    field = "asset"


class ProductNotFound(NotFound):
    """There is no such product."""

    field = "product"


class CustomerNotFound(NotFound):
    """There is no such customer."""


class PositionNotFound(NotFound):
    """You have no such position."""


class AgreementNotFound(NotFound):
    """There is no such version of the staking service agreement."""


class OperatorNotFound(NotFound):
    """There is no such operator."""


class ApprovalNotFound(NotFound):
    """There is no such request for approval."""


class QuoteNotFound(NotFound):
    """There is no such quote."""


class RewardNotFound(NotFound):
    """No reward has been paid for this day."""


class RunNotFound(NotFound):
    """There is no reward run of this date."""


class TaskNotFound(NotFound):
    """There is no such task."""


class AlarmNotFound(NotFound):
    """There is no such open alarm."""


class SourceNotFound(NotFound):
    """This product follows no rate source."""


class ReadingNotFound(NotFound):
    """No reading of this product waits for people to decide."""


class EndpointNotFound(NotFound):
    """You have no such webhook endpoint."""


class DeliveryNotFound(NotFound):
    """There is no such delivery to this endpoint."""


class DeskNotFound(NotFound):
    """This database holds no desk yet; set one up with `staddle desk create`."""


class LoginNotFound(NotFound):
    """There is no such login."""


class SessionNotFound(NotFound):
    """You have no such session."""


class PasskeyNotFound(NotFound):
    """You have no such passkey."""


class ApiKeyNotFound(NotFound):
    """You have no such API key."""


class ClientNotFound(NotFound):
    """There is no such client."""


class TransferNotFound(NotFound):
    """There is no such transfer."""


class ClosingNotFound(NotFound):
    """This day is not closed: days are closed once their reward run is finished."""
