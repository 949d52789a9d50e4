-- Links that are sent by e-mail, to sign up or to set a new password: good once, for half an hour. Only the SHA-256 of a
-- link's token is kept.
CREATE TABLE email_link (
    token_hash bytea PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('sign_up', 'recover')),
    email text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    login_id text REFERENCES login,
    expires_at timestamptz NOT NULL,
    CONSTRAINT a_link_recovers_a_login CHECK ((purpose = 'recover') = (login_id IS NOT NULL))
);
CREATE INDEX email_link_by_expiry ON email_link (expires_at);
CREATE INDEX email_link_of_login ON email_link (login_id) WHERE login_id IS NOT NULL;
COMMENT ON COLUMN email_link.login_id IS 'whose password it sets; whoever signs up has none yet';

GRANT SELECT, INSERT, DELETE ON email_link TO staddle_app;
