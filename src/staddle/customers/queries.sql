-- name: customers_by_reference
-- Find customers by the integrator's references.
SELECT c.customer_id, c.reference, c.name, c.country, c.vip_level, c.joined_at
  FROM unnest(%(cells)s::smallint[], %(customer_references)s::text[]) AS k (cell, reference)
  JOIN customer c ON c.cell = k.cell AND c.reference = k.reference;

-- name: customers_by_id
-- Find customers by their ids.
SELECT c.customer_id, c.reference, c.name, c.country, c.vip_level, c.joined_at
  FROM unnest(%(cells)s::smallint[], %(customer_ids)s::bigint[]) AS k (cell, customer_id)
  JOIN customer c ON c.cell = k.cell AND c.customer_id = k.customer_id;

-- name: list_customers
-- Read customers, cell by cell in the order in which they came, behind one of them.
SELECT customer_id, reference, name, country, vip_level, joined_at
  FROM customer
 WHERE (cell, customer_id) > (%(after_cell)s::smallint, %(after_id)s::bigint)
 ORDER BY cell, customer_id
 LIMIT %(count)s;

-- name: add_customers
-- Add customers.
INSERT INTO customer (cell, customer_id, reference, name, country, vip_level, joined_at)
SELECT n.cell, n.customer_id, n.reference, n.name, n.country, n.vip_level, n.joined_at
  FROM unnest(%(cells)s::smallint[], %(customer_ids)s::bigint[], %(customer_references)s::text[], %(names)s::text[],
              %(countries)s::text[], %(vip_levels)s::smallint[], %(joined_at)s::timestamptz[])
       AS n (cell, customer_id, reference, name, country, vip_level, joined_at);

-- name: change_customer
-- Change what is known about a customer.
UPDATE customer
   SET name = %(name)s, country = %(country)s, vip_level = %(vip_level)s
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s;

-- name: lock_agreements
-- Let one process at a time publish agreements, so that their versions have no gaps.
SELECT pg_advisory_xact_lock(hashtext('staddle.agreement'));

-- name: publish_agreement
-- Add a version of the staking service agreement.
INSERT INTO agreement (version, title, body, published_by, published_at)
VALUES (%(version)s, %(title)s, %(body)s, %(by)s, %(now)s);

-- name: current_agreement
-- Read the newest version of the staking service agreement.
SELECT version, title, body, published_by, published_at FROM agreement ORDER BY version DESC LIMIT 1;

-- name: list_agreements
-- Read the versions of the staking service agreement without their texts, oldest first.
SELECT version, title, published_by, published_at FROM agreement ORDER BY version;

-- name: find_agreement
-- Read one version of the staking service agreement.
SELECT version, title, body, published_by, published_at FROM agreement WHERE version = %(version)s;

-- name: consents_of
-- Read which versions of the agreement a customer accepted, when and from where.
SELECT version, accepted_at, accepted_from
  FROM consent
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s
 ORDER BY version;

-- name: known_references
-- Find out which deposits some references of imported files stand for.
SELECT r.request_key, r.fingerprint
  FROM unnest(%(cells)s::smallint[], %(request_keys)s::text[]) AS k (cell, request_key)
  JOIN request r ON r.cell = k.cell AND r.customer_id = 0 AND r.request_key = k.request_key;

-- name: keep_references
-- Keep which deposits some references stand for; a line that is twice in a chunk is kept once.
INSERT INTO request (cell, customer_id, request_key, act, fingerprint, answer, effective_at)
SELECT k.cell, 0, k.request_key, 'import_deposit', k.fingerprint,
       json_build_object('answer', json_build_object('customer_id', k.customer_id)), %(now)s
  FROM unnest(%(cells)s::smallint[], %(request_keys)s::text[], %(fingerprints)s::bytea[], %(customer_ids)s::bigint[])
       AS k (cell, request_key, fingerprint, customer_id)
    ON CONFLICT (cell, customer_id, request_key) DO NOTHING;

-- name: movements_of
-- Read the transfers of a customer, newest first.
SELECT transfer_id, act_id, kind::text AS kind, debit_account, credit_account, amount, effective_at, request_key, position_id,
       corrects
  FROM transfer
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s
   AND (%(before)s::bigint IS NULL OR transfer_id < %(before)s::bigint)
   AND (%(is_any_asset)s OR account_asset(credit_account) = %(asset_id)s)
   AND (%(kind)s::text IS NULL OR kind::text = %(kind)s::text)
 ORDER BY transfer_id DESC
 LIMIT %(count)s::bigint;

-- name: preferences_of
-- Read how a customer sees their pages and what they want to be told.
SELECT language, theme, zone, muted, read_notice_id, read_announcement_id
  FROM preference
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s;

-- name: set_preferences
-- Keep a customer's preferences; what was read once stays read.
INSERT INTO preference (cell, customer_id, language, theme, zone, muted, read_notice_id, read_announcement_id, changed_at)
VALUES (%(cell)s, %(customer_id)s, %(language)s, %(theme)s, %(zone)s, %(muted)s::text[], %(read_notice_id)s,
        %(read_announcement_id)s, %(now)s)
    ON CONFLICT (cell, customer_id) DO UPDATE
   SET language = excluded.language, theme = excluded.theme, zone = excluded.zone, muted = excluded.muted,
       read_notice_id = greatest(preference.read_notice_id, excluded.read_notice_id),
       read_announcement_id = greatest(preference.read_announcement_id, excluded.read_announcement_id),
       changed_at = excluded.changed_at;

-- name: customers_from_reference
-- Read customers whose reference begins with something, in its order, behind one of them.
SELECT customer_id, reference, name, country, vip_level, joined_at
  FROM customer
 WHERE reference COLLATE "C" > %(after)s AND reference COLLATE "C" >= %(from)s AND reference COLLATE "C" < %(until)s
   AND (%(country)s::text IS NULL OR country = %(country)s::text)
   AND (%(vip_level)s::smallint IS NULL OR vip_level = %(vip_level)s::smallint)
 ORDER BY reference COLLATE "C"
 LIMIT %(count)s;

-- name: customers_from_name
-- Read customers whose name begins with something, in any case, in its order, behind one of them.
SELECT customer_id, reference, name, country, vip_level, joined_at
  FROM customer
 WHERE name <> '' AND lower(name) COLLATE "C" >= %(from)s AND lower(name) COLLATE "C" < %(until)s
   AND (lower(name) COLLATE "C", customer_id) > (%(after)s, %(after_id)s)
   AND (%(country)s::text IS NULL OR country = %(country)s::text)
   AND (%(vip_level)s::smallint IS NULL OR vip_level = %(vip_level)s::smallint)
 ORDER BY lower(name) COLLATE "C", customer_id
 LIMIT %(count)s;

-- name: customers_newest_first
-- Read customers, who joined last first, behind one of them.
SELECT customer_id, reference, name, country, vip_level, joined_at
  FROM customer
 WHERE (joined_at, customer_id) < (%(after_at)s, %(after_id)s)
   AND (%(country)s::text IS NULL OR country = %(country)s::text)
   AND (%(vip_level)s::smallint IS NULL OR vip_level = %(vip_level)s::smallint)
 ORDER BY joined_at DESC, customer_id DESC
 LIMIT %(count)s;

-- name: customers_oldest_first
-- Read customers, who joined first first, behind one of them.
SELECT customer_id, reference, name, country, vip_level, joined_at
  FROM customer
 WHERE (joined_at, customer_id) > (%(after_at)s, %(after_id)s)
   AND (%(country)s::text IS NULL OR country = %(country)s::text)
   AND (%(vip_level)s::smallint IS NULL OR vip_level = %(vip_level)s::smallint)
 ORDER BY joined_at, customer_id
 LIMIT %(count)s;
