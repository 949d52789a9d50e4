"""Who subscribes, what they agreed to, and the money that they bring in and take out."""

from staddle.customers.add import NewCustomer, add_customers, change_customer
from staddle.customers.agreements import (
    Agreement,
    Consent,
    PublishedVersion,
    consents_of,
    current_agreement,
    find_agreement,
    list_agreements,
    publish_agreement,
)
from staddle.customers.ask_move import CustomerMove, approve_customer_move, ask_customer_move
from staddle.customers.deposits import (
    Account,
    Deposit,
    Moved,
    TransferBetween,
    Withdraw,
    deposit,
    transfer,
    withdraw,
)
from staddle.customers.find import (
    Customer,
    find_customer,
    find_customers,
    find_customers_by_id,
    list_customers,
)
from staddle.customers.import_customers import import_customers
from staddle.customers.import_deposits import import_deposits
from staddle.customers.import_file import ImportReport, OnError
from staddle.customers.look_through import (
    CustomerFilter,
    CustomerOrder,
    CustomerPage,
    CustomerPlace,
    customers_of_desk,
    export_customers,
)
from staddle.customers.preferences import Preferences, preferences_of, set_preferences
from staddle.customers.read_csv import Problem

__all__ = [
    "Account",
    "Agreement",
    "Consent",
    "Customer",
    "CustomerFilter",
    "CustomerMove",
    "CustomerOrder",
    "CustomerPage",
    "CustomerPlace",
    "Deposit",
    "ImportReport",
    "Moved",
    "NewCustomer",
    "OnError",
    "Preferences",
    "Problem",
    "PublishedVersion",
    "TransferBetween",
    "Withdraw",
    "add_customers",
    "approve_customer_move",
    "ask_customer_move",
    "change_customer",
    "consents_of",
    "current_agreement",
    "customers_of_desk",
    "deposit",
    "export_customers",
    "find_agreement",
    "find_customer",
    "find_customers",
    "find_customers_by_id",
    "import_customers",
    "import_deposits",
    "list_agreements",
    "list_customers",
    "preferences_of",
    "publish_agreement",
    "set_preferences",
    "transfer",
    "withdraw",
]
