-- name: lock_new_products
-- Let one process at a time add products, so that their numbers have no gaps.
SELECT pg_advisory_xact_lock(hashtext('staddle.product'));

-- name: add_product
-- Add a product as a draft.
INSERT INTO product (product_id, code, asset_id, kind, name, state, created_at)
SELECT coalesce(max(product_id), 0) + 1, %(code)s, %(asset_id)s, %(kind)s, %(name)s, 'draft', %(now)s FROM product
RETURNING product_id;

-- name: find_product
-- Read a product.
SELECT product_id, code, asset_id, kind, name, state, version, subscribe_halt, redeem_halt, created_at
  FROM product
 WHERE code = %(code)s;

-- name: lock_product
-- Hold a product's row while its state, terms or rates change.
SELECT product_id, code, asset_id, kind, name, state, version, subscribe_halt, redeem_halt, created_at
  FROM product
 WHERE code = %(code)s
   FOR NO KEY UPDATE;

-- name: change_product
-- Write the state, the version in force and the halts of a product.
UPDATE product
   SET state = %(state)s, version = %(version)s, subscribe_halt = %(subscribe_halt)s, redeem_halt = %(redeem_halt)s
 WHERE product_id = %(product_id)s;

-- name: add_terms
-- Add a version of a product's terms as a draft.
INSERT INTO terms (product_id, version, term_days, amount_min, amount_max, step, personal_cap, quota, opens_at, closes_at,
                   new_customer_days, vip_level_min, countries_allowed, countries_excluded, rate_policy, payout,
                   early_redemption, kept_fraction, reduced_apr, reduced_apr_days_min, at_maturity, flexible_product_id,
                   drafted_by, drafted_at)
VALUES (%(product_id)s, %(version)s, %(term_days)s, %(amount_min)s, %(amount_max)s, %(step)s, %(personal_cap)s,
        %(quota)s, %(opens_at)s, %(closes_at)s, %(new_customer_days)s, %(vip_level_min)s, %(countries_allowed)s,
        %(countries_excluded)s, %(rate_policy)s, %(payout)s, %(early_redemption)s, %(kept_fraction)s, %(reduced_apr)s,
        %(reduced_apr_days_min)s, %(at_maturity)s, %(flexible_product_id)s, %(by)s, %(now)s);

-- name: versions_of
-- Read all versions of a product's terms, the first one first.
SELECT t.version, t.drafted_by, t.drafted_at, t.approved_by, t.approved_at, t.discarded_by, t.discarded_at,
       t.term_days, t.amount_min, t.amount_max, t.step, t.personal_cap, t.quota, t.opens_at, t.closes_at,
       t.new_customer_days, t.vip_level_min, t.countries_allowed, t.countries_excluded, t.rate_policy, t.payout,
       t.early_redemption, t.kept_fraction, t.reduced_apr, t.reduced_apr_days_min, t.at_maturity,
       f.code AS flexible_product
  FROM terms t
  LEFT JOIN product f ON f.product_id = t.flexible_product_id
 WHERE t.product_id = %(product_id)s
 ORDER BY t.version;

-- name: approve_terms
-- Write down who approved a version.
UPDATE terms
   SET approved_by = %(by)s, approved_at = %(now)s
 WHERE product_id = %(product_id)s AND version = %(version)s AND approved_by IS NULL;

-- name: discard_terms
-- Write down who discarded a draft; what it said stays.
UPDATE terms
   SET discarded_by = %(by)s, discarded_at = %(now)s
 WHERE product_id = %(product_id)s AND version = %(version)s AND approved_by IS NULL AND discarded_by IS NULL;

-- name: discard_product
-- Put a product away of which no draft is left.
UPDATE product SET state = 'discarded' WHERE product_id = %(product_id)s AND state = 'draft';

-- name: draft_again
-- Make a product whose drafts were all discarded a draft again.
UPDATE product SET state = 'draft' WHERE product_id = %(product_id)s AND state = 'discarded';

-- name: rename_product
-- Give a product that nobody has ever seen another name.
UPDATE product SET name = %(name)s WHERE product_id = %(product_id)s AND state = 'discarded';

-- name: open_quota
-- Make sure that a product has its quota row.
INSERT INTO quota (product_id, used) VALUES (%(product_id)s, 0) ON CONFLICT (product_id) DO NOTHING;

-- name: set_quota
-- Give a product the quota of its new terms; what was sold beyond it under earlier ones stays sold.
UPDATE quota
   SET total = %(total)s, ceiling = greatest(%(total)s::numeric, CASE WHEN %(total)s::numeric IS NOT NULL THEN used END)
 WHERE product_id = %(product_id)s;

-- name: lock_quota
-- Hold a product's quota row: no subscription is under way while its state changes.
SELECT used FROM quota WHERE product_id = %(product_id)s FOR UPDATE;

-- name: rates_of
-- Read the rate revisions of a product, oldest first, each with its tiers.
SELECT r.revision, r.effective_at, array_agg(t.amount_from ORDER BY t.amount_from) AS amounts_from,
       array_agg(t.amount_to ORDER BY t.amount_from) AS amounts_to, array_agg(t.apr ORDER BY t.amount_from) AS aprs,
       r.published_at, r.proposed_by, r.approved_by, r.reading
  FROM rate_revision r
  JOIN rate_tier t ON t.product_id = r.product_id AND t.revision = r.revision
 WHERE r.product_id = %(product_id)s
 GROUP BY r.product_id, r.revision
 ORDER BY r.effective_at;

-- name: add_revision
-- Append a rate revision.
INSERT INTO rate_revision (product_id, revision, effective_at, published_at, proposed_by, approved_by, reading)
VALUES (%(product_id)s, %(revision)s, %(effective_at)s, %(now)s, %(proposed_by)s, %(approved_by)s, %(reading)s);

-- name: add_tiers
-- Append the tiers of a rate revision.
INSERT INTO rate_tier (product_id, revision, amount_from, amount_to, apr)
SELECT %(product_id)s, %(revision)s, t.amount_from, t.amount_to, t.apr
  FROM unnest(%(amounts_from)s::numeric[], %(amounts_to)s::numeric[], %(aprs)s::numeric[])
       AS t (amount_from, amount_to, apr);

-- name: offers
-- Read all that people are shown about products: terms, quota, the rate in force and the next one announced.
SELECT p.code, p.name, p.kind, p.state, p.subscribe_halt, p.redeem_halt, a.code AS asset, a.scale,
       q.used AS quota_used, q.total AS quota_total,
       t.version, t.term_days, t.amount_min, t.amount_max, t.step, t.personal_cap, t.quota, t.opens_at, t.closes_at,
       t.new_customer_days, t.vip_level_min, t.countries_allowed, t.countries_excluded, t.rate_policy, t.payout,
       t.early_redemption, t.kept_fraction, t.reduced_apr, t.reduced_apr_days_min, t.at_maturity,
       f.code AS flexible_product,
       r.revision, r.effective_at, r.published_at, r.amounts_from, r.amounts_to, r.aprs,
       n.revision AS next_revision, n.effective_at AS next_effective_at, n.published_at AS next_published_at,
       n.amounts_from AS next_amounts_from, n.amounts_to AS next_amounts_to, n.aprs AS next_aprs
  FROM product p
  JOIN asset a ON a.asset_id = p.asset_id
  JOIN terms t ON t.product_id = p.product_id
              AND t.version = coalesce(p.version, (SELECT d.version FROM terms d WHERE d.product_id = p.product_id
                                                    ORDER BY d.discarded_at IS NOT NULL, d.version DESC LIMIT 1))
  LEFT JOIN product f ON f.product_id = t.flexible_product_id
  LEFT JOIN quota q ON q.product_id = p.product_id
  LEFT JOIN LATERAL (
       SELECT v.revision, v.effective_at, v.published_at, array_agg(b.amount_from ORDER BY b.amount_from) AS amounts_from,
              array_agg(b.amount_to ORDER BY b.amount_from) AS amounts_to, array_agg(b.apr ORDER BY b.amount_from) AS aprs
         FROM (SELECT * FROM rate_revision
                WHERE product_id = p.product_id AND effective_at <= %(now)s
                ORDER BY effective_at DESC
                LIMIT 1) v
         JOIN rate_tier b ON b.product_id = v.product_id AND b.revision = v.revision
        GROUP BY v.revision, v.effective_at, v.published_at) r ON true
  LEFT JOIN LATERAL (
       SELECT v.revision, v.effective_at, v.published_at, array_agg(b.amount_from ORDER BY b.amount_from) AS amounts_from,
              array_agg(b.amount_to ORDER BY b.amount_from) AS amounts_to, array_agg(b.apr ORDER BY b.amount_from) AS aprs
         FROM (SELECT * FROM rate_revision
                WHERE product_id = p.product_id AND effective_at > %(now)s
                ORDER BY effective_at
                LIMIT 1) v
         JOIN rate_tier b ON b.product_id = v.product_id AND b.revision = v.revision
        GROUP BY v.revision, v.effective_at, v.published_at) n ON true
 WHERE p.state = ANY(%(states)s::text[]) AND (%(code)s::text IS NULL OR p.code = %(code)s)
 ORDER BY a.code, p.kind DESC, t.term_days, p.code;

-- name: rate_source
-- Read the rate source that a product follows.
SELECT s.source_id, p.code AS product, s.kind, s.url, s.figure_path, s.time_path, s.is_percent, s.desk_share, s.apr_min,
       s.apr_max, s.step_max, s.stale_hours, s.set_by, s.approved_by, s.approved_at, s.ended_at
  FROM rate_source s
  JOIN product p ON p.product_id = s.product_id
 WHERE p.code = %(code)s AND s.ended_at IS NULL;

-- name: rate_sources
-- Read the rate sources that are followed, by product.
SELECT s.source_id, p.code AS product, s.kind, s.url, s.figure_path, s.time_path, s.is_percent, s.desk_share, s.apr_min,
       s.apr_max, s.step_max, s.stale_hours, s.set_by, s.approved_by, s.approved_at, s.ended_at
  FROM rate_source s
  JOIN product p ON p.product_id = s.product_id
 WHERE s.ended_at IS NULL AND p.state <> 'retired'
 ORDER BY p.code;

-- name: source_count
-- Count the sources that a product has had: what a request to set one stands upon.
SELECT count(*) AS sources FROM rate_source WHERE product_id = %(product_id)s;

-- name: add_source
-- Let a product follow a source from now on.
INSERT INTO rate_source (product_id, kind, url, figure_path, time_path, is_percent, desk_share, apr_min, apr_max, step_max,
                         stale_hours, set_by, approved_by, approved_at)
VALUES (%(product_id)s, %(kind)s, %(url)s, %(figure_path)s, %(time_path)s, %(is_percent)s, %(desk_share)s, %(apr_min)s,
        %(apr_max)s, %(step_max)s, %(stale_hours)s, %(set_by)s, %(by)s, %(now)s);

-- name: end_source
-- Let a product follow its source no longer.
UPDATE rate_source
   SET ended_at = %(now)s, ended_by = %(by)s
 WHERE product_id = %(product_id)s AND ended_at IS NULL;

-- name: name_the_source
-- Have the name under which sources propose revisions; it belongs to nobody.
INSERT INTO operator (name, added_at, roles, is_active)
VALUES (%(name)s, %(now)s, '{viewer}', false)
    ON CONFLICT (name) DO NOTHING;

-- name: add_reading
-- Keep a reading with what became of it.
INSERT INTO rate_reading (source_id, product_id, distributed_at, read_at, figure_at, figures, network_apr, apr, document_hash,
                          outcome, held_because)
VALUES (%(source_id)s, %(product_id)s, %(distributed_at)s, %(now)s, %(figure_at)s, %(figures)s, %(network_apr)s, %(apr)s,
        %(document_hash)s, %(outcome)s, %(held_because)s)
RETURNING reading_id;

-- name: readings
-- Read the latest readings of a product, newest first, before one of them.
SELECT r.reading_id, r.source_id, p.code AS product, r.distributed_at, r.read_at, r.figure_at, r.figures, r.network_apr,
       r.apr, r.document_hash, r.outcome, r.held_because
  FROM rate_reading r
  JOIN product p ON p.product_id = r.product_id
 WHERE p.code = %(code)s AND (%(before)s::bigint IS NULL OR r.reading_id < %(before)s::bigint)
 ORDER BY r.reading_id DESC
 LIMIT %(count)s;

-- name: settled_readings
-- Name the products whose reading for a distribution has been published, or found to change nothing.
SELECT DISTINCT p.code
  FROM rate_reading r
  JOIN product p ON p.product_id = r.product_id
 WHERE r.distributed_at = %(distributed_at)s AND r.outcome <> 'held';

-- name: published_reading
-- Say whether a product's source has revised its rate for a distribution.
SELECT 1 FROM rate_reading
 WHERE product_id = %(product_id)s AND distributed_at = %(distributed_at)s AND outcome = 'published';

-- name: headline_steps
-- Read how the headline APR of every product that customers see went up to now, for the small lines of the list.
SELECT p.code, v.effective_at, max(b.apr) AS apr
  FROM product p
  JOIN rate_revision v ON v.product_id = p.product_id AND v.effective_at <= %(now)s
  JOIN rate_tier b ON b.product_id = v.product_id AND b.revision = v.revision
 WHERE p.state = ANY(%(states)s::text[])
 GROUP BY p.code, v.effective_at
 ORDER BY p.code, v.effective_at;

-- name: schedule
-- Read what will happen to products by itself between two instants, earliest first.
SELECT c.at, c.what, c.product, c.name, a.code AS asset, c.version, c.revision, c.headline_apr, c.headline_before
  FROM (SELECT w.at, w.what, p.code AS product, p.name, p.asset_id, t.version, NULL::int AS revision,
               NULL::numeric AS headline_apr, NULL::numeric AS headline_before
          FROM product p
          JOIN terms t ON t.product_id = p.product_id
         CROSS JOIN LATERAL (VALUES (t.opens_at, CASE WHEN t.version = p.version THEN 'opens' ELSE 'would_open' END),
                                    (CASE WHEN t.version = p.version THEN t.closes_at END, 'closes')) AS w (at, what)
         WHERE w.at > %(now)s AND w.at <= %(until)s AND p.state IN ('draft', 'live')
           AND (t.version = p.version
                OR (t.approved_at IS NULL AND t.discarded_at IS NULL AND t.version > coalesce(p.version, 0)))
        UNION ALL
        SELECT r.effective_at, 'rate', p.code, p.name, p.asset_id, NULL, r.revision, r.apr, b.apr
          FROM product p
          JOIN LATERAL (
               SELECT v.revision, v.effective_at, max(y.apr) AS apr
                 FROM rate_revision v
                 JOIN rate_tier y ON y.product_id = v.product_id AND y.revision = v.revision
                WHERE v.product_id = p.product_id AND v.effective_at > %(now)s AND v.effective_at <= %(until)s
                GROUP BY v.revision, v.effective_at) r ON true
          LEFT JOIN LATERAL (
               SELECT max(y.apr) AS apr
                 FROM (SELECT v.revision FROM rate_revision v
                        WHERE v.product_id = p.product_id AND v.effective_at < r.effective_at
                        ORDER BY v.effective_at DESC
                        LIMIT 1) v
                 JOIN rate_tier y ON y.product_id = p.product_id AND y.revision = v.revision) b ON true
         WHERE p.state IN ('draft', 'live', 'closed')) c
  JOIN asset a ON a.asset_id = c.asset_id
 ORDER BY c.at, c.product, c.what;

-- name: waiting_drafts
-- Count the drafts of each product that may still be approved.
SELECT p.code, count(*)::int AS drafts
  FROM product p
  JOIN terms t ON t.product_id = p.product_id
 WHERE t.approved_at IS NULL AND t.discarded_at IS NULL AND t.version > coalesce(p.version, 0)
   AND p.state IN ('draft', 'live')
 GROUP BY p.code;
