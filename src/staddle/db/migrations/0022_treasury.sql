-- What the desk looks back upon: moves of the reward pools with their references, forfeitures by day, and who was told of
-- a rate.

-- Every move of a reward pool that two people have done. Its transfers share `act_id`; the request says who.
CREATE TABLE pool_move (
    approval_id integer PRIMARY KEY REFERENCES approval,
    asset_id smallint NOT NULL REFERENCES asset,
    move text NOT NULL CHECK (move IN ('funding', 'withdrawal', 'income')),
    amount numeric NOT NULL CHECK (amount > 0),
    reference text CHECK (length(reference) BETWEEN 1 AND 200),
    act_id bigint NOT NULL UNIQUE,
    moved_at timestamptz NOT NULL,
    CONSTRAINT a_pool_move_has_a_reference_of_its_own UNIQUE (asset_id, reference)
);
COMMENT ON COLUMN pool_move.reference IS 'what the operator who asked wrote down for it, such as custody''s own reference';
GRANT SELECT, INSERT ON pool_move TO staddle_app;

-- Income from forfeitures by day is read from the transfers themselves, which this finds without looking at any other.
CREATE INDEX forfeiture_by_instant ON transfer (effective_at) INCLUDE (debit_account, amount) WHERE kind = 'forfeiture';

-- To how many customers a rate revision was told: those who held the product then.
CREATE TABLE rate_announcement (
    product_id integer NOT NULL,
    revision integer NOT NULL,
    holders bigint NOT NULL CHECK (holders >= 0),
    announced_at timestamptz NOT NULL,
    PRIMARY KEY (product_id, revision),
    FOREIGN KEY (product_id, revision) REFERENCES rate_revision
);
GRANT SELECT, INSERT ON rate_announcement TO staddle_app;
