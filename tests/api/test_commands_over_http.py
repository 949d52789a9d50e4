"""All that the commands can do can be done over HTTP, but for what belongs beside the database."""

from typing import Any

from staddle.api import routes
from staddle.api.operation import OPERATIONS
from staddle.cli import app as cli

NOT_OVER_HTTP = {
    "desk create": "a desk is created once, beside its database",
    "serve": "this is what serves HTTP",
    "worker": "a process of its own",
    "demo": "it makes a database of its own",
    "backup": "it writes a file beside the database",
    "restore": "it makes a database out of such a file",
    "settings": "settings are the environment of a process; they name secrets",
    "verify-receipt": "the customer proves a receipt at home; /v1/receipts gives the file",
}
OPERATION_OF = {
    "desk show": "show_desk",
    "desk limits": "change_run_limits",
    "desk log": "list_log",
    "operators add": "add_desk_operator",
    "operators roles": "set_roles_of_operator",
    "operators deactivate": "set_operator_active",
    "operators activate": "set_operator_active",
    "operators list": "list_desk_operators",
    "approvals list": "list_approvals",
    "approvals decline": "decline_approval",
    "alarms list": "list_desk_alarms",
    "alarms clear": "clear_desk_alarm",
    "assets add": "add_coin",
    "assets list": "list_assets",
    "products draft": "draft_new_product",
    "products version": "draft_new_version",
    "products approve": "approve_version",
    "products halt": "halt_product",
    "products resume": "resume_product",
    "products close": "close_sale",
    "products retire": "retire_closed_product",
    "products list": "list_products_of_desk",
    "products show": "show_product_of_desk",
    "rates propose": "propose_new_rate",
    "rates approve": "approve_proposed_rate",
    "prices set": "set_price_of_asset",
    "prices list": "list_prices",
    "rates history": "list_rates",
    "rates sources set": "set_rate_source",
    "rates sources approve": "approve_rate_source",
    "rates sources end": "end_rate_source",
    "rates sources list": "list_rate_sources",
    "rates sources show": "show_rate_source",
    "rates sources read": "read_rate_source",
    "rates sources propose": "propose_held_reading",
    "customers add": "add_customer",
    "customers change": "change_known_customer",
    "customers show": "show_customer",
    "customers import": "import_customer_file",
    "agreements publish": "publish_new_agreement",
    "agreements show": "show_agreement",
    "agreements list": "list_agreement_versions",
    "deposits import": "import_deposit_file",
    "deposit": "add_deposit",
    "withdraw": "add_withdrawal",
    "transfer": "transfer",
    "balances": "show_balances_of_customer",
    "preview": "preview_subscription",
    "subscribe": "subscribe",
    "positions": "list_positions_of_customer",
    "position": "show_position_of_customer",
    "redeem": "redeem",
    "quote": "quote_early_redemption",
    "leave": "redeem_early",
    "choose": "choose_maturity",
    "auto-subscribe set": "choose_auto_subscription",
    "auto-subscribe off": "choose_auto_subscription",
    "auto-subscribe list": "list_auto_subscriptions",
    "guard set": "choose_rate_guard",
    "guard off": "choose_rate_guard",
    "rewards plan": "plan_run",
    "rewards run": "start_run",
    "rewards release": "release_held_run",
    "rewards report": "show_run",
    "rewards list": "list_runs",
    "rewards catch-up": "catch_up_runs",
    "rewards parked": "list_parked_positions",
    "rewards retry": "retry_parked_position",
    "tick": "do_what_is_due",
    "receipt": "show_receipt",
    "statement": "list_statement",
    "treasury fund": "ask_for_pool_move",
    "treasury withdraw": "ask_for_pool_move",
    "treasury income": "ask_for_pool_move",
    "treasury approve": "approve_asked_pool_move",
    "treasury runway": "show_runway",
    "treasury maturities": "list_maturities",
    "audit": "audit_books",
    "seal": "seal_books",
    "errors list": "list_errors",
    "clock show": "show_time",
    "clock advance": "move_desk_clock",
    "clock set": "move_desk_clock",
    "logins add": "add_login_of_customer",
    "logins list": "list_all_logins",
    "logins reset": "reset_login_of_customer",
    "logins activate": "set_login_of_customer_active",
    "logins deactivate": "set_login_of_customer_active",
    "logins log": "list_security_log",
    "logins lost-factors": "ask_to_remove_factors_of_customer",
    "logins approve": "approve_to_remove_factors",
    "logins step-up": "change_step_up_amount",
    "logins trust": "trust_external_provider",
    "logins distrust": "distrust_external_provider",
    "keys add": "add_api_key_of_customer",
    "keys list": "list_api_keys_of_customer",
    "keys revoke": "revoke_api_key_of_customer",
    "clients add": "add_integrator",
    "clients list": "list_integrators",
    "clients rotate": "rotate_integrator",
    "clients revoke": "revoke_integrator",
    "webhooks add": "add_webhook",
    "webhooks list": "list_webhooks",
    "webhooks secret": "rotate_webhook_secret",
    "webhooks disable": "disable_webhook",
    "webhooks enable": "enable_webhook",
    "webhooks revoke": "revoke_webhook",
    "webhooks deliveries": "list_deliveries",
    "webhooks delivery": "show_delivery",
    "webhooks dead": "list_dead_deliveries",
    "webhooks replay": "replay_webhook",
}
"""The operation that does what a command does."""


def commands_of(entry: Any, name: str) -> list[str]:
    """Name a command, or all commands below a group."""
    below = getattr(entry, "commands", None)
    if below is None:
        return [name]
    return [each for part, command in below.items() for each in commands_of(command, f"{name} {part}")]


def test_every_command_has_an_operation_or_a_reason_to_have_none() -> None:
    commands = {name for entry in cli.ENTRIES for name in commands_of(cli.load(entry), entry.name)}
    assert commands - set(OPERATION_OF) - set(NOT_OVER_HTTP) == set()
    assert set(OPERATION_OF) - commands == set()
    assert routes.FILES, "the operations are declared by these files"
    assert {name for name in OPERATION_OF.values() if name not in OPERATIONS} == set()
