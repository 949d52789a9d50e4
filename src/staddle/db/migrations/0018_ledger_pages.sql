-- Looking through the whole desk, and its books closed day by day. Decision 0028 has the figures.

-- Customers by the beginning of their reference or name, by country, by VIP level, and in the order in which they joined.
CREATE INDEX customer_by_reference ON customer (reference COLLATE "C");
CREATE INDEX customer_by_name ON customer (lower(name) COLLATE "C", customer_id) WHERE name <> '';
CREATE INDEX customer_by_joining ON customer (joined_at, customer_id);
CREATE INDEX customer_by_country ON customer (country, joined_at, customer_id) WHERE country IS NOT NULL;
CREATE INDEX customer_by_vip_level ON customer (vip_level, joined_at, customer_id) WHERE vip_level > 0;
CREATE INDEX customer_login_by_email ON login (email COLLATE "C") WHERE kind = 'customer';

-- Positions over all cells, product by product: each list is a merge of the beginnings of a few ranges.
CREATE INDEX open_position_by_start ON position (product_id, started_at, position_id) WHERE ended_at IS NULL;
CREATE INDEX ended_position_by_start ON position (product_id, started_at, position_id) WHERE ended_at IS NOT NULL;
CREATE INDEX open_position_by_product_and_maturity ON position (product_id, matures_at, position_id)
    WHERE ended_at IS NULL AND term_days IS NOT NULL;

-- Transfers over all cells are read backwards, a stretch of time after the other. Kinds that are rare are looked up;
-- forfeitures have an index for treasury that serves here too.
CREATE INDEX transfer_by_instant ON transfer USING brin (effective_at) WITH (autosummarize = on);
CREATE INDEX rare_transfer_by_kind ON transfer (kind, effective_at, transfer_id)
    WHERE kind IN ('accrued_payout', 'pool_funding', 'pool_withdrawal', 'income_to_pool', 'correction');

-- A day is closed once its run is finished: the books of all cells, added up. A closing cuts the journal of each cell
-- before the first transfer that took effect at the distribution or later; the rewards of a run date belong to its day,
-- those that were paid late to the next closing that is made.
CREATE TABLE closing (
    closed_on date PRIMARY KEY REFERENCES run,
    closed_at timestamptz NOT NULL
);

CREATE TABLE closing_cut (
    cell smallint NOT NULL,
    closed_on date NOT NULL REFERENCES closing,
    through_transfer bigint NOT NULL CHECK ((through_transfer & 255) = cell),
    PRIMARY KEY (cell, closed_on)
);
COMMENT ON COLUMN closing_cut.through_transfer IS 'the last transfer of the cell that the closing covers; the number of the cell where there is none';

CREATE TABLE closing_late_reward (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    run_on date NOT NULL,
    closed_on date NOT NULL REFERENCES closing,
    CONSTRAINT a_late_reward_is_closed_once PRIMARY KEY (cell, position_id, run_on)
);

-- What moved since the closing before, by asset and kind; a reward moves from reward expense to Funding or accrued.
CREATE TABLE closing_movement (
    closed_on date NOT NULL REFERENCES closing,
    asset_id smallint NOT NULL REFERENCES asset,
    kind text NOT NULL,
    debit_kind smallint NOT NULL,
    credit_kind smallint NOT NULL,
    move_count bigint NOT NULL CHECK (move_count > 0),
    amount numeric NOT NULL CHECK (amount > 0),
    PRIMARY KEY (closed_on, asset_id, kind, debit_kind, credit_kind)
);

-- The trial balance: what all accounts of a kind hold together, credits minus debits.
CREATE TABLE closing_balance (
    closed_on date NOT NULL REFERENCES closing,
    asset_id smallint NOT NULL REFERENCES asset,
    account_kind smallint NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (closed_on, asset_id, account_kind)
);

GRANT SELECT, INSERT ON closing, closing_cut, closing_late_reward, closing_movement, closing_balance TO staddle_app;
