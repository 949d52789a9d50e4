-- The books: cells, assets, balances, transfers, requests, seals. They have never heard of staking.

-- The acts run under this role; it can read and append, never rewrite history.
-- Where somebody with the right to has made the role beforehand, the owner needs no right to make roles.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'staddle_app') THEN
        CREATE ROLE staddle_app NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'staddle_app', 'MEMBER') THEN
        EXECUTE format('GRANT staddle_app TO %I', current_user);
    END IF;
END
$$;

-- A cell is a slice of customers with complete books of its own. Whoever changes a cell's money holds its row:
-- that one lock, taken in order of cell, is what makes every act exact and every deadlock impossible.
CREATE TABLE cell (
    cell smallint PRIMARY KEY CHECK (cell BETWEEN 0 AND 255),
    watermark_at timestamptz NOT NULL,
    clock_at timestamptz NOT NULL DEFAULT '1970-01-01T00:00:00Z',
    customer_count bigint NOT NULL DEFAULT 0,
    transfer_count bigint NOT NULL DEFAULT 0,
    position_count bigint NOT NULL DEFAULT 0,
    quote_count bigint NOT NULL DEFAULT 0,
    notice_count bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
COMMENT ON COLUMN cell.watermark_at IS 'distribution instant of the last reward run that paid this cell';
COMMENT ON COLUMN cell.clock_at IS 'the latest instant at which something happened in the cell: nothing happens in it before that any more';
COMMENT ON COLUMN cell.transfer_count IS 'transfers ever posted; the ids of a cell are gapless';

CREATE TABLE asset (
    asset_id smallint PRIMARY KEY CHECK (asset_id BETWEEN 1 AND 1023),
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9]{1,12}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    scale smallint NOT NULL CHECK (scale BETWEEN 0 AND 18),
    unit numeric NOT NULL CHECK (unit * power(10::numeric, scale::numeric) = 1)
);
COMMENT ON COLUMN asset.unit IS 'the smallest amount of the asset: 10 ** -scale';

-- An account's id says everything about it: customer (0 is the house), asset, scale, kind.
CREATE FUNCTION account_of(customer_id bigint, asset_id smallint, scale smallint, kind integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (customer_id << 19) | (asset_id::bigint << 9) | (scale::bigint << 4) | kind::bigint;
CREATE FUNCTION account_kind(account_id bigint) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (account_id & 15)::integer;
CREATE FUNCTION account_scale(account_id bigint) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN ((account_id >> 4) & 31)::integer;
CREATE FUNCTION account_asset(account_id bigint) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN ((account_id >> 9) & 1023)::smallint;
CREATE FUNCTION account_customer(account_id bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN account_id >> 19;

-- Balances are credits minus debits, kept in place.
CREATE TABLE balance (
    cell smallint NOT NULL,
    account_id bigint NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (cell, account_id),
    CONSTRAINT a_balance_is_never_below_zero
        CHECK (amount >= 0 OR account_kind(account_id) IN (8, 9)),
    CONSTRAINT a_balance_lies_in_its_customers_cell
        CHECK (account_customer(account_id) = 0 OR (account_customer(account_id) & 255) = cell),
    CONSTRAINT a_house_account_has_no_customer
        CHECK ((account_kind(account_id) >= 8) = (account_customer(account_id) = 0)),
    CONSTRAINT a_balance_has_the_scale_of_its_asset
        CHECK (scale(trim_scale(amount)) <= account_scale(account_id))
) WITH (fillfactor = 50);

CREATE TYPE transfer_kind AS ENUM (
    'deposit', 'withdrawal', 'transfer', 'subscription', 'redemption', 'accrued_payout', 'forfeiture',
    'pool_funding', 'pool_withdrawal', 'income_to_pool', 'correction'
);

CREATE TABLE transfer (
    cell smallint NOT NULL,
    transfer_id bigint NOT NULL,
    act_id bigint NOT NULL,
    kind transfer_kind NOT NULL,
    customer_id bigint NOT NULL,
    debit_account bigint NOT NULL,
    credit_account bigint NOT NULL,
    amount numeric NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    request_key text NOT NULL,
    position_id bigint,
    corrects bigint,
    PRIMARY KEY (cell, transfer_id),
    CONSTRAINT a_transfer_moves_a_positive_amount CHECK (amount > 0),
    CONSTRAINT a_transfer_has_the_scale_of_its_asset
        CHECK (scale(trim_scale(amount)) <= account_scale(debit_account)),
    CONSTRAINT a_transfer_stays_within_one_asset
        CHECK (((debit_account # credit_account) & 524272) = 0),
    CONSTRAINT a_transfer_stays_within_one_customer_and_the_house
        CHECK (account_customer(debit_account) IN (0, customer_id)
            AND account_customer(credit_account) IN (0, customer_id)),
    CONSTRAINT a_transfer_stays_within_its_cell
        CHECK ((transfer_id & 255) = cell AND (customer_id = 0 OR (customer_id & 255) = cell)),
    CONSTRAINT a_transfer_is_declared_in_the_chart CHECK (
        CASE kind
            WHEN 'deposit' THEN (debit_account & 15, credit_account & 15) IN ((8, 1), (8, 2))
            WHEN 'withdrawal' THEN (debit_account & 15, credit_account & 15) IN ((1, 8), (2, 8))
            WHEN 'transfer' THEN (debit_account & 15, credit_account & 15) IN ((1, 2), (2, 1))
            WHEN 'subscription' THEN (debit_account & 15, credit_account & 15) IN ((1, 3), (2, 3))
            WHEN 'redemption' THEN (debit_account & 15, credit_account & 15) IN ((3, 1), (3, 2))
            WHEN 'accrued_payout' THEN (debit_account & 15, credit_account & 15) IN ((4, 2))
            WHEN 'forfeiture' THEN (debit_account & 15, credit_account & 15) IN ((3, 11), (4, 11))
            WHEN 'pool_funding' THEN (debit_account & 15, credit_account & 15) IN ((8, 10))
            WHEN 'pool_withdrawal' THEN (debit_account & 15, credit_account & 15) IN ((10, 8))
            WHEN 'income_to_pool' THEN (debit_account & 15, credit_account & 15) IN ((11, 10))
            WHEN 'correction' THEN (debit_account & 15, credit_account & 15)
                IN ((1, 8), (2, 8), (8, 1), (8, 2), (10, 8), (8, 10))
            ELSE false
        END),
    CONSTRAINT a_correction_names_what_it_corrects CHECK ((kind = 'correction') = (corrects IS NOT NULL))
);
CREATE INDEX transfer_of_customer ON transfer (cell, customer_id, transfer_id);
CREATE UNIQUE INDEX a_transfer_is_corrected_once ON transfer (cell, corrects) WHERE corrects IS NOT NULL;

-- The answer to every write, by the caller's idempotency key, for ever (rule 15). Customer 0 is the desk itself.
CREATE TABLE request (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    request_key text NOT NULL CHECK (length(request_key) BETWEEN 1 AND 200),
    act text NOT NULL,
    fingerprint bytea NOT NULL,
    answer json NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT a_request_key_is_used_once PRIMARY KEY (cell, customer_id, request_key)
);

-- The hash chain of a cell: each seal covers a block of transfers, the rewards of one run date, or rewards that were
-- paid only after the run of their date had passed the cell by (those of parked positions).
CREATE TABLE seal (
    cell smallint NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    covers text NOT NULL CHECK (covers IN ('transfers', 'rewards', 'late_rewards')),
    first_transfer bigint,
    last_transfer bigint,
    run_on date,
    late_positions bigint[],
    row_count integer NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (cell, number),
    CONSTRAINT a_seal_names_what_it_covers CHECK (
        (covers = 'transfers') = (first_transfer IS NOT NULL)
        AND (covers = 'transfers') = (last_transfer IS NOT NULL)
        AND (covers = 'transfers') = (run_on IS NULL)
        AND (covers = 'late_rewards') = (late_positions IS NOT NULL))
);
CREATE UNIQUE INDEX the_rewards_of_a_day_are_sealed_once ON seal (cell, run_on) WHERE covers = 'rewards';
CREATE UNIQUE INDEX a_transfer_is_sealed_once ON seal (cell, first_transfer) WHERE covers = 'transfers';

-- What is hashed of a transfer: everything but recorded_at, which says when this database wrote the row down; the same
-- books rebuilt or moved elsewhere must have the same hashes. No time zone, date style or locale has a say in it.
CREATE FUNCTION sealed_line(t transfer) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat_ws('|', t.transfer_id, t.act_id, t.kind, t.customer_id, t.debit_account, t.credit_account,
                     trim_scale(t.amount), (extract(epoch FROM t.effective_at) * 1000000)::bigint,
                     coalesce(t.position_id, 0), coalesce(t.corrects, 0), length(t.request_key), t.request_key);

-- The hash of a seal: of the one before it, of what it says about itself, and of the rows it covers, a line each.
CREATE FUNCTION seal_hash(
    cell smallint, number integer, covers text, first_transfer bigint, last_transfer bigint, run_on date,
    late_positions bigint[], row_count integer, previous_hash bytea, sealed_at timestamptz, lines text
) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256($9 || convert_to(
        concat_ws('|', $1, $2, $3, coalesce($4, 0), coalesce($5, 0), coalesce(to_char($6, 'YYYY-MM-DD'), ''),
                  coalesce(array_to_string($7, ','), ''), $8, (extract(epoch FROM $10) * 1000000)::bigint)
        || chr(10) || $11, 'UTF8'));

GRANT SELECT, INSERT ON asset, transfer, request, seal TO staddle_app;
GRANT SELECT, INSERT ON balance, cell TO staddle_app;
GRANT UPDATE (amount) ON balance TO staddle_app;
GRANT UPDATE (watermark_at, clock_at, customer_count, transfer_count, position_count, quote_count, notice_count)
    ON cell TO staddle_app;
