-- Positions, and the arithmetic of what they earn: the SQL twin of accrual/rules.py.

-- Full 24-hour days between two instants (rule 5). Instants a day apart differ by exactly '1 day' in UTC arithmetic.
CREATE FUNCTION full_days(started_at timestamptz, until timestamptz) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN until > started_at THEN date_part('day', until - started_at)::integer ELSE 0 END;

-- Accrual days that begin before an instant (rule 6).
CREATE FUNCTION days_begun_before(started_at timestamptz, instant timestamptz) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN instant > started_at
                THEN date_part('day', justify_hours(instant - started_at + interval '23:59:59.999999'))::integer ELSE 0 END;

-- The date of the first distribution at or after an accrual day's completion (rule 17).
CREATE FUNCTION run_on_of(completed_at timestamptz, distribution_time time) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((completed_at AT TIME ZONE 'UTC') - distribution_time::interval - interval '1 microsecond')::date + 1;

-- How many of the days (first, last] begin while a rate is in force.
CREATE FUNCTION days_at_rate(
    started_at timestamptz, effective_at timestamptz, until_at timestamptz, first integer, last integer
) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN greatest(0, least(last, days_begun_before(started_at, until_at))
                     - greatest(first, days_begun_before(started_at, effective_at)));

-- The part of a principal that lies in a tier, above `tier_offset` of older principal.
CREATE FUNCTION amount_in_tier(principal numeric, tier_offset numeric, amount_from numeric, amount_to numeric)
    RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN greatest(0, least(tier_offset + principal, amount_to) - greatest(tier_offset, amount_from));

CREATE TABLE position (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    product_id integer NOT NULL,
    version integer NOT NULL,
    request_key text NOT NULL,
    started_at timestamptz NOT NULL,
    term_days integer CHECK (term_days > 0),
    matures_at timestamptz,
    opened_principal numeric NOT NULL,
    opened_offset numeric NOT NULL,
    locked_revision integer NOT NULL,
    reward_account bigint NOT NULL,
    agreement_version integer NOT NULL,
    renewed_from bigint,
    principal numeric NOT NULL,
    tier_offset numeric NOT NULL CHECK (tier_offset >= 0),
    anchor_days integer NOT NULL CHECK (anchor_days >= 0),
    anchor_basis numeric NOT NULL CHECK (anchor_basis >= 0),
    parked_days integer CHECK (parked_days >= 0),
    at_maturity text NOT NULL CHECK (at_maturity IN ('redeem', 'renew', 'to_flexible')),
    redeem_to text NOT NULL CHECK (redeem_to IN ('spot', 'funding')),
    ended_at timestamptz,
    ended_by text CHECK (ended_by IN ('redemption', 'early_redemption', 'maturity', 'renewal', 'to_flexible')),
    PRIMARY KEY (cell, position_id),
    CONSTRAINT a_position_lies_in_its_customers_cell CHECK ((position_id & 255) = cell AND (customer_id & 255) = cell),
    CONSTRAINT a_term_has_one_maturity CHECK ((term_days IS NULL) = (matures_at IS NULL)
        AND full_days(started_at, matures_at) = term_days),
    CONSTRAINT a_position_never_grows CHECK (principal <= opened_principal AND opened_principal > 0),
    CONSTRAINT an_ended_position_holds_nothing CHECK ((ended_at IS NULL) = (principal > 0) AND principal >= 0),
    CONSTRAINT an_ended_position_says_how CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
    CONSTRAINT rewards_go_to_funding_or_accrued
        CHECK (account_kind(reward_account) IN (2, 4) AND account_customer(reward_account) = customer_id)
) WITH (fillfactor = 80);
COMMENT ON COLUMN position.tier_offset IS 'principal of the older positions in the holding: they fill the lower tiers first (rule 6)';
COMMENT ON COLUMN position.anchor_days IS 'accrual days settled when what the position earns last changed (rule 7)';
COMMENT ON COLUMN position.anchor_basis IS 'the undivided sum S of the rules over those days (rule 3)';
COMMENT ON COLUMN position.parked_days IS 'set while rewards cannot be paid: the days that were paid until then (rule 19)';
CREATE INDEX holding ON position (cell, customer_id, product_id, started_at, position_id) WHERE ended_at IS NULL;
CREATE INDEX position_of_customer ON position (cell, customer_id, position_id);
CREATE INDEX position_by_maturity ON position (cell, matures_at)
    WHERE ended_at IS NULL AND term_days IS NOT NULL;

-- What a position held before each change, for receipts and audit: days (from_days, to_days] earned on this.
CREATE TABLE position_past (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    from_days integer NOT NULL,
    from_basis numeric NOT NULL,
    to_days integer NOT NULL,
    principal numeric NOT NULL,
    tier_offset numeric NOT NULL,
    changed_at timestamptz NOT NULL,
    change integer NOT NULL CHECK (change > 0),
    PRIMARY KEY (cell, position_id, change),
    CONSTRAINT days_of_a_past_run_forward CHECK (to_days >= from_days AND from_days >= 0)
);

CREATE TABLE quote (
    cell smallint NOT NULL,
    quote_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    position_id bigint NOT NULL,
    figures json NOT NULL,
    fingerprint bytea NOT NULL,
    quoted_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > quoted_at),
    PRIMARY KEY (cell, quote_id)
);

CREATE TABLE auto_subscription (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    asset_id smallint NOT NULL,
    product_id integer NOT NULL,
    source text NOT NULL CHECK (source IN ('spot', 'funding')),
    floor numeric NOT NULL CHECK (floor >= 0),
    agreement_version integer NOT NULL,
    is_on boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (cell, customer_id, asset_id)
);

CREATE TABLE rate_guard (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    product_id integer NOT NULL,
    apr_min numeric NOT NULL CHECK (apr_min >= 0),
    action text NOT NULL CHECK (action IN ('redeem', 'stop')),
    is_on boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (cell, customer_id, product_id)
);

-- S(days) of a position: rules.basis_after. `span` figures are those in force for the days asked about.
CREATE FUNCTION basis_after(
    product_id integer, locked_revision integer, started_at timestamptz, principal numeric, tier_offset numeric,
    anchor_days integer, anchor_basis numeric, days integer
) RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT $7 + coalesce(sum(days_at_rate($3, r.effective_at, r.until_at, $6, $8)
                             * amount_in_tier($4, $5, r.amount_from, r.amount_to) * r.apr), 0)
      FROM rate_span r
     WHERE r.product_id = $1 AND r.locked_revision = $2;
END;

-- What a basis has paid in all: rules.paid_by. Multiply first, divide once, cut once.
CREATE FUNCTION paid_by(basis numeric, unit numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN div(basis, 365 * unit) * unit;

-- The rewards of accrual days (first, last] of a position on one span, each the growth of what has been paid; and, with
-- amount 0, the day `first` from which they grow.
CREATE FUNCTION earned_days(
    product_id integer, locked_revision integer, started_at timestamptz, principal numeric, tier_offset numeric,
    anchor_days integer, anchor_basis numeric, unit numeric, first integer, last integer
) RETURNS TABLE (day integer, basis numeric, amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT b.day, b.basis,
           paid_by(b.basis, $8) - lag(paid_by(b.basis, $8), 1, paid_by(b.basis, $8)) OVER (ORDER BY b.day)
      FROM (SELECT d.day, basis_after($1, $2, $3, $4, $5, $6, $7, d.day) AS basis
              FROM generate_series($9, $10) AS d (day)) b;
END;

-- How many accrual days of a position have been paid, given its cell's watermark.
CREATE FUNCTION days_paid(
    started_at timestamptz, term_days integer, anchor_days integer, parked_days integer, watermark_at timestamptz
) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(parked_days, greatest(anchor_days, least(full_days(started_at, watermark_at), term_days)));

-- Every stretch of a position's life on which it earned the same: days (from_days, to_days], past ones and, of an open
-- position, the one it is in, through the last day paid.
CREATE VIEW position_span AS
    SELECT p.cell, p.position_id, p.product_id, p.locked_revision, p.started_at, p.reward_account,
           h.from_days, h.from_basis, h.to_days, h.principal, h.tier_offset
      FROM position_past h
      JOIN position p ON p.cell = h.cell AND p.position_id = h.position_id
    UNION ALL
    SELECT p.cell, p.position_id, p.product_id, p.locked_revision, p.started_at, p.reward_account,
           p.anchor_days, p.anchor_basis,
           days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days, c.watermark_at), p.principal, p.tier_offset
      FROM position p
      JOIN cell c ON c.cell = p.cell
     WHERE p.ended_at IS NULL;

GRANT SELECT ON position_span TO staddle_app;
GRANT SELECT, INSERT ON position, position_past, quote, auto_subscription, rate_guard TO staddle_app;
GRANT UPDATE (principal, tier_offset, anchor_days, anchor_basis, parked_days, at_maturity, redeem_to, ended_at, ended_by)
    ON position TO staddle_app;
GRANT UPDATE (product_id, source, floor, agreement_version, is_on, changed_at) ON auto_subscription TO staddle_app;
GRANT UPDATE (apr_min, action, is_on, changed_at) ON rate_guard TO staddle_app;
