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

-- name: touch_api_key
-- Remember when and from where an API key was used.
UPDATE api_key
   SET last_used_at = %(now)s, last_used_from = %(address)s::inet
 WHERE api_key_id = %(api_key_id)s;

-- name: access_token
-- Find a client by the hash of its access token.
SELECT t.client_id, t.scopes, t.expires_at, c.revoked_at
  FROM access_token t
  JOIN client c USING (client_id)
 WHERE t.token_hash = %(token_hash)s;
