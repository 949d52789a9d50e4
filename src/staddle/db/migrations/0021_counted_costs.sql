-- What a day costs by product, as the schedule last counted it over all open positions: for pages, which must be there
-- at once on a desk of any size. It is no part of the books; whatever decides about money counts for itself.
CREATE TABLE counted_cost (
    product_id integer PRIMARY KEY REFERENCES product,
    positions bigint NOT NULL,
    principal numeric NOT NULL,
    day_basis numeric NOT NULL,
    counted_at timestamptz NOT NULL
);
COMMENT ON COLUMN counted_cost.day_basis IS 'what a day costs at the rates in force, undivided by 365';
COMMENT ON COLUMN counted_cost.counted_at IS 'by the machine''s clock';
GRANT SELECT, INSERT, UPDATE, DELETE ON counted_cost TO staddle_app;
