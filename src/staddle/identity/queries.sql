-- name: session_by_token
-- Find a session by the hash of its token, with whose it is and whether they may still come in.
SELECT s.session_id, s.last_used_at, s.expires_at, s.stepped_up_at, s.ended_at,
       l.kind, l.customer_id, l.operator, l.is_active AND coalesce(o.is_active, true) AS is_active, o.roles
  FROM session s
  JOIN login l USING (login_id)
  LEFT JOIN operator o ON o.name = l.operator
 WHERE s.token_hash = %(token_hash)s;

-- name: touch_session
-- Remember that a session was used.
UPDATE session SET last_used_at = %(now)s WHERE session_id = %(session_id)s;

-- name: api_key_by_secret
-- Find an API key by the hash of its secret, with whether its customer may still come in.
SELECT k.api_key_id, k.customer_id, k.scopes, k.addresses, k.expires_at, k.last_used_at, k.revoked_at,
       coalesce(l.is_active, true) AS is_active
  FROM api_key k
  LEFT JOIN login l ON l.customer_id = k.customer_id
 WHERE k.secret_hash = %(token_hash)s;

-- name: api_keys_by_secrets
-- Find API keys by the hashes of their secrets, with whether their customers may still come in.
SELECT k.secret_hash, k.api_key_id, k.customer_id, k.scopes, k.addresses, k.expires_at, k.last_used_at, k.revoked_at,
       coalesce(l.is_active, true) AS is_active
  FROM api_key k
  LEFT JOIN login l ON l.customer_id = k.customer_id
 WHERE k.secret_hash = ANY(%(token_hashes)s::bytea[]);

-- name: touch_api_keys
-- Remember when and from where API keys were used.
UPDATE api_key k
   SET last_used_at = %(now)s, last_used_from = u.address::inet
  FROM unnest(%(api_key_ids)s::text[], %(addresses)s::text[]) AS u (api_key_id, address)
 WHERE k.api_key_id = u.api_key_id
   AND k.api_key_id IN (SELECT l.api_key_id FROM api_key l WHERE l.api_key_id = ANY(%(api_key_ids)s::text[])
                         ORDER BY l.api_key_id FOR NO KEY UPDATE SKIP LOCKED);

-- name: access_token
-- Find a client by the hash of its access token.
SELECT t.client_id, t.scopes, t.expires_at, c.revoked_at
  FROM access_token t
  JOIN client c USING (client_id)
 WHERE t.token_hash = %(token_hash)s;

-- name: count_attempt
-- Count an attempt as failed, unless its subject must still wait; past the free ones each doubles the wait.
INSERT INTO throttle AS t (subject, failure_count, last_failure_at, blocked_until)
VALUES (%(subject)s, 1, %(now)s, %(now)s)
    ON CONFLICT (subject) DO UPDATE
   SET failure_count = CASE WHEN t.last_failure_at < %(forgotten_before)s THEN 1 ELSE t.failure_count + 1 END,
       last_failure_at = %(now)s,
       blocked_until = CASE
           WHEN t.last_failure_at < %(forgotten_before)s OR t.failure_count + 1 < %(free)s::integer THEN %(now)s
           ELSE %(now)s + make_interval(
               secs => least(1 << least(t.failure_count + 2 - %(free)s::integer, 20), %(wait_max)s::integer))
           END
 WHERE t.blocked_until <= %(now)s
RETURNING failure_count;

-- name: blocked_until
-- Read until when a subject must wait.
SELECT blocked_until FROM throttle WHERE subject = %(subject)s;

-- name: give_attempt_back
-- Take an attempt back.
UPDATE throttle AS t
   SET failure_count = greatest(t.failure_count - 1, 0), blocked_until = t.last_failure_at
 WHERE t.subject = ANY (%(subjects)s::text[]);

-- name: forget_attempts
-- Forget the failures of these subjects.
DELETE FROM throttle WHERE subject = ANY (%(subjects)s::text[]);

-- name: note
-- Write down what happened to a customer's access.
INSERT INTO security_log (customer_id, act, details, address, agent, effective_at)
VALUES (%(customer_id)s, %(act)s, %(details)s, %(address)s::inet, %(agent)s, %(now)s);

-- name: read_security_log
-- Read what happened to a customer's access, newest first.
SELECT log_id, act, details, host(address) AS address, agent, effective_at
  FROM security_log
 WHERE customer_id = %(customer_id)s AND (%(before)s::bigint IS NULL OR log_id < %(before)s::bigint)
 ORDER BY log_id DESC
 LIMIT %(count)s;

-- name: find_login
-- Find the login that has what is given: its id, its address, its customer, or its operator.
SELECT l.login_id, l.kind, l.email, l.customer_id, l.operator, l.is_active, l.password_hash IS NOT NULL AS has_password,
       l.totp_secret IS NOT NULL AS has_code,
       (SELECT count(*) FROM passkey p WHERE p.login_id = l.login_id) AS passkey_count, l.added_at
  FROM login l
 WHERE l.login_id = %(login_id)s
    OR (l.kind = %(kind)s AND l.email = %(email)s)
    OR l.customer_id = %(customer_id)s
    OR l.operator = %(operator)s;

-- name: list_logins
-- List logins of a kind in an order that stays.
SELECT l.login_id, l.kind, l.email, l.customer_id, l.operator, l.is_active, l.password_hash IS NOT NULL AS has_password,
       l.totp_secret IS NOT NULL AS has_code,
       (SELECT count(*) FROM passkey p WHERE p.login_id = l.login_id) AS passkey_count, l.added_at
  FROM login l
 WHERE l.kind = %(kind)s AND l.login_id > %(after)s
 ORDER BY l.login_id
 LIMIT %(count)s;

-- name: add_login
-- Add a login, unless its owner or its address has one.
INSERT INTO login (login_id, kind, email, customer_id, operator, password_hash, added_at)
VALUES (%(login_id)s, %(kind)s, %(email)s, %(customer_id)s, %(operator)s, %(password_hash)s, %(now)s)
    ON CONFLICT DO NOTHING
RETURNING login_id;

-- name: lock_login
-- Hold a login while it changes.
SELECT login_id FROM login WHERE login_id = %(login_id)s FOR UPDATE;

-- name: password_of
-- Read the hash of a login's password.
SELECT password_hash FROM login WHERE login_id = %(login_id)s;

-- name: change_password
-- Change a password, if it still is the one that was proved.
UPDATE login
   SET password_hash = %(to_hash)s
 WHERE login_id = %(login_id)s AND password_hash = %(from_hash)s AND is_active
RETURNING login_id;

-- name: set_password
-- Set a password, whatever it was.
UPDATE login SET password_hash = %(password_hash)s WHERE login_id = %(login_id)s;

-- name: set_login_active
-- Let a login in, or no more.
UPDATE login SET is_active = %(is_active)s WHERE login_id = %(login_id)s;

-- name: end_sessions
-- End a login's sessions: one of them, or all but one.
UPDATE session
   SET ended_at = %(now)s
 WHERE login_id = %(login_id)s AND ended_at IS NULL
   AND (%(session_id)s::text IS NULL OR session_id = %(session_id)s)
   AND session_id IS DISTINCT FROM %(but)s::text
RETURNING session_id;

-- name: login_to_open
-- Find what signing in needs of a login.
SELECT l.login_id, l.password_hash, l.is_active AND coalesce(o.is_active, true) AS is_active, l.customer_id, l.operator
  FROM login l
  LEFT JOIN operator o ON o.name = l.operator
 WHERE l.kind = %(kind)s AND l.email = %(email)s;

-- name: open_session
-- Open a session.
INSERT INTO session (session_id, token_hash, login_id, opened_by, opened_at, last_used_at, expires_at, stepped_up_at,
                     address, agent)
VALUES (%(session_id)s, %(token_hash)s, %(login_id)s, %(opened_by)s, %(now)s, %(now)s, %(expires_at)s,
        %(stepped_up_at)s, %(address)s::inet, %(agent)s)
RETURNING session_id, opened_by, opened_at, last_used_at, expires_at, stepped_up_at, host(address) AS address, agent;

-- name: sessions_of
-- List where a login is signed in, the last used first.
SELECT session_id, opened_by, opened_at, last_used_at, expires_at, stepped_up_at, host(address) AS address, agent
  FROM session
 WHERE login_id = %(login_id)s AND ended_at IS NULL AND expires_at > %(now)s AND last_used_at >= %(used_since)s
 ORDER BY last_used_at DESC, session_id;

-- name: step_up
-- Remember that a session has just proved again whose it is.
UPDATE session SET stepped_up_at = %(now)s WHERE session_id = %(session_id)s AND ended_at IS NULL;

-- name: lock_totp
-- Hold a login while its second factor is used or changed.
SELECT totp_secret, totp_proposed FROM login WHERE login_id = %(login_id)s FOR UPDATE;

-- name: propose_totp
-- Keep the secret of an authenticator app that is not confirmed yet.
UPDATE login SET totp_proposed = %(sealed)s WHERE login_id = %(login_id)s;

-- name: confirm_totp
-- Turn the proposed authenticator app on; the code that confirmed it is used up.
UPDATE login
   SET totp_secret = totp_proposed, totp_proposed = NULL, totp_last_step = %(step)s
 WHERE login_id = %(login_id)s;

-- name: remove_totp
-- Turn the authenticator app off.
UPDATE login SET totp_secret = NULL, totp_proposed = NULL WHERE login_id = %(login_id)s;

-- name: use_totp_step
-- Use up the code of a step, unless it or a later one was used.
UPDATE login
   SET totp_last_step = %(step)s
 WHERE login_id = %(login_id)s AND (totp_last_step IS NULL OR totp_last_step < %(step)s)
RETURNING login_id;

-- name: add_recovery_codes
-- Add recovery codes.
INSERT INTO recovery_code (login_id, code_hash)
SELECT %(login_id)s, n.code_hash FROM unnest(%(code_hashes)s::bytea[]) AS n (code_hash);

-- name: remove_recovery_codes
-- Make a login's recovery codes void.
DELETE FROM recovery_code WHERE login_id = %(login_id)s;

-- name: use_recovery_code
-- Use a recovery code up.
DELETE FROM recovery_code WHERE login_id = %(login_id)s AND code_hash = %(code_hash)s RETURNING login_id;

-- name: signing_keys
-- Find API keys that sign requests, by their ids, with whether their customers may still come in.
SELECT k.api_key_id, k.customer_id, k.scopes, k.addresses, k.expires_at, k.last_used_at, k.revoked_at,
       coalesce(l.is_active, true) AS is_active, k.kind, k.public_key, k.sealed_secret, k.agreement_version
  FROM api_key k
  LEFT JOIN login l ON l.customer_id = k.customer_id
 WHERE k.api_key_id = ANY(%(api_key_ids)s::text[]) AND k.kind <> 'bearer';

-- name: add_api_key
-- Add an API key.
INSERT INTO api_key (api_key_id, customer_id, name, kind, secret_hash, public_key, sealed_secret, scopes, addresses,
                     expires_at, agreement_version, added_at)
VALUES (%(api_key_id)s, %(customer_id)s, %(name)s, %(kind)s, %(secret_hash)s, %(public_key)s, %(sealed_secret)s,
        %(scopes)s::text[], %(addresses)s::cidr[], %(expires_at)s, %(agreement_version)s, %(now)s);

-- name: accept_for_api_key
-- Accept a version of the agreement for the subscriptions that come by an API key.
UPDATE api_key SET agreement_version = %(version)s WHERE api_key_id = %(api_key_id)s;

-- name: revoke_api_key
-- Revoke an API key.
UPDATE api_key SET revoked_at = %(now)s WHERE api_key_id = %(api_key_id)s AND revoked_at IS NULL;

-- name: api_keys_of
-- List a customer's API keys, newest first.
SELECT api_key_id, name, kind, scopes, addresses::text[] AS addresses, expires_at, added_at, last_used_at,
       host(last_used_from) AS last_used_from, revoked_at, agreement_version
  FROM api_key
 WHERE customer_id = %(customer_id)s
 ORDER BY added_at DESC, api_key_id;

-- name: add_client
-- Add a client, unless its id is taken.
INSERT INTO client (client_id, name, secret_hash, scopes, added_by, added_at)
VALUES (%(client_id)s, %(name)s, %(secret_hash)s, %(scopes)s::text[], %(by)s, %(now)s)
    ON CONFLICT (client_id) DO NOTHING
RETURNING client_id;

-- name: rotate_client
-- Give a client another secret.
UPDATE client
   SET secret_hash = %(secret_hash)s
 WHERE client_id = %(client_id)s AND revoked_at IS NULL
RETURNING client_id;

-- name: revoke_client
-- Let a client in no more.
UPDATE client
   SET revoked_at = %(now)s
 WHERE client_id = %(client_id)s AND revoked_at IS NULL
RETURNING client_id;

-- name: list_clients
-- List the clients.
SELECT client_id, name, scopes, added_by, added_at, revoked_at FROM client ORDER BY client_id;

-- name: client_secret
-- Find what trading a client's secret for a token needs.
SELECT secret_hash, scopes, revoked_at FROM client WHERE client_id = %(client_id)s;

-- name: grant_access
-- Keep an access token.
INSERT INTO access_token (token_hash, client_id, scopes, expires_at)
VALUES (%(token_hash)s, %(client_id)s, %(scopes)s::text[], %(expires_at)s);

-- name: drop_expired_tokens
-- Drop a client's access tokens that have expired.
DELETE FROM access_token WHERE client_id = %(client_id)s AND expires_at <= %(now)s;

-- name: drop_access_tokens
-- Drop all of a client's access tokens.
DELETE FROM access_token WHERE client_id = %(client_id)s;

-- name: set_step_up_amount
-- Set from which amount on a redemption of a coin needs a step-up.
INSERT INTO step_up_limit (asset_id, amount)
VALUES (%(asset_id)s, %(amount)s)
    ON CONFLICT (asset_id) DO UPDATE SET amount = %(amount)s;

-- name: drop_step_up_amount
-- Let redemptions of a coin need no step-up.
DELETE FROM step_up_limit WHERE asset_id = %(asset_id)s;

-- name: step_up_amounts
-- Read from which amounts on redemptions need a step-up.
SELECT a.code, s.amount FROM step_up_limit s JOIN asset a USING (asset_id) ORDER BY a.code;

-- name: make_challenge
-- Keep a challenge until it comes back.
INSERT INTO challenge (challenge_id, purpose, login_id, secret, details, expires_at)
VALUES (%(challenge_id)s, %(purpose)s, %(login_id)s, %(secret)s, %(details)s, %(expires_at)s);

-- name: take_challenge
-- Take a challenge back, once.
DELETE FROM challenge
 WHERE challenge_id = %(challenge_id)s AND purpose = %(purpose)s
RETURNING login_id, secret, details, expires_at;

-- name: drop_expired_challenges
-- Drop some of the challenges that never came back, without waiting for anybody who does the same.
DELETE FROM challenge
 WHERE challenge_id IN (
     SELECT c.challenge_id FROM challenge c WHERE c.expires_at <= %(now)s LIMIT 100 FOR UPDATE SKIP LOCKED);

-- name: add_passkey
-- Add a passkey, unless it is known.
INSERT INTO passkey (passkey_id, login_id, name, public_key, sign_count, added_at)
VALUES (%(passkey_id)s, %(login_id)s, %(name)s, %(public_key)s, %(sign_count)s, %(now)s)
    ON CONFLICT (passkey_id) DO NOTHING
RETURNING passkey_id;

-- name: passkeys_of
-- List a login's passkeys, oldest first.
SELECT passkey_id, name, added_at, last_used_at
  FROM passkey
 WHERE login_id = %(login_id)s
 ORDER BY added_at, passkey_id;

-- name: lock_passkey
-- Hold a passkey while its signature is checked.
SELECT passkey_id, login_id, public_key, sign_count FROM passkey WHERE passkey_id = %(passkey_id)s FOR UPDATE;

-- name: use_passkey
-- Remember how often a passkey says that it was used.
UPDATE passkey
   SET sign_count = %(sign_count)s, last_used_at = %(now)s
 WHERE passkey_id = %(passkey_id)s;

-- name: remove_passkey
-- Remove a passkey.
DELETE FROM passkey WHERE passkey_id = %(passkey_id)s AND login_id = %(login_id)s RETURNING passkey_id;

-- name: set_sign_in_provider
-- Trust a provider of other accounts, in place of any other.
INSERT INTO sign_in_provider (issuer, client_id, sealed_secret, reference_claim, set_by, set_at)
VALUES (%(issuer)s, %(client_id)s, %(sealed)s, %(reference_claim)s, %(by)s, %(now)s)
    ON CONFLICT (is_the_only_one) DO UPDATE
   SET issuer = %(issuer)s, client_id = %(client_id)s, sealed_secret = %(sealed)s,
       reference_claim = %(reference_claim)s, set_by = %(by)s, set_at = %(now)s;

-- name: drop_sign_in_provider
-- Trust no provider any more.
DELETE FROM sign_in_provider RETURNING issuer;

-- name: find_sign_in_provider
-- Read which provider is trusted.
SELECT issuer, client_id, sealed_secret, reference_claim, set_by, set_at FROM sign_in_provider;

-- name: external_account
-- Find the login that an account elsewhere is linked to.
SELECT login_id FROM external_account WHERE issuer = %(issuer)s AND subject = %(subject)s;

-- name: link_account
-- Link an account elsewhere to a login, unless either is linked at this provider already.
INSERT INTO external_account (issuer, subject, login_id, linked_at)
VALUES (%(issuer)s, %(subject)s, %(login_id)s, %(now)s)
    ON CONFLICT DO NOTHING;

-- name: forget_sessions
-- Forget sessions that ended long ago.
DELETE FROM session WHERE least(expires_at, coalesce(ended_at, expires_at)) < %(sessions_before)s;

-- name: forget_challenges
-- Forget challenges that never came back.
DELETE FROM challenge WHERE expires_at <= %(now)s;

-- name: forget_tokens
-- Forget access tokens that have expired.
DELETE FROM access_token WHERE expires_at <= %(now)s;

-- name: forget_failures
-- Forget failed attempts of long ago, of addresses and accounts that were never there too.
DELETE FROM throttle WHERE last_failure_at < %(attempts_before)s AND blocked_until <= %(now)s;

-- name: remove_passkeys
-- Remove all passkeys of a login.
DELETE FROM passkey WHERE login_id = %(login_id)s;

-- name: end_sessions_of_operator
-- End all sessions of an operator.
UPDATE session s
   SET ended_at = %(now)s
  FROM login l
 WHERE l.operator = %(operator)s AND s.login_id = l.login_id AND s.ended_at IS NULL;

-- name: make_email_link
-- Keep the hash of a link that is sent by e-mail.
INSERT INTO email_link (token_hash, purpose, email, login_id, expires_at)
VALUES (%(token_hash)s, %(purpose)s, %(email)s, %(login_id)s, %(expires_at)s);

-- name: find_email_link
-- Look at a link without using it up.
SELECT email, login_id
  FROM email_link
 WHERE token_hash = %(token_hash)s AND purpose = %(purpose)s AND expires_at > %(now)s;

-- name: take_email_link
-- Use a link up, once.
DELETE FROM email_link
 WHERE token_hash = %(token_hash)s AND purpose = %(purpose)s AND expires_at > %(now)s
RETURNING email, login_id;

-- name: drop_email_links
-- Make all other links to an address void.
DELETE FROM email_link WHERE email = %(email)s;

-- name: forget_email_links
-- Forget links that nobody has used in time.
DELETE FROM email_link WHERE expires_at <= %(now)s;
