-- The newest known price of each coin in a quote currency. It is only shown: nothing is ever booked or decided by it.
CREATE TABLE asset_price (
    asset_id smallint NOT NULL REFERENCES asset,
    quote text NOT NULL CHECK (quote ~ '^[A-Z]{3,10}$'),
    price numeric NOT NULL CHECK (price > 0 AND price < 1000000000000),
    priced_at timestamptz NOT NULL,
    set_by text NOT NULL REFERENCES operator,
    PRIMARY KEY (asset_id, quote)
);
COMMENT ON TABLE asset_price IS 'what a coin is worth in a quote currency; an estimate that is only shown';
COMMENT ON COLUMN asset_price.price IS 'how much of the quote currency one whole coin is worth';
COMMENT ON COLUMN asset_price.priced_at IS 'when the coin had this price, on the desk''s clock';

GRANT SELECT, INSERT, UPDATE ON asset_price TO staddle_app;
