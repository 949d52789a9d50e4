"""What the database itself refuses, told as the errors of the house.

Acts check everything beforehand; a violation that slips through comes from two acts at once, or from a mistake of
ours. Each constraint of the schema that has a sentence for a name stands either in ERRORS or in INVARIANTS.
"""

import psycopg

from staddle.errors import (
    AlreadyExists,
    Conflict,
    InsufficientFunds,
    InvalidAmount,
    InvariantBroken,
    NeverBackdated,
    QuotaFull,
    RequestKeyReused,
    SecondPersonNeeded,
    StaddleError,
    TooManyDecimals,
    WrongState,
)

ERRORS: dict[str, type[StaddleError]] = {
    "a_balance_is_never_below_zero": InsufficientFunds,
    "a_balance_has_the_scale_of_its_asset": TooManyDecimals,
    "a_transfer_moves_a_positive_amount": InvalidAmount,
    "a_transfer_has_the_scale_of_its_asset": TooManyDecimals,
    "a_transfer_is_corrected_once": AlreadyExists,
    "a_request_key_is_used_once": RequestKeyReused,
    "a_customer_reference_is_used_once": AlreadyExists,
    "a_quota_is_never_oversold": QuotaFull,
    "one_rate_at_an_instant": NeverBackdated,
    "a_rate_is_never_backdated": NeverBackdated,
    "nobody_approves_their_own_request": SecondPersonNeeded,
    "terms_are_approved_by_a_second_person": SecondPersonNeeded,
    "a_rate_is_approved_by_a_second_person": SecondPersonNeeded,
    "a_run_is_released_by_a_second_person": SecondPersonNeeded,
    "a_rate_source_is_approved_by_a_second_person": SecondPersonNeeded,
    "the_rate_source_is_no_person": WrongState,
    "an_email_address_signs_in_one_login": AlreadyExists,
    "a_customer_has_one_login": AlreadyExists,
    "an_operator_has_one_login": AlreadyExists,
    "a_pool_move_has_a_reference_of_its_own": AlreadyExists,
    "asset_code_key": AlreadyExists,
    "product_code_key": AlreadyExists,
}
"""What a caller can run into, and what they are told."""

INVARIANTS = frozenset(
    {
        "a_balance_lies_in_its_customers_cell",
        "a_house_account_has_no_customer",
        "a_transfer_stays_within_one_asset",
        "a_transfer_stays_within_one_customer_and_the_house",
        "a_transfer_stays_within_its_cell",
        "a_transfer_is_declared_in_the_chart",
        "a_correction_names_what_it_corrects",
        "a_seal_names_what_it_covers",
        "the_rewards_of_a_day_are_sealed_once",
        "a_transfer_is_sealed_once",
        "a_log_entry_is_sealed_once",
        "only_an_act_pays_a_reward_late",
        "only_a_sandbox_has_a_clock_of_its_own",
        "a_decision_has_a_person_and_an_instant",
        "a_product_on_sale_has_terms",
        "approved_terms_have_an_instant",
        "discarded_terms_have_an_instant",
        "approved_terms_are_never_discarded",
        "kept_fraction_goes_with_its_policy",
        "reduced_apr_goes_with_its_policy",
        "flexible_terms_are_daily_and_endless",
        "a_quota_is_never_released_twice",
        "a_quota_has_a_ceiling_where_it_has_a_total",
        "a_customer_lies_in_their_cell",
        "a_notice_lies_in_its_cell",
        "a_position_lies_in_its_customers_cell",
        "a_term_has_one_maturity",
        "a_position_never_grows",
        "an_ended_position_holds_nothing",
        "an_ended_position_says_how",
        "rewards_go_to_funding_or_accrued",
        "days_of_a_past_run_forward",
        "a_reward_is_positive",
        "a_reward_lies_in_its_cell",
        "a_reward_is_declared_in_the_chart",
        "a_reward_has_the_scale_of_its_asset",
        "a_piece_has_cells",
        "a_reward_is_forfeited_once",
        "a_late_reward_is_closed_once",
        "a_held_run_says_why",
        "a_paused_run_says_by_whom_and_why",
        "a_finished_task_has_an_outcome",
        "the_same_work_is_asked_for_once",
        "a_piece_is_paid_once",
        "an_operator_has_known_roles",
        "a_link_recovers_a_login",
        "a_login_is_a_customers_or_an_operators",
        "an_api_key_has_known_scopes",
        "an_api_key_keeps_what_its_kind_needs",
        "a_client_has_known_scopes",
        "a_login_has_one_account_at_a_provider",
        "a_disabled_endpoint_says_why",
        "a_secret_before_has_an_end",
        "a_delivery_that_has_ended_says_when",
        "an_alarm_is_open_once",
        "a_rate_source_has_bounds",
        "a_path_goes_with_a_feed",
        "an_ended_source_says_by_whom",
        "a_product_follows_one_source",
        "a_held_reading_says_why",
        "a_source_revises_a_rate_once_a_day",
    }
)
"""What only a mistake of ours can run into."""


def error_of_database(error: BaseException) -> StaddleError | InvariantBroken | None:
    """Give what a caller is told for what the database itself refused; None where the error is no refusal of it."""
    if isinstance(error, psycopg.errors.IntegrityError):
        return error_of_violation(error)
    if isinstance(error, psycopg.errors.TransactionRollback):
        return Conflict(
            "Somebody else changed the same rows at this moment; nothing was moved. Please repeat it."
        )
    return None


def error_of_violation(violation: psycopg.errors.IntegrityError) -> StaddleError | InvariantBroken:
    """Give the error that a caller is told for a refused statement; what nobody can cause is InvariantBroken."""
    name = violation.diag.constraint_name or ""
    if name in ERRORS:
        return ERRORS[name]()
    return InvariantBroken(str(violation).splitlines()[0])
