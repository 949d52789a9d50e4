-- Telling integrators what happened: webhooks, how far each has come, and what became of every attempt.

-- Where an integrator wants to be told. It is never deleted: a revoked one keeps its log.
CREATE TABLE webhook_endpoint (
    endpoint_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 100),
    url text NOT NULL CHECK (length(url) <= 2000),
    kinds text[],
    description text NOT NULL CHECK (length(description) <= 200),
    state text NOT NULL CHECK (state IN ('enabled', 'disabled', 'revoked')),
    disabled_because text CHECK (disabled_because IN ('by_owner', 'gone', 'failing')),
    secret bytea NOT NULL,
    secret_before bytea,
    secret_before_until timestamptz,
    failing_since timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT a_disabled_endpoint_says_why CHECK ((state = 'disabled') = (disabled_because IS NOT NULL)),
    CONSTRAINT a_secret_before_has_an_end CHECK ((secret_before IS NULL) = (secret_before_until IS NULL))
);
COMMENT ON COLUMN webhook_endpoint.kinds IS 'the kinds of notices wanted; null: all';
COMMENT ON COLUMN webhook_endpoint.secret IS 'what deliveries are signed with, sealed by STADDLE_SECRET_KEY';
COMMENT ON COLUMN webhook_endpoint.failing_since IS 'the first failure after the last success';
CREATE INDEX webhook_endpoint_of_client ON webhook_endpoint (client_id, endpoint_id);

-- How many notices of a cell an endpoint's deliveries have been made of: notices are numbered without a gap in the
-- order in which they were committed, so a count says exactly which.
CREATE TABLE webhook_cursor (
    endpoint_id integer NOT NULL REFERENCES webhook_endpoint,
    cell smallint NOT NULL,
    notice_count bigint NOT NULL CHECK (notice_count >= 0),
    PRIMARY KEY (endpoint_id, cell)
) WITH (fillfactor = 50);

-- One customer's deliveries to one endpoint go out in order, one at a time: whoever holds the lane sends its first.
CREATE TABLE webhook_lane (
    endpoint_id integer NOT NULL REFERENCES webhook_endpoint,
    customer_id bigint NOT NULL,
    due_at timestamptz NOT NULL,
    claim text,
    PRIMARY KEY (endpoint_id, customer_id)
) WITH (fillfactor = 70);
COMMENT ON COLUMN webhook_lane.due_at IS 'when its first delivery is to be tried; while it is claimed, when the claim ends';
CREATE INDEX webhook_lane_due ON webhook_lane (endpoint_id, due_at);

CREATE TABLE webhook_delivery (
    endpoint_id integer NOT NULL REFERENCES webhook_endpoint,
    notice_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'delivered', 'dead', 'cancelled')),
    due_at timestamptz NOT NULL,
    attempt_count integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (endpoint_id, notice_id),
    CONSTRAINT a_delivery_that_has_ended_says_when CHECK ((state = 'pending') = (ended_at IS NULL))
) WITH (fillfactor = 80);
COMMENT ON COLUMN webhook_delivery.failing_since IS 'its first failure since it was made or replayed: three days later it is dead';
CREATE INDEX webhook_delivery_pending ON webhook_delivery (endpoint_id, customer_id, notice_id) WHERE state = 'pending';
CREATE INDEX webhook_delivery_dead ON webhook_delivery (endpoint_id, notice_id) WHERE state = 'dead';
CREATE INDEX webhook_delivery_ended ON webhook_delivery (ended_at) WHERE state IN ('delivered', 'cancelled');

-- The log: every attempt, with the beginning of what was answered.
CREATE TABLE webhook_attempt (
    endpoint_id integer NOT NULL,
    notice_id bigint NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    started_at timestamptz NOT NULL,
    milliseconds integer NOT NULL CHECK (milliseconds >= 0),
    status integer,
    failure text,
    answer text NOT NULL CHECK (length(answer) <= 500),
    PRIMARY KEY (endpoint_id, notice_id, number),
    FOREIGN KEY (endpoint_id, notice_id) REFERENCES webhook_delivery ON DELETE CASCADE
);

-- What the desk has told of things that come to pass without anybody's act, so that each is told once.
CREATE TABLE announced (
    subject text PRIMARY KEY,
    standing text NOT NULL,
    announced_at timestamptz NOT NULL
);

-- Replaying finds the notices since an instant by it; it costs next to nothing to keep.
CREATE INDEX notice_by_instant ON notice USING brin (effective_at) WITH (autosummarize = on);

GRANT SELECT, INSERT ON webhook_endpoint, webhook_cursor, webhook_lane, webhook_delivery, webhook_attempt, announced
    TO staddle_app;
GRANT UPDATE (url, kinds, description, state, disabled_because, secret, secret_before, secret_before_until, failing_since)
    ON webhook_endpoint TO staddle_app;
GRANT UPDATE (notice_count) ON webhook_cursor TO staddle_app;
GRANT UPDATE (due_at, claim) ON webhook_lane TO staddle_app;
GRANT UPDATE (state, due_at, attempt_count, failing_since, ended_at) ON webhook_delivery TO staddle_app;
GRANT UPDATE (standing, announced_at) ON announced TO staddle_app;
GRANT DELETE ON webhook_cursor, webhook_lane, webhook_delivery TO staddle_app;
