-- Who is asking: roles of operators, logins, second factors, sessions, API keys, clients, and what became of each.
-- None of it is money. Secrets are stored so that this database alone opens no door: tokens and keys as SHA-256 of 256
-- random bits, passwords by argon2id, public keys as they are, and what must be readable sealed by STADDLE_SECRET_KEY.

ALTER TABLE operator
    ADD COLUMN roles text[] NOT NULL DEFAULT ARRAY['viewer'],
    ADD COLUMN is_active boolean NOT NULL DEFAULT true,
    ADD CONSTRAINT an_operator_has_known_roles CHECK (
        roles <@ ARRAY['viewer', 'support', 'product', 'treasury', 'admin'] AND 'viewer' = ANY (roles));
-- Whoever worked the desk before there were roles goes on as before.
UPDATE operator SET roles = ARRAY['viewer', 'support', 'product', 'treasury', 'admin'];
GRANT UPDATE (roles, is_active) ON operator TO staddle_app;

CREATE TABLE login (
    login_id text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('customer', 'operator')),
    email text CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    customer_id bigint,
    operator text REFERENCES operator,
    password_hash text,
    is_active boolean NOT NULL DEFAULT true,
    totp_secret bytea,
    totp_proposed bytea,
    totp_last_step bigint,
    added_at timestamptz NOT NULL,
    CONSTRAINT an_email_address_signs_in_one_login UNIQUE (kind, email),
    CONSTRAINT a_customer_has_one_login UNIQUE (customer_id),
    CONSTRAINT an_operator_has_one_login UNIQUE (operator),
    CONSTRAINT a_login_is_a_customers_or_an_operators CHECK (
        (kind = 'customer') = (customer_id IS NOT NULL) AND (kind = 'operator') = (operator IS NOT NULL))
);
COMMENT ON COLUMN login.email IS 'none for a customer who signs in with another account only';
COMMENT ON COLUMN login.totp_last_step IS 'the 30-second step of the last code that was used: no code is good twice';

CREATE INDEX login_of_kind ON login (kind, login_id);

CREATE TABLE recovery_code (
    login_id text NOT NULL REFERENCES login,
    code_hash bytea NOT NULL,
    PRIMARY KEY (login_id, code_hash)
);

CREATE TABLE passkey (
    passkey_id text PRIMARY KEY,
    login_id text NOT NULL REFERENCES login,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    added_at timestamptz NOT NULL,
    last_used_at timestamptz
);
CREATE INDEX passkey_of_login ON passkey (login_id);

-- What was handed out and must come back within minutes, once: a passkey's challenge, the state of a sign-in elsewhere.
CREATE TABLE challenge (
    challenge_id text PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('add_passkey', 'sign_in', 'step_up', 'external')),
    login_id text REFERENCES login,
    secret bytea NOT NULL,
    details json NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX challenge_by_expiry ON challenge (expires_at);

CREATE TABLE session (
    session_id text PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    login_id text NOT NULL REFERENCES login,
    opened_by text NOT NULL CHECK (opened_by IN ('password', 'code', 'recovery_code', 'passkey', 'external')),
    opened_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    stepped_up_at timestamptz,
    ended_at timestamptz,
    address inet,
    agent text NOT NULL
);
CREATE INDEX session_of_login ON session (login_id) WHERE ended_at IS NULL;

CREATE TABLE api_key (
    api_key_id text PRIMARY KEY,
    customer_id bigint NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    kind text NOT NULL CHECK (kind IN ('bearer', 'ed25519', 'hmac')),
    secret_hash bytea UNIQUE,
    public_key bytea,
    sealed_secret bytea,
    scopes text[] NOT NULL,
    addresses cidr[] NOT NULL,
    expires_at timestamptz,
    added_at timestamptz NOT NULL,
    last_used_at timestamptz,
    last_used_from inet,
    revoked_at timestamptz,
    CONSTRAINT an_api_key_has_known_scopes CHECK (
        scopes <@ ARRAY['read', 'subscribe', 'redeem', 'transfer'] AND cardinality(scopes) > 0),
    CONSTRAINT an_api_key_keeps_what_its_kind_needs CHECK (
        (kind = 'bearer') = (secret_hash IS NOT NULL)
        AND (kind = 'ed25519') = (public_key IS NOT NULL)
        AND (kind = 'hmac') = (sealed_secret IS NOT NULL))
);
CREATE INDEX api_key_of_customer ON api_key (customer_id);

CREATE TABLE client (
    client_id text PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    added_by text NOT NULL REFERENCES operator,
    added_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT a_client_has_known_scopes CHECK (
        scopes <@ ARRAY['customers', 'deposits', 'withdrawals', 'webhooks', 'events', 'act_for_customers']
        AND cardinality(scopes) > 0)
);

CREATE TABLE access_token (
    token_hash bytea PRIMARY KEY,
    client_id text NOT NULL REFERENCES client,
    scopes text[] NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX access_token_of_client ON access_token (client_id);

-- Failed attempts to sign in, by account and by address, so that many processes count together.
CREATE TABLE throttle (
    subject text PRIMARY KEY,
    failure_count integer NOT NULL CHECK (failure_count >= 0),
    last_failure_at timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL
);

-- The one provider of other accounts by which customers may sign in (OpenID Connect).
CREATE TABLE sign_in_provider (
    is_the_only_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_only_one),
    issuer text NOT NULL,
    client_id text NOT NULL,
    sealed_secret bytea NOT NULL,
    reference_claim text,
    set_by text NOT NULL REFERENCES operator,
    set_at timestamptz NOT NULL
);
COMMENT ON COLUMN sign_in_provider.reference_claim IS 'the claim that holds our reference of the customer; without it, a verified e-mail address that is a login''s';

CREATE TABLE external_account (
    issuer text NOT NULL,
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    login_id text NOT NULL REFERENCES login,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject),
    CONSTRAINT a_login_has_one_account_at_a_provider UNIQUE (login_id, issuer)
);

-- The amount of an asset from which a redemption in the browser wants a proof of who is asking; none without a row.
CREATE TABLE step_up_limit (
    asset_id smallint PRIMARY KEY REFERENCES asset,
    amount numeric NOT NULL CHECK (amount > 0)
);

-- What happened to a customer's access, for the customer to read. It is only ever appended to.
CREATE TABLE security_log (
    log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL,
    act text NOT NULL,
    details json NOT NULL,
    address inet,
    agent text NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp()
);
CREATE INDEX security_log_of_customer ON security_log (customer_id, log_id);

GRANT SELECT, INSERT ON login, recovery_code, passkey, challenge, session, api_key, client, access_token, throttle,
    sign_in_provider, external_account, step_up_limit, security_log TO staddle_app;
GRANT UPDATE (email, password_hash, is_active, totp_secret, totp_proposed, totp_last_step) ON login TO staddle_app;
GRANT UPDATE (sign_count, last_used_at) ON passkey TO staddle_app;
GRANT UPDATE (last_used_at, stepped_up_at, ended_at) ON session TO staddle_app;
GRANT UPDATE (last_used_at, last_used_from, revoked_at) ON api_key TO staddle_app;
GRANT UPDATE (secret_hash, revoked_at) ON client TO staddle_app;
GRANT UPDATE (failure_count, last_failure_at, blocked_until) ON throttle TO staddle_app;
GRANT UPDATE (issuer, client_id, sealed_secret, reference_claim, set_by, set_at) ON sign_in_provider TO staddle_app;
GRANT UPDATE (amount) ON step_up_limit TO staddle_app;
-- Locking a row needs the right to change some of it.
GRANT UPDATE (expires_at) ON challenge TO staddle_app;
GRANT DELETE ON recovery_code, passkey, challenge, session, access_token, throttle, sign_in_provider, step_up_limit
    TO staddle_app;
