-- Keys that sign requests to the Binance Simple Earn API: RSA beside HMAC and Ed25519, and the agreement that their owner
-- accepts beforehand, as that API has no words for it.
ALTER TABLE api_key
    ADD COLUMN agreement_version integer REFERENCES agreement,
    DROP CONSTRAINT api_key_kind_check,
    DROP CONSTRAINT an_api_key_keeps_what_its_kind_needs,
    ADD CONSTRAINT api_key_kind_check CHECK (kind IN ('bearer', 'hmac', 'rsa', 'ed25519')),
    ADD CONSTRAINT an_api_key_keeps_what_its_kind_needs CHECK (
        (kind = 'bearer') = (secret_hash IS NOT NULL)
        AND (kind IN ('rsa', 'ed25519')) = (public_key IS NOT NULL)
        AND (kind = 'hmac') = (sealed_secret IS NOT NULL));
COMMENT ON COLUMN api_key.agreement_version IS 'accepted for every subscription by this key that cannot name it itself';
GRANT UPDATE (agreement_version) ON api_key TO staddle_app;

-- What requests have cost their addresses in the running minute, and when each customer last asked for what may be asked
-- once in some seconds. Neither is worth a write-ahead log: after a crash they begin anew.
CREATE UNLOGGED TABLE request_weight (
    address text,
    endpoint text,
    minute timestamptz NOT NULL,
    weight integer NOT NULL CHECK (weight > 0),
    PRIMARY KEY (address, endpoint)
) WITH (fillfactor = 50);
COMMENT ON TABLE request_weight IS 'what an address has spent on an endpoint in a minute';
CREATE UNLOGGED TABLE request_turn (
    customer_id bigint,
    endpoint text,
    request_key text NOT NULL,
    taken_at timestamptz NOT NULL,
    PRIMARY KEY (customer_id, endpoint)
) WITH (fillfactor = 50);
COMMENT ON TABLE request_turn IS 'when a customer last asked for what may be asked once in some seconds';
GRANT SELECT, INSERT, UPDATE, DELETE ON request_weight, request_turn TO staddle_app;

-- The Binance API lets a position be renewed and yet say where its principal is to go once it is not; the engine has one
-- choice for both.
CREATE TABLE redeem_preference (
    cell smallint,
    position_id bigint,
    is_flexible boolean NOT NULL,
    PRIMARY KEY (cell, position_id)
);
COMMENT ON TABLE redeem_preference IS 'whether principal goes to flexible once a position is not renewed any more';
GRANT SELECT, INSERT, UPDATE ON redeem_preference TO staddle_app;
