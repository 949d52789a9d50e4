-- What can be subscribed to, under which terms, at which rates; who subscribes, and what they agreed to.

CREATE TABLE product (
    product_id integer PRIMARY KEY CHECK (product_id > 0),
    code text NOT NULL UNIQUE CHECK (code ~ '^[A-Z0-9][A-Z0-9._~-]{0,39}$'),
    asset_id smallint NOT NULL REFERENCES asset,
    kind text NOT NULL CHECK (kind IN ('flexible', 'fixed')),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    state text NOT NULL CHECK (state IN ('draft', 'live', 'closed', 'retired')),
    version integer,
    subscribe_halt text CHECK (length(subscribe_halt) BETWEEN 1 AND 300),
    redeem_halt text CHECK (length(redeem_halt) BETWEEN 1 AND 300),
    created_at timestamptz NOT NULL,
    CONSTRAINT a_product_on_sale_has_terms CHECK (state = 'draft' OR version IS NOT NULL)
);
COMMENT ON COLUMN product.version IS 'the terms in force for new positions';

CREATE TABLE terms (
    product_id integer NOT NULL REFERENCES product,
    version integer NOT NULL CHECK (version > 0),
    term_days integer CHECK (term_days BETWEEN 1 AND 3650),
    amount_min numeric NOT NULL CHECK (amount_min > 0),
    amount_max numeric CHECK (amount_max >= amount_min),
    step numeric NOT NULL CHECK (step > 0),
    personal_cap numeric CHECK (personal_cap >= amount_min),
    quota numeric CHECK (quota >= 0),
    opens_at timestamptz NOT NULL,
    closes_at timestamptz CHECK (closes_at > opens_at),
    new_customer_days integer CHECK (new_customer_days > 0),
    vip_level_min smallint NOT NULL CHECK (vip_level_min >= 0),
    countries_allowed text[],
    countries_excluded text[] NOT NULL,
    rate_policy text NOT NULL CHECK (rate_policy IN ('floating', 'locked')),
    payout text NOT NULL CHECK (payout IN ('daily', 'at_maturity')),
    early_redemption text NOT NULL
        CHECK (early_redemption IN ('forfeit_all', 'not_allowed', 'keep_fraction', 'reduced_apr')),
    kept_fraction numeric CHECK (kept_fraction BETWEEN 0 AND 1),
    reduced_apr numeric CHECK (reduced_apr >= 0),
    reduced_apr_days_min integer CHECK (reduced_apr_days_min >= 0),
    at_maturity text NOT NULL CHECK (at_maturity IN ('redeem', 'renew', 'to_flexible')),
    flexible_product_id integer REFERENCES product,
    drafted_by text NOT NULL REFERENCES operator,
    drafted_at timestamptz NOT NULL,
    approved_by text REFERENCES operator,
    approved_at timestamptz,
    PRIMARY KEY (product_id, version),
    CONSTRAINT terms_are_approved_by_a_second_person CHECK (approved_by <> drafted_by),
    CONSTRAINT approved_terms_have_an_instant CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CONSTRAINT kept_fraction_goes_with_its_policy
        CHECK ((early_redemption = 'keep_fraction') = (kept_fraction IS NOT NULL)),
    CONSTRAINT reduced_apr_goes_with_its_policy
        CHECK ((early_redemption = 'reduced_apr') = (reduced_apr IS NOT NULL)
            AND (reduced_apr IS NULL) = (reduced_apr_days_min IS NULL)),
    CONSTRAINT flexible_terms_are_daily_and_endless
        CHECK (term_days IS NOT NULL OR (payout = 'daily' AND at_maturity = 'redeem'))
);

-- The quota of a product, in a row of its own: the one hot row of a flash sale (rule 14).
CREATE TABLE quota (
    product_id integer PRIMARY KEY REFERENCES product,
    used numeric NOT NULL,
    total numeric,
    ceiling numeric,
    CONSTRAINT a_quota_is_never_released_twice CHECK (used >= 0),
    CONSTRAINT a_quota_is_never_oversold CHECK (used <= ceiling),
    CONSTRAINT a_quota_has_a_ceiling_where_it_has_a_total CHECK ((total IS NULL) = (ceiling IS NULL) AND ceiling >= total)
) WITH (fillfactor = 20);
COMMENT ON COLUMN quota.total IS 'the quota in the terms in force, which may be lower than what was sold under earlier ones';
COMMENT ON COLUMN quota.ceiling IS 'the total or, where the total was lowered below it, what was used then; it sinks with redemptions';

-- Append-only: a rate, once in force, is never edited.
CREATE TABLE rate_revision (
    product_id integer NOT NULL REFERENCES product,
    revision integer NOT NULL CHECK (revision > 0),
    effective_at timestamptz NOT NULL,
    published_at timestamptz NOT NULL,
    proposed_by text NOT NULL REFERENCES operator,
    approved_by text NOT NULL REFERENCES operator,
    reading text,
    PRIMARY KEY (product_id, revision),
    CONSTRAINT one_rate_at_an_instant UNIQUE (product_id, effective_at),
    CONSTRAINT a_rate_is_never_backdated CHECK (effective_at >= published_at),
    CONSTRAINT a_rate_is_approved_by_a_second_person CHECK (approved_by <> proposed_by)
);

CREATE TABLE rate_tier (
    product_id integer NOT NULL,
    revision integer NOT NULL,
    amount_from numeric NOT NULL CHECK (amount_from >= 0),
    amount_to numeric CHECK (amount_to > amount_from),
    apr numeric NOT NULL CHECK (apr >= 0 AND apr <= 100 AND scale(apr) <= 12),
    PRIMARY KEY (product_id, revision, amount_from),
    FOREIGN KEY (product_id, revision) REFERENCES rate_revision
);

-- The rates as the arithmetic wants them: locked_revision 0 is the floating schedule, each revision in force until
-- the next; locked_revision n is revision n alone, in force for ever.
CREATE VIEW rate_span AS
    SELECT r.product_id, 0 AS locked_revision, r.revision, r.effective_at, r.until_at,
           t.amount_from, t.amount_to, t.apr
      FROM (SELECT product_id, revision, effective_at,
                   lead(effective_at, 1, '9999-01-01T00:00:00Z'::timestamptz)
                       OVER (PARTITION BY product_id ORDER BY effective_at) AS until_at
              FROM rate_revision) r
      JOIN rate_tier t ON t.product_id = r.product_id AND t.revision = r.revision
    UNION ALL
    SELECT r.product_id, r.revision, r.revision, '0001-01-01T00:00:00Z'::timestamptz, '9999-01-01T00:00:00Z'::timestamptz,
           t.amount_from, t.amount_to, t.apr
      FROM rate_revision r
      JOIN rate_tier t ON t.product_id = r.product_id AND t.revision = r.revision;

CREATE TABLE customer (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL CHECK (customer_id > 255 AND customer_id < 1::bigint << 44),
    reference text NOT NULL CHECK (length(reference) BETWEEN 1 AND 100),
    name text NOT NULL CHECK (length(name) <= 200),
    country text CHECK (country ~ '^[A-Z]{2}$'),
    vip_level smallint NOT NULL CHECK (vip_level >= 0),
    joined_at timestamptz NOT NULL,
    PRIMARY KEY (cell, customer_id),
    CONSTRAINT a_customer_reference_is_used_once UNIQUE (cell, reference),
    CONSTRAINT a_customer_lies_in_their_cell CHECK ((customer_id & 255) = cell)
);

CREATE TABLE agreement (
    version integer PRIMARY KEY CHECK (version > 0),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200),
    body text NOT NULL CHECK (length(body) > 0),
    published_by text NOT NULL REFERENCES operator,
    published_at timestamptz NOT NULL
);

CREATE TABLE consent (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    version integer NOT NULL,
    accepted_at timestamptz NOT NULL,
    accepted_from text NOT NULL,
    PRIMARY KEY (cell, customer_id, version)
);

-- The outbox: what happened, written in the transaction in which it happened. Customer 0 speaks to all.
CREATE TABLE notice (
    cell smallint NOT NULL,
    notice_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    kind text NOT NULL,
    body json NOT NULL,
    effective_at timestamptz NOT NULL,
    PRIMARY KEY (cell, notice_id),
    CONSTRAINT a_notice_lies_in_its_cell CHECK ((notice_id & 255) = cell)
);
CREATE INDEX notice_of_customer ON notice (cell, customer_id, notice_id);

GRANT SELECT, INSERT ON product, terms, quota, rate_revision, rate_tier, customer, agreement, consent, notice TO staddle_app;
GRANT SELECT ON rate_span TO staddle_app;
GRANT UPDATE (name, state, version, subscribe_halt, redeem_halt) ON product TO staddle_app;
GRANT UPDATE (approved_by, approved_at) ON terms TO staddle_app;
GRANT UPDATE (used, total, ceiling) ON quota TO staddle_app;
GRANT UPDATE (name, country, vip_level) ON customer TO staddle_app;
