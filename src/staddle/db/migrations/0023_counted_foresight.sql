-- What pages show of the coming days, as the schedule last worked it out; no part of the books, as counted_cost.
CREATE TABLE counted_foresight (
    is_the_only_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_only_one),
    body text NOT NULL,
    counted_at timestamptz NOT NULL
);
COMMENT ON COLUMN counted_foresight.body IS 'JSON: positions in groups that earn alike, and the liquidity ladder of each coin';
GRANT SELECT, INSERT, UPDATE ON counted_foresight TO staddle_app;
