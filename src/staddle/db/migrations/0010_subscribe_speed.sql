-- The same constraints in fewer words. PostgreSQL reads a CHECK anew from its stored tree, and puts SQL functions in
-- their place, for every statement that writes to the table; for a short list of subscriptions that was a third of the
-- cost of posting. An account's kind is its last four bits, its scale the five above, its customer all above 19.

ALTER TABLE transfer
    DROP CONSTRAINT a_transfer_is_declared_in_the_chart,
    -- The kind of the debit account times 100 and the kind of the credit account, for each kind of transfer.
    ADD CONSTRAINT a_transfer_is_declared_in_the_chart CHECK (
        (debit_account & 15) * 100 + (credit_account & 15) = ANY (
            CASE kind
                WHEN 'deposit' THEN '{801, 802}'::bigint[]
                WHEN 'withdrawal' THEN '{108, 208}'::bigint[]
                WHEN 'transfer' THEN '{102, 201}'::bigint[]
                WHEN 'subscription' THEN '{103, 203}'::bigint[]
                WHEN 'redemption' THEN '{301, 302}'::bigint[]
                WHEN 'accrued_payout' THEN '{402}'::bigint[]
                WHEN 'forfeiture' THEN '{311, 411}'::bigint[]
                WHEN 'pool_funding' THEN '{810}'::bigint[]
                WHEN 'pool_withdrawal' THEN '{1008}'::bigint[]
                WHEN 'income_to_pool' THEN '{1110}'::bigint[]
                WHEN 'correction' THEN '{108, 208, 801, 802, 1008, 810}'::bigint[]
                ELSE '{}'::bigint[]
            END)),
    DROP CONSTRAINT a_transfer_has_the_scale_of_its_asset,
    ADD CONSTRAINT a_transfer_has_the_scale_of_its_asset
        CHECK (scale(trim_scale(amount)) <= (debit_account >> 4 & 31)),
    DROP CONSTRAINT a_transfer_stays_within_one_customer_and_the_house,
    ADD CONSTRAINT a_transfer_stays_within_one_customer_and_the_house
        CHECK (debit_account >> 19 IN (0, customer_id) AND credit_account >> 19 IN (0, customer_id));

ALTER TABLE balance
    DROP CONSTRAINT a_balance_is_never_below_zero,
    ADD CONSTRAINT a_balance_is_never_below_zero CHECK (amount >= 0 OR account_id & 15 IN (8, 9)),
    DROP CONSTRAINT a_balance_lies_in_its_customers_cell,
    ADD CONSTRAINT a_balance_lies_in_its_customers_cell
        CHECK (account_id >> 19 = 0 OR account_id >> 19 & 255 = cell),
    DROP CONSTRAINT a_house_account_has_no_customer,
    ADD CONSTRAINT a_house_account_has_no_customer CHECK ((account_id & 15 >= 8) = (account_id >> 19 = 0)),
    DROP CONSTRAINT a_balance_has_the_scale_of_its_asset,
    ADD CONSTRAINT a_balance_has_the_scale_of_its_asset
        CHECK (scale(trim_scale(amount)) <= (account_id >> 4 & 31));

ALTER TABLE position
    DROP CONSTRAINT a_term_has_one_maturity,
    ADD CONSTRAINT a_term_has_one_maturity
        CHECK ((term_days IS NULL) = (matures_at IS NULL) AND matures_at - started_at = make_interval(days => term_days)),
    DROP CONSTRAINT rewards_go_to_funding_or_accrued,
    ADD CONSTRAINT rewards_go_to_funding_or_accrued
        CHECK (reward_account & 15 IN (2, 4) AND reward_account >> 19 = customer_id);
