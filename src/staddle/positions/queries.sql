-- name: lock_quotas
-- Hold the quota rows of some products until the transaction ends, in order; always after the cells.
SELECT product_id, used, total, ceiling
  FROM quota
 WHERE product_id = ANY(%(product_ids)s::integer[])
 ORDER BY product_id
   FOR UPDATE;

-- name: hold_quotas
-- Hold the quota rows of some products, by code, until the transaction ends, in order; always after the cells.
SELECT q.product_id
  FROM quota q
  JOIN product p ON p.product_id = q.product_id
 WHERE p.code = ANY(%(codes)s::text[])
 ORDER BY q.product_id
   FOR UPDATE OF q;

-- name: product_ids
-- Find products by code.
SELECT code, product_id FROM product WHERE code = ANY(%(codes)s::text[]);

-- name: offers
-- Read what some products offer to new positions.
SELECT p.product_id, p.code, p.kind, p.state, p.subscribe_halt, p.redeem_halt, p.version, p.asset_id,
       t.term_days, t.amount_min, t.amount_max, t.step, t.personal_cap, t.opens_at, t.closes_at, t.new_customer_days,
       t.vip_level_min, t.countries_allowed, t.countries_excluded, t.rate_policy, t.payout, t.early_redemption,
       t.at_maturity, t.flexible_product_id, q.used AS quota_used, q.total AS quota_total
  FROM product p
  LEFT JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
  LEFT JOIN quota q ON q.product_id = p.product_id
 WHERE p.product_id = ANY(%(product_ids)s::integer[]);

-- name: rates
-- Read the rate revisions of some products, with their tiers, oldest first.
SELECT product_id, revision, effective_at, amount_from, amount_to, apr
  FROM rate_span
 WHERE product_id = ANY(%(product_ids)s::integer[]) AND locked_revision = 0
 ORDER BY product_id, effective_at, amount_from;

-- name: agreement_in_force
-- Read the version of the staking service agreement in force.
SELECT max(version) AS version FROM agreement WHERE published_at <= %(now)s;

-- name: offers_at
-- Read what some products offer to new positions at an instant: terms, coin, quota, the rate in force; with the agreement
-- and the time of distribution, which are the same for all.
SELECT p.product_id, p.code, p.kind, p.state, p.subscribe_halt, p.redeem_halt, p.version, t.term_days, t.amount_min,
       t.amount_max, t.step, t.personal_cap, t.opens_at, t.closes_at, t.new_customer_days, t.vip_level_min,
       t.countries_allowed, t.countries_excluded, t.rate_policy, t.payout, t.early_redemption, t.at_maturity,
       t.flexible_product_id, coalesce(q.used, 0) AS quota_used, q.total AS quota_total, a.asset_id, a.code AS asset,
       a.name AS asset_name, a.scale, a.unit, r.revision, r.effective_at, r.amounts_from, r.amounts_to, r.aprs,
       (SELECT max(g.version) FROM agreement g WHERE g.published_at <= %(now)s) AS agreement_version,
       (SELECT d.distribution_time FROM desk d) AS distribution_time
  FROM product p
  JOIN asset a ON a.asset_id = p.asset_id
  LEFT JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
  LEFT JOIN quota q ON q.product_id = p.product_id
  LEFT JOIN LATERAL (
       SELECT v.revision, v.effective_at, array_agg(b.amount_from ORDER BY b.amount_from) AS amounts_from,
              array_agg(b.amount_to ORDER BY b.amount_from) AS amounts_to, array_agg(b.apr ORDER BY b.amount_from) AS aprs
         FROM (SELECT * FROM rate_revision
                WHERE product_id = p.product_id AND effective_at <= %(now)s
                ORDER BY effective_at DESC
                LIMIT 1) v
         JOIN rate_tier b ON b.product_id = v.product_id AND b.revision = v.revision
        GROUP BY v.revision, v.effective_at) r ON true
 WHERE p.code = ANY(%(codes)s::text[]);

-- name: subscribers
-- Read what decides about each subscription: the customer, the balances it is paid from, and the holding, which reaches in the tiers
-- as far as its youngest position does.
SELECT k.customer_id, k.product, k.source, c.customer_id IS NOT NULL AS is_known, c.country, c.vip_level, c.joined_at,
       coalesce(s.amount, 0) AS spot, coalesce(f.amount, 0) AS funding, coalesce(h.tier_offset + h.principal, 0) AS holding, h.agreement_version
  FROM unnest(%(customer_ids)s::bigint[], %(products)s::text[], %(sources)s::text[]) AS k (customer_id, product, source)
  JOIN product o ON o.code = k.product
  JOIN asset a ON a.asset_id = o.asset_id
  LEFT JOIN customer c ON c.cell = (k.customer_id & 255)::smallint AND c.customer_id = k.customer_id
  LEFT JOIN balance s ON k.source IN ('spot', 'both') AND s.cell = (k.customer_id & 255)::smallint
                     AND s.account_id = account_of(k.customer_id, a.asset_id, a.scale, 1)
  LEFT JOIN balance f ON k.source IN ('funding', 'both') AND f.cell = (k.customer_id & 255)::smallint
                     AND f.account_id = account_of(k.customer_id, a.asset_id, a.scale, 2)
  LEFT JOIN LATERAL (SELECT p.tier_offset, p.principal, p.agreement_version
                       FROM position p
                      WHERE p.cell = (k.customer_id & 255)::smallint AND p.customer_id = k.customer_id
                        AND p.product_id = o.product_id AND p.ended_at IS NULL
                      ORDER BY p.started_at DESC, p.position_id DESC
                      LIMIT 1) h ON true;

-- name: open_positions
-- Insert new positions.
INSERT INTO position (cell, position_id, customer_id, product_id, version, request_key, started_at, term_days,
                      matures_at, opened_principal, opened_offset, locked_revision, reward_account, agreement_version,
                      renewed_from, principal, tier_offset, anchor_days, anchor_basis, at_maturity, redeem_to)
SELECT (n.position_id & 255)::smallint, n.position_id, n.customer_id, n.product_id, n.version, n.request_key,
       n.started_at, n.term_days, n.started_at + make_interval(hours => 24 * n.term_days), n.principal, n.tier_offset,
       n.locked_revision, n.reward_account, n.agreement_version, n.renewed_from, n.principal, n.tier_offset, 0, 0,
       n.at_maturity, n.redeem_to
  FROM unnest(%(position_id)s::bigint[], %(customer_id)s::bigint[], %(product_id)s::integer[], %(version)s::integer[],
              %(request_key)s::text[], %(started_at)s::timestamptz[], %(term_days)s::integer[],
              %(principal)s::numeric[], %(tier_offset)s::numeric[], %(locked_revision)s::integer[],
              %(reward_account)s::bigint[], %(agreement_version)s::integer[], %(at_maturity)s::text[],
              %(redeem_to)s::text[], %(renewed_from)s::bigint[])
       AS n (position_id, customer_id, product_id, version, request_key, started_at, term_days, principal,
             tier_offset, locked_revision, reward_account, agreement_version, at_maturity, redeem_to, renewed_from);

-- name: record_consents
-- Keep who accepted which version of the agreement, when, from where; the first time counts.
INSERT INTO consent (cell, customer_id, version, accepted_at, accepted_from)
SELECT (c.customer_id & 255)::smallint, c.customer_id, c.version, %(now)s, c.accepted_from
  FROM unnest(%(customer_ids)s::bigint[], %(versions)s::integer[], %(accepted_from)s::text[])
       AS c (customer_id, version, accepted_from)
    ON CONFLICT (cell, customer_id, version) DO NOTHING;

-- name: move_quotas
-- Take or release quota; a ceiling above the total sinks with what is released.
UPDATE quota q
   SET used = q.used + m.amount,
       ceiling = CASE WHEN q.ceiling > q.total THEN greatest(q.total, least(q.ceiling, q.used + m.amount)) ELSE q.ceiling END
  FROM unnest(%(product_ids)s::integer[], %(amounts)s::numeric[]) AS m (product_id, amount)
 WHERE q.product_id = m.product_id;

-- name: take_quotas
-- Take quota that is held of products that are still on offer as they were seen, where that much is left; gives the
-- products of which it was taken.
UPDATE quota q
   SET used = q.used + m.amount
  FROM unnest(%(product_id)s::integer[], %(version)s::integer[], %(amount)s::numeric[]) AS m (product_id, version, amount)
  JOIN product p ON p.product_id = m.product_id AND p.version = m.version AND p.state = 'live' AND p.subscribe_halt IS NULL
 WHERE q.product_id = m.product_id AND (q.total IS NULL OR q.used + m.amount <= q.total)
RETURNING q.product_id;

-- name: positions_of_holdings
-- Read the open positions of some holdings, oldest first.
SELECT p.*, t.amount_min, t.early_redemption, t.kept_fraction, t.reduced_apr, t.reduced_apr_days_min, t.payout
  FROM unnest(%(cells)s::smallint[], %(customer_ids)s::bigint[], %(product_ids)s::integer[])
       AS h (cell, customer_id, product_id)
  JOIN position p ON p.cell = h.cell AND p.customer_id = h.customer_id AND p.product_id = h.product_id
                 AND p.ended_at IS NULL
  JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
 ORDER BY p.cell, p.customer_id, p.product_id, p.started_at, p.position_id;

-- name: settle
-- Pay the completed, unpaid accrual days of some positions through an instant each, one reward row a day.
WITH span AS (
    SELECT p.*, a.unit, c.watermark_at,
           days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days, c.watermark_at) AS paid_days,
           least(full_days(p.started_at, t.through), p.term_days) AS due_days
      FROM unnest(%(cells)s::smallint[], %(position_ids)s::bigint[], %(through)s::timestamptz[])
           AS t (cell, position_id, through)
      JOIN position p ON p.cell = t.cell AND p.position_id = t.position_id
      JOIN cell c ON c.cell = p.cell
      JOIN asset a ON a.asset_id = account_asset(p.reward_account)
), earned AS (
    SELECT s.cell, s.position_id, s.reward_account, s.started_at, s.watermark_at, d.day, d.basis, d.amount
      FROM span s
     CROSS JOIN LATERAL earned_days(s.product_id, s.locked_revision, s.started_at, s.principal, s.tier_offset,
                                    s.anchor_days, s.anchor_basis, s.unit, s.paid_days,
                                    greatest(s.paid_days, s.due_days)) AS d
), paid AS (
    INSERT INTO reward (credit_account, position_id, run_on, cell, is_early, is_late, amount, basis)
    SELECT reward_account, position_id, run_on_of(started_at + make_interval(hours => 24 * day), %(distribution_time)s),
           cell, true, started_at + make_interval(hours => 24 * day) <= watermark_at, amount, basis
      FROM earned
     WHERE amount > 0
    RETURNING cell, position_id, credit_account, amount
), change AS (
    SELECT cell, credit_account AS account_id, sum(amount) AS amount FROM paid GROUP BY 1, 2
    UNION ALL
    SELECT cell, (credit_account & 524272) | 9, -sum(amount) FROM paid GROUP BY 1, 2
), moved AS (
    UPDATE balance b
       SET amount = b.amount + c.amount
      FROM change c
     WHERE b.cell = c.cell AND b.account_id = c.account_id
    RETURNING b.account_id
)
SELECT e.position_id, max(e.day) AS days, max(e.basis) AS basis, coalesce(sum(e.amount), 0) AS paid,
       (SELECT count(*) FROM change) AS accounts_named, (SELECT count(*) FROM moved) AS accounts_moved
  FROM earned e
 GROUP BY e.position_id;

-- name: unsettled_days
-- Find the run dates of the days that a settlement through an instant would pay, to have their pieces opened.
SELECT DISTINCT run_on_of(p.started_at + make_interval(hours => 24 * d.day), %(distribution_time)s) AS run_on
  FROM unnest(%(cells)s::smallint[], %(position_ids)s::bigint[], %(through)s::timestamptz[])
       AS t (cell, position_id, through)
  JOIN position p ON p.cell = t.cell AND p.position_id = t.position_id
  JOIN cell c ON c.cell = p.cell
 CROSS JOIN LATERAL generate_series(
           days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days, c.watermark_at) + 1,
           least(full_days(p.started_at, t.through), p.term_days)) AS d (day);

-- name: open_reward_day
-- Make the partition for the rewards of a run date, where it is missing, in as many pieces as the latest has.
SELECT open_reward_day(%(run_on)s, greatest(1, (SELECT count(*)::integer FROM reward_piece l
                                                 WHERE l.run_on = (SELECT max(m.run_on) FROM reward_piece m))))
 WHERE NOT EXISTS (SELECT FROM reward_piece p WHERE p.run_on = %(run_on)s);

-- name: distribution_time
-- Read the time of day at which rewards are distributed.
SELECT distribution_time FROM desk;

-- name: change_positions
-- Move the anchor of some positions to what was settled, keep what they held until now, and give them what they hold next;
-- one that was parked has been paid by that, and is parked no more.
WITH change AS (
    SELECT *
      FROM unnest(%(cells)s::smallint[], %(position_ids)s::bigint[], %(days)s::integer[], %(bases)s::numeric[],
                  %(principals)s::numeric[], %(tier_offsets)s::numeric[], %(ended_at)s::timestamptz[],
                  %(ended_by)s::text[])
           AS c (cell, position_id, days, basis, principal, tier_offset, ended_at, ended_by)
), past AS (
    INSERT INTO position_past (cell, position_id, from_days, from_basis, to_days, principal, tier_offset, changed_at, change)
    SELECT p.cell, p.position_id, p.anchor_days, p.anchor_basis, c.days, p.principal, p.tier_offset, %(now)s,
           1 + (SELECT count(*) FROM position_past h WHERE h.cell = p.cell AND h.position_id = p.position_id)
      FROM change c
      JOIN position p ON p.cell = c.cell AND p.position_id = c.position_id
), paid_at_last AS (
    UPDATE parked_position k
       SET retried_at = %(now)s
      FROM change c
     WHERE k.cell = c.cell AND k.position_id = c.position_id AND k.retried_at IS NULL
)
UPDATE position p
   SET anchor_days = c.days, anchor_basis = c.basis, principal = c.principal, tier_offset = c.tier_offset,
       ended_at = c.ended_at, ended_by = c.ended_by, parked_days = NULL
  FROM change c
 WHERE p.cell = c.cell AND p.position_id = c.position_id AND p.ended_at IS NULL;

-- name: guards
-- Read the rate guards in force of some holdings.
SELECT g.customer_id, g.product_id, g.apr_min
  FROM unnest(%(cells)s::smallint[], %(customer_ids)s::bigint[], %(product_ids)s::integer[])
       AS h (cell, customer_id, product_id)
  JOIN rate_guard g ON g.cell = h.cell AND g.customer_id = h.customer_id AND g.product_id = h.product_id
 WHERE g.is_on;

-- name: products_maturing
-- Find the products whose quotas the due maturities will touch.
SELECT DISTINCT p.product_id, t.flexible_product_id
  FROM position p
  JOIN product o ON o.product_id = p.product_id
  LEFT JOIN terms t ON t.product_id = o.product_id AND t.version = o.version
 WHERE p.cell = ANY(%(cells)s::smallint[]) AND p.ended_at IS NULL AND p.term_days IS NOT NULL AND p.parked_days IS NULL
   AND p.matures_at <= %(now)s
   AND (%(customer_ids)s::bigint[] IS NULL OR p.customer_id = ANY(%(customer_ids)s::bigint[]));

-- name: due_maturities
-- Find the next matured position of each customer.
SELECT DISTINCT ON (p.cell, p.customer_id) p.*, t.amount_min, t.early_redemption, t.kept_fraction, t.reduced_apr,
       t.reduced_apr_days_min, t.payout
  FROM position p
  JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
 WHERE p.cell = ANY(%(cells)s::smallint[]) AND p.ended_at IS NULL AND p.term_days IS NOT NULL AND p.parked_days IS NULL
   AND p.matures_at <= %(now)s
   AND (%(customer_ids)s::bigint[] IS NULL OR p.customer_id = ANY(%(customer_ids)s::bigint[]))
 ORDER BY p.cell, p.customer_id, p.matures_at, p.position_id;

-- name: position_standing
-- Find a position of a customer, open or ended.
SELECT product_id, term_days, matures_at, ended_at, ended_by
  FROM position
 WHERE cell = %(cell)s AND position_id = %(position_id)s AND customer_id = %(customer_id)s;

-- name: rewards_of_position
-- List the rewards of an open position day by day: those paid, and those completed but not paid yet; a reward counts
-- if its day was completed by `through`.
SELECT r.run_on, r.amount, true AS is_counted
  FROM position p
  JOIN reward r ON r.cell = p.cell AND r.position_id = p.position_id
 WHERE p.cell = %(cell)s AND p.position_id = %(position_id)s
   AND r.run_on BETWEEN (p.started_at AT TIME ZONE 'UTC')::date AND (%(now)s AT TIME ZONE 'UTC')::date + 1
UNION ALL
SELECT run_on_of(p.started_at + make_interval(hours => 24 * d.day), %(distribution_time)s), d.amount,
       p.started_at + make_interval(hours => 24 * d.day) <= %(through)s
  FROM position p
  JOIN cell c ON c.cell = p.cell
  JOIN asset a ON a.asset_id = account_asset(p.reward_account)
 CROSS JOIN LATERAL days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days, c.watermark_at) AS paid (days)
 CROSS JOIN LATERAL earned_days(p.product_id, p.locked_revision, p.started_at, p.principal, p.tier_offset, p.anchor_days,
                                p.anchor_basis, a.unit, paid.days,
                                greatest(paid.days, least(full_days(p.started_at, %(now)s), p.term_days))) AS d
 WHERE p.cell = %(cell)s AND p.position_id = %(position_id)s AND d.day > paid.days
 ORDER BY run_on;

-- name: keep_quote
-- Keep an early-redemption quote.
INSERT INTO quote (cell, quote_id, customer_id, position_id, figures, fingerprint, quoted_at, expires_at)
VALUES (%(cell)s, %(quote_id)s, %(customer_id)s, %(position_id)s, %(figures)s::json, %(fingerprint)s, %(quoted_at)s,
        %(expires_at)s);

-- name: quote
-- Find a quote of a customer.
SELECT position_id, fingerprint, expires_at
  FROM quote
 WHERE cell = %(cell)s AND quote_id = %(quote_id)s AND customer_id = %(customer_id)s;

-- name: products_of_quotes
-- Find the products of the positions that some quotes are about.
SELECT DISTINCT p.product_id
  FROM unnest(%(cells)s::smallint[], %(quote_ids)s::bigint[]) AS k (cell, quote_id)
  JOIN quote q ON q.cell = k.cell AND q.quote_id = k.quote_id
  JOIN position p ON p.cell = q.cell AND p.position_id = q.position_id;

-- name: link_forfeiture
-- Link a forfeiture to each reward that it takes back.
INSERT INTO forfeited_reward (cell, position_id, run_on, transfer_id, amount)
SELECT %(cell)s, %(position_id)s, f.run_on, %(transfer_id)s, f.amount
  FROM unnest(%(run_on)s::date[], %(amounts)s::numeric[]) AS f (run_on, amount);

-- name: choose_at_maturity
-- Keep what customers chose for their positions' end.
UPDATE position p
   SET at_maturity = c.at_maturity, redeem_to = c.redeem_to
  FROM unnest(%(cells)s::smallint[], %(position_ids)s::bigint[], %(at_maturity)s::text[], %(redeem_to)s::text[])
       AS c (cell, position_id, at_maturity, redeem_to)
 WHERE p.cell = c.cell AND p.position_id = c.position_id AND p.ended_at IS NULL;

-- name: customer_exists
-- Say whether there is such a customer.
SELECT 1 FROM customer WHERE cell = %(cell)s AND customer_id = %(customer_id)s;

-- name: set_auto_subscribe
-- Keep a customer's auto-subscribe choice for an asset.
INSERT INTO auto_subscription (cell, customer_id, asset_id, product_id, source, floor, agreement_version, is_on, changed_at)
VALUES (%(cell)s, %(customer_id)s, %(asset_id)s, %(product_id)s, %(source)s, %(floor)s, %(agreement_version)s, %(is_on)s,
        %(now)s)
    ON CONFLICT (cell, customer_id, asset_id) DO UPDATE
   SET product_id = excluded.product_id, source = excluded.source, floor = excluded.floor,
       agreement_version = excluded.agreement_version, is_on = excluded.is_on, changed_at = excluded.changed_at;

-- name: set_rate_guard
-- Keep a customer's rate guard for a product.
INSERT INTO rate_guard (cell, customer_id, product_id, apr_min, action, is_on, changed_at)
VALUES (%(cell)s, %(customer_id)s, %(product_id)s, %(apr_min)s, %(action)s, %(is_on)s, %(now)s)
    ON CONFLICT (cell, customer_id, product_id) DO UPDATE
   SET apr_min = excluded.apr_min, action = excluded.action, is_on = excluded.is_on, changed_at = excluded.changed_at;

-- name: idle_balances
-- Find what auto-subscribe may take today: idle balances above their floor, with the limits of the product chosen.
SELECT s.customer_id, a.code AS asset, a.unit, p.code AS product, s.source, s.agreement_version,
       b.amount - s.floor AS idle, t.amount_min, t.amount_max, t.step,
       t.personal_cap - coalesce((SELECT sum(h.principal) FROM position h
                                   WHERE h.cell = s.cell AND h.customer_id = s.customer_id
                                     AND h.product_id = s.product_id AND h.ended_at IS NULL), 0) AS cap_left,
       q.total - q.used AS quota_left
  FROM auto_subscription s
  JOIN asset a ON a.asset_id = s.asset_id
  JOIN balance b ON b.cell = s.cell
                AND b.account_id = account_of(s.customer_id, s.asset_id, a.scale, CASE s.source WHEN 'spot' THEN 1 ELSE 2 END)
  JOIN product p ON p.product_id = s.product_id AND p.state = 'live'
  JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
  JOIN quota q ON q.product_id = p.product_id
 WHERE s.cell = ANY(%(cells)s::smallint[]) AND s.is_on AND b.amount - s.floor >= t.amount_min
   AND NOT EXISTS (SELECT FROM request r WHERE r.cell = s.cell AND r.customer_id = s.customer_id
                                           AND r.request_key = %(key_start)s || a.code)
   AND NOT EXISTS (SELECT FROM rate_guard g
                     JOIN rate_span r ON r.product_id = g.product_id AND r.locked_revision = 0
                                     AND %(now)s >= r.effective_at AND %(now)s < r.until_at
                    WHERE g.cell = s.cell AND g.customer_id = s.customer_id AND g.product_id = s.product_id AND g.is_on
                    GROUP BY g.apr_min
                   HAVING max(r.apr) < g.apr_min)
 ORDER BY s.customer_id, s.asset_id;

-- name: guards_to_apply
-- Find holdings whose rate guard asks to redeem, at the rate in force.
SELECT g.customer_id, p.code AS product, r.revision
  FROM rate_guard g
  JOIN product p ON p.product_id = g.product_id AND p.kind = 'flexible' AND p.redeem_halt IS NULL
  JOIN rate_span r ON r.product_id = g.product_id AND r.locked_revision = 0
                  AND %(now)s >= r.effective_at AND %(now)s < r.until_at
 WHERE g.cell = ANY(%(cells)s::smallint[]) AND g.is_on AND g.action = 'redeem'
   AND EXISTS (SELECT FROM position h WHERE h.cell = g.cell AND h.customer_id = g.customer_id
                                        AND h.product_id = g.product_id AND h.ended_at IS NULL)
 GROUP BY g.cell, g.customer_id, p.code, r.revision, g.apr_min
HAVING max(r.apr) < g.apr_min
 ORDER BY g.customer_id, p.code;

-- name: shown_positions
-- Read positions of a customer as they are shown, newest first.
SELECT p.cell, p.position_id, p.customer_id, p.product_id, p.version, o.code AS product, o.name AS product_name, o.kind,
       a.code AS asset, a.scale, p.principal, p.opened_principal, p.tier_offset, p.started_at, p.term_days, p.matures_at,
       p.ended_at, p.ended_by, p.parked_days IS NOT NULL AS is_parked, t.rate_policy, p.locked_revision, p.anchor_days,
       p.anchor_basis, p.reward_account, t.payout, t.early_redemption, p.at_maturity, p.redeem_to, p.renewed_from,
       t.kept_fraction, t.reduced_apr, t.reduced_apr_days_min, o.redeem_halt, p.request_key,
       EXISTS (SELECT FROM position y
                WHERE y.cell = p.cell AND y.customer_id = p.customer_id AND y.product_id = p.product_id
                  AND y.ended_at IS NULL AND y.parked_days IS NOT NULL AND y.tier_offset >= p.tier_offset) AS is_held_up,
       CASE WHEN p.ended_at IS NULL
            THEN days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days, c.watermark_at)
            ELSE p.anchor_days END AS days_paid,
       CASE WHEN p.ended_by = 'early_redemption'
            THEN (SELECT coalesce(sum(f.amount), 0) FROM forfeited_reward f
                   WHERE f.cell = p.cell AND f.position_id = p.position_id)
            ELSE 0 END AS rewards_forfeited
  FROM position p
  JOIN cell c ON c.cell = p.cell
  JOIN product o ON o.product_id = p.product_id
  JOIN asset a ON a.asset_id = o.asset_id
  JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
 WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s
   AND p.position_id = coalesce(%(position_id)s::bigint, p.position_id)
   AND (%(position_ids)s::bigint[] IS NULL OR p.position_id = ANY(%(position_ids)s::bigint[]))
   AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
   AND (%(state)s::text = 'all' OR (p.ended_at IS NULL) = (%(state)s::text = 'open'))
   AND (%(before)s::bigint IS NULL OR p.position_id < %(before)s::bigint)
 ORDER BY p.position_id DESC
 LIMIT %(count)s;

-- name: renewed_as
-- Find the position that took over a position's principal at its maturity.
SELECT position_id
  FROM position
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s AND renewed_from = %(position_id)s;

-- name: past_of_position
-- Read what a position held before each change, oldest first.
SELECT from_days, from_basis, to_days, principal, tier_offset, changed_at
  FROM position_past
 WHERE cell = %(cell)s AND position_id = %(position_id)s
 ORDER BY change;

-- name: rewards_received
-- Read the rewards of a position between two run dates, newest first, each with what was taken back of it.
SELECT r.run_on, r.amount, r.is_early, coalesce(f.amount, 0) AS forfeited
  FROM reward r
  LEFT JOIN forfeited_reward f ON f.cell = r.cell AND f.position_id = r.position_id AND f.run_on = r.run_on
 WHERE r.cell = %(cell)s AND r.position_id = %(position_id)s
   AND r.run_on BETWEEN %(first_run_on)s AND %(last_run_on)s
 ORDER BY r.run_on DESC;

-- name: assets_of_customer
-- Read what a customer has of each asset, with what their positions have earned in all less what was forfeited.
WITH held AS (
    SELECT account_asset(account_id) AS asset_id, account_kind(account_id) AS kind, amount
      FROM balance
     WHERE cell = %(cell)s AND account_id >= %(customer_id)s::bigint << 19
       AND account_id < (%(customer_id)s::bigint + 1) << 19
), earned AS (
    SELECT a.asset_id,
           paid_by(CASE WHEN p.ended_at IS NOT NULL THEN p.anchor_basis
                        ELSE basis_after(p.product_id, p.locked_revision, p.started_at, p.principal, p.tier_offset,
                                         p.anchor_days, p.anchor_basis,
                                         days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days,
                                                   c.watermark_at)) END, a.unit)
           - CASE WHEN p.ended_by = 'early_redemption'
                  THEN (SELECT coalesce(sum(f.amount), 0) FROM forfeited_reward f
                         WHERE f.cell = p.cell AND f.position_id = p.position_id)
                  ELSE 0 END AS amount
      FROM position p
      JOIN cell c ON c.cell = p.cell
      JOIN asset a ON a.asset_id = account_asset(p.reward_account)
     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s
), rewarded AS (
    SELECT asset_id, sum(amount) AS amount FROM earned GROUP BY asset_id
)
SELECT a.code AS asset, a.name, a.scale, a.unit,
       coalesce(sum(h.amount) FILTER (WHERE h.kind = 1), 0) AS spot,
       coalesce(sum(h.amount) FILTER (WHERE h.kind = 2), 0) AS funding,
       coalesce(sum(h.amount) FILTER (WHERE h.kind = 3), 0) AS earn,
       coalesce(sum(h.amount) FILTER (WHERE h.kind = 4), 0) AS accrued,
       sum(h.amount) AS total, coalesce(max(r.amount), 0) AS lifetime_rewards
  FROM held h
  JOIN asset a ON a.asset_id = h.asset_id
  LEFT JOIN rewarded r ON r.asset_id = h.asset_id
 GROUP BY a.asset_id
 ORDER BY a.code;

-- name: auto_subscriptions_of
-- Read the auto-subscriptions that a customer has set, those switched off included.
SELECT o.code AS product, a.code AS asset, s.source, s.floor, s.agreement_version, s.is_on, s.changed_at
  FROM auto_subscription s
  JOIN asset a ON a.asset_id = s.asset_id
  JOIN product o ON o.product_id = s.product_id
 WHERE s.cell = %(cell)s AND s.customer_id = %(customer_id)s
 ORDER BY a.code;

-- name: rate_guards_of
-- Read the rate guards that a customer has set, those switched off included.
SELECT o.code AS product, g.apr_min, g.action, g.is_on, g.changed_at
  FROM rate_guard g
  JOIN product o ON o.product_id = g.product_id
 WHERE g.cell = %(cell)s AND g.customer_id = %(customer_id)s
 ORDER BY o.code;

-- name: held_by_product
-- Add up what a customer holds of each product.
SELECT p.code, sum(o.principal) AS principal
  FROM position o
  JOIN product p ON p.product_id = o.product_id
 WHERE o.cell = %(cell)s AND o.customer_id = %(customer_id)s AND o.ended_at IS NULL
 GROUP BY p.code;

-- name: customer_of_position
-- Say whose a position is.
SELECT p.customer_id, c.reference, o.code AS product, p.ended_at IS NULL AS is_open
  FROM position p
  JOIN product o ON o.product_id = p.product_id
  JOIN customer c ON c.cell = p.cell AND c.customer_id = p.customer_id
 WHERE p.cell = %(cell)s AND p.position_id = %(position_id)s;

-- name: positions_newest_first
-- Read positions of the whole desk, who started last first: of each product wanted the beginning of its range, merged. A
-- bound on the maturity is, for a product's shortest and longest term, one on the start as well.
WITH wanted AS MATERIALIZED (
    SELECT o.product_id, greatest(%(started_from)s::timestamptz, %(matures_from)s::timestamptz - make_interval(days => t.longest)) AS started_from,
           least(%(started_until)s::timestamptz, %(matures_until)s::timestamptz - make_interval(days => t.shortest)) AS started_until
      FROM product o
      JOIN asset a ON a.asset_id = o.asset_id
     CROSS JOIN LATERAL (SELECT min(term_days) AS shortest, max(term_days) AS longest FROM terms x
                          WHERE x.product_id = o.product_id) t
     WHERE (%(product)s::text IS NULL OR o.code = %(product)s::text)
       AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text)
       AND (%(kind)s::text IS NULL OR o.kind = %(kind)s::text)
       AND (NOT %(is_by_maturity)s::boolean OR o.kind = 'fixed')
), open AS (
    SELECT f.*
      FROM wanted w
     CROSS JOIN LATERAL (SELECT p.position_id, p.started_at
                           FROM position p
                          WHERE p.product_id = w.product_id AND p.ended_at IS NULL
                            AND p.started_at >= w.started_from AND p.started_at < w.started_until
                            AND (p.started_at, p.position_id) < (%(after_at)s, %(after_id)s)
                            AND (NOT %(is_by_maturity)s::boolean
                                 OR (p.matures_at >= %(matures_from)s::timestamptz AND p.matures_at < %(matures_until)s::timestamptz))
                          ORDER BY p.started_at DESC, p.position_id DESC
                          LIMIT %(count)s) f
     WHERE %(with_open)s::boolean
), ended AS (
    SELECT f.*
      FROM wanted w
     CROSS JOIN LATERAL (SELECT p.position_id, p.started_at
                           FROM position p
                          WHERE p.product_id = w.product_id AND p.ended_at IS NOT NULL
                            AND p.started_at >= w.started_from AND p.started_at < w.started_until
                            AND (p.started_at, p.position_id) < (%(after_at)s, %(after_id)s)
                            AND (NOT %(is_by_maturity)s::boolean
                                 OR (p.matures_at >= %(matures_from)s::timestamptz AND p.matures_at < %(matures_until)s::timestamptz))
                          ORDER BY p.started_at DESC, p.position_id DESC
                          LIMIT %(count)s) f
     WHERE %(with_ended)s::boolean
), found AS (
    SELECT * FROM open UNION ALL SELECT * FROM ended
     ORDER BY started_at DESC, position_id DESC
     LIMIT %(count)s
)
SELECT p.position_id, p.customer_id, c.reference AS customer, o.code AS product, o.kind, a.code AS asset, p.principal,
       p.opened_principal, p.started_at, p.matures_at, p.ended_at, p.ended_by, p.parked_days IS NOT NULL AS is_parked
  FROM found f
  JOIN position p ON p.cell = (f.position_id & 255)::smallint AND p.position_id = f.position_id
  JOIN customer c ON c.cell = p.cell AND c.customer_id = p.customer_id
  JOIN product o ON o.product_id = p.product_id
  JOIN asset a ON a.asset_id = o.asset_id
 ORDER BY p.started_at DESC, p.position_id DESC;

-- name: positions_oldest_first
-- Read positions of the whole desk, who started first first.
WITH wanted AS MATERIALIZED (
    SELECT o.product_id, greatest(%(started_from)s::timestamptz, %(matures_from)s::timestamptz - make_interval(days => t.longest)) AS started_from,
           least(%(started_until)s::timestamptz, %(matures_until)s::timestamptz - make_interval(days => t.shortest)) AS started_until
      FROM product o
      JOIN asset a ON a.asset_id = o.asset_id
     CROSS JOIN LATERAL (SELECT min(term_days) AS shortest, max(term_days) AS longest FROM terms x
                          WHERE x.product_id = o.product_id) t
     WHERE (%(product)s::text IS NULL OR o.code = %(product)s::text)
       AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text)
       AND (%(kind)s::text IS NULL OR o.kind = %(kind)s::text)
       AND (NOT %(is_by_maturity)s::boolean OR o.kind = 'fixed')
), open AS (
    SELECT f.*
      FROM wanted w
     CROSS JOIN LATERAL (SELECT p.position_id, p.started_at
                           FROM position p
                          WHERE p.product_id = w.product_id AND p.ended_at IS NULL
                            AND p.started_at >= w.started_from AND p.started_at < w.started_until
                            AND (p.started_at, p.position_id) > (%(after_at)s, %(after_id)s)
                            AND (NOT %(is_by_maturity)s::boolean
                                 OR (p.matures_at >= %(matures_from)s::timestamptz AND p.matures_at < %(matures_until)s::timestamptz))
                          ORDER BY p.started_at, p.position_id
                          LIMIT %(count)s) f
     WHERE %(with_open)s::boolean
), ended AS (
    SELECT f.*
      FROM wanted w
     CROSS JOIN LATERAL (SELECT p.position_id, p.started_at
                           FROM position p
                          WHERE p.product_id = w.product_id AND p.ended_at IS NOT NULL
                            AND p.started_at >= w.started_from AND p.started_at < w.started_until
                            AND (p.started_at, p.position_id) > (%(after_at)s, %(after_id)s)
                            AND (NOT %(is_by_maturity)s::boolean
                                 OR (p.matures_at >= %(matures_from)s::timestamptz AND p.matures_at < %(matures_until)s::timestamptz))
                          ORDER BY p.started_at, p.position_id
                          LIMIT %(count)s) f
     WHERE %(with_ended)s::boolean
), found AS (
    SELECT * FROM open UNION ALL SELECT * FROM ended
     ORDER BY started_at, position_id
     LIMIT %(count)s
)
SELECT p.position_id, p.customer_id, c.reference AS customer, o.code AS product, o.kind, a.code AS asset, p.principal,
       p.opened_principal, p.started_at, p.matures_at, p.ended_at, p.ended_by, p.parked_days IS NOT NULL AS is_parked
  FROM found f
  JOIN position p ON p.cell = (f.position_id & 255)::smallint AND p.position_id = f.position_id
  JOIN customer c ON c.cell = p.cell AND c.customer_id = p.customer_id
  JOIN product o ON o.product_id = p.product_id
  JOIN asset a ON a.asset_id = o.asset_id
 ORDER BY p.started_at, p.position_id;

-- name: positions_maturing_first
-- Read open fixed-term positions of the whole desk, who mature soonest first.
WITH wanted AS MATERIALIZED (
    SELECT o.product_id, greatest(%(matures_from)s::timestamptz, %(started_from)s::timestamptz + make_interval(days => t.shortest)) AS matures_from,
           least(%(matures_until)s::timestamptz, %(started_until)s::timestamptz + make_interval(days => t.longest)) AS matures_until
      FROM product o
      JOIN asset a ON a.asset_id = o.asset_id
     CROSS JOIN LATERAL (SELECT min(term_days) AS shortest, max(term_days) AS longest FROM terms x
                          WHERE x.product_id = o.product_id) t
     WHERE o.kind = 'fixed' AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
       AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text)
), found AS (
    SELECT f.*
      FROM wanted w
     CROSS JOIN LATERAL (SELECT p.position_id, p.matures_at
                           FROM position p
                          WHERE p.product_id = w.product_id AND p.ended_at IS NULL AND p.term_days IS NOT NULL
                            AND p.matures_at >= w.matures_from AND p.matures_at < w.matures_until
                            AND (p.matures_at, p.position_id) > (%(after_at)s, %(after_id)s)
                            AND (NOT %(is_by_start)s::boolean
                                 OR (p.started_at >= %(started_from)s::timestamptz AND p.started_at < %(started_until)s::timestamptz))
                          ORDER BY p.matures_at, p.position_id
                          LIMIT %(count)s) f
     ORDER BY f.matures_at, f.position_id
     LIMIT %(count)s
)
SELECT p.position_id, p.customer_id, c.reference AS customer, o.code AS product, o.kind, a.code AS asset, p.principal,
       p.opened_principal, p.started_at, p.matures_at, p.ended_at, p.ended_by, p.parked_days IS NOT NULL AS is_parked
  FROM found f
  JOIN position p ON p.cell = (f.position_id & 255)::smallint AND p.position_id = f.position_id
  JOIN customer c ON c.cell = p.cell AND c.customer_id = p.customer_id
  JOIN product o ON o.product_id = p.product_id
  JOIN asset a ON a.asset_id = o.asset_id
 ORDER BY p.matures_at, p.position_id;

-- name: held_by_version
-- Add up what is open of a product under each version of its terms.
SELECT version, count(*) AS positions, sum(principal) AS principal
  FROM position
 WHERE product_id = %(product_id)s AND ended_at IS NULL
 GROUP BY version
 ORDER BY version;

-- name: keep_announcement
-- Keep to how many customers a rate revision was told: to all who have an open position in the product.
INSERT INTO rate_announcement (product_id, revision, holders, announced_at)
SELECT %(product_id)s, %(revision)s, count(*), %(now)s
  FROM (SELECT p.customer_id FROM position p
         WHERE p.product_id = %(product_id)s AND p.ended_at IS NULL
         GROUP BY p.customer_id) holder
    ON CONFLICT (product_id, revision) DO NOTHING
RETURNING holders;

-- name: announcements
-- Read to how many customers each revision of a product was told.
SELECT revision, holders FROM rate_announcement WHERE product_id = %(product_id)s;
-- name: flexible_holdings
-- Read a page of what a customer holds of flexible products, by product, with what each has ever paid them; and how many
-- there are.
WITH held AS (
    SELECT p.product_id, sum(p.principal) AS principal
      FROM position p
     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND p.ended_at IS NULL AND p.term_days IS NULL
     GROUP BY p.product_id
), named AS (
    SELECT h.product_id, h.principal, o.code AS product, a.asset_id, a.code AS asset, a.unit
      FROM held h
      JOIN product o ON o.product_id = h.product_id
      JOIN asset a ON a.asset_id = o.asset_id
     WHERE (%(asset)s::text IS NULL OR a.code = %(asset)s::text) AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
)
SELECT c.total, n.product, n.asset, n.principal, coalesce(s.is_on, false) AS is_auto,
       (SELECT coalesce(sum(paid_by(CASE WHEN p.ended_at IS NOT NULL THEN p.anchor_basis
                                         ELSE basis_after(p.product_id, p.locked_revision, p.started_at, p.principal,
                                                          p.tier_offset, p.anchor_days, p.anchor_basis,
                                                          days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days,
                                                                    l.watermark_at)) END, n.unit)), 0)
          FROM position p
          JOIN cell l ON l.cell = p.cell
         WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND p.product_id = n.product_id) AS earned
  FROM (SELECT count(*) AS total FROM named) c
  LEFT JOIN (SELECT * FROM named ORDER BY product LIMIT %(limit)s OFFSET %(offset)s) n ON true
  LEFT JOIN auto_subscription s ON s.cell = %(cell)s AND s.customer_id = %(customer_id)s AND s.asset_id = n.asset_id
                               AND s.product_id = n.product_id
 ORDER BY n.product;

-- name: fixed_page
-- Find a page of a customer's open fixed-term positions, newest first; and how many there are.
WITH mine AS (
    SELECT p.position_id
      FROM position p
      JOIN product o ON o.product_id = p.product_id
      JOIN asset a ON a.asset_id = o.asset_id
     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND p.ended_at IS NULL AND p.term_days IS NOT NULL
       AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text) AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
       AND (%(position_id)s::bigint IS NULL OR p.position_id = %(position_id)s::bigint)
)
SELECT c.total, m.position_id
  FROM (SELECT count(*) AS total FROM mine) c
  LEFT JOIN (SELECT position_id FROM mine ORDER BY position_id DESC LIMIT %(limit)s OFFSET %(offset)s) m ON true
 ORDER BY m.position_id DESC;

-- name: staked
-- Add up a customer's principals by kind of product and coin.
SELECT o.kind, a.code AS asset, sum(p.principal) AS principal
  FROM position p
  JOIN product o ON o.product_id = p.product_id
  JOIN asset a ON a.asset_id = o.asset_id
 WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND p.ended_at IS NULL
 GROUP BY o.kind, a.code;

-- name: opened
-- Read a page of the positions that a customer has opened in a period, newest first, with what came from which account.
WITH mine AS (
    SELECT p.position_id, o.code AS product, a.code AS asset, p.term_days, p.opened_principal AS amount, p.request_key,
           p.renewed_from, p.started_at AS at
      FROM position p
      JOIN product o ON o.product_id = p.product_id
      JOIN asset a ON a.asset_id = o.asset_id
     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND (p.term_days IS NOT NULL) = %(is_fixed)s
       AND p.started_at >= %(from_at)s AND p.started_at < %(until_at)s
       AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text) AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
       AND (%(position_id)s::bigint IS NULL OR p.position_id = %(position_id)s::bigint)
       AND (%(number)s::bigint IS NULL OR p.position_id = %(number)s::bigint)
), page AS (
    SELECT * FROM mine ORDER BY at DESC, position_id DESC LIMIT %(limit)s OFFSET %(offset)s
), paid AS (
    SELECT t.position_id, coalesce(sum(t.amount) FILTER (WHERE account_kind(t.debit_account) = 1), 0) AS from_spot,
           coalesce(sum(t.amount) FILTER (WHERE account_kind(t.debit_account) = 2), 0) AS from_funding
      FROM transfer t
     WHERE t.cell = %(cell)s AND t.customer_id = %(customer_id)s AND t.kind = 'subscription'
       AND t.position_id IN (SELECT position_id FROM page)
     GROUP BY t.position_id
)
SELECT c.total, n.position_id, n.product, n.asset, n.term_days, n.amount, n.request_key, n.renewed_from, n.at,
       coalesce(f.from_spot, 0) AS from_spot, coalesce(f.from_funding, 0) AS from_funding
  FROM (SELECT count(*) AS total FROM mine) c
  LEFT JOIN page n ON true
  LEFT JOIN paid f ON f.position_id = n.position_id
 ORDER BY n.at DESC, n.position_id DESC;

-- name: given_back
-- Read a page of a customer's redemptions from flexible products in a period, newest first, one for each act.
WITH act AS (
    SELECT t.act_id, o.code AS product, a.code AS asset, sum(t.amount) AS amount,
           CASE account_kind(min(t.credit_account)) WHEN 1 THEN 'spot' ELSE 'funding' END AS destination,
           min(t.effective_at) AS at
      FROM transfer t
      JOIN position p ON p.cell = t.cell AND p.position_id = t.position_id
      JOIN product o ON o.product_id = p.product_id
      JOIN asset a ON a.asset_id = o.asset_id
     WHERE t.cell = %(cell)s AND t.customer_id = %(customer_id)s AND t.kind = 'redemption' AND p.term_days IS NULL
       AND t.effective_at >= %(from_at)s AND t.effective_at < %(until_at)s
       AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text) AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
       AND (%(number)s::bigint IS NULL OR t.act_id = %(number)s::bigint)
       AND (%(position_id)s::bigint IS NULL OR t.position_id = %(position_id)s::bigint)
     GROUP BY t.act_id, o.code, a.code
)
SELECT c.total, n.*
  FROM (SELECT count(*) AS total FROM act) c
  LEFT JOIN (SELECT * FROM act ORDER BY at DESC, act_id DESC LIMIT %(limit)s OFFSET %(offset)s) n ON true
 ORDER BY n.at DESC, n.act_id DESC;

-- name: redemption_of
-- Find the act of a customer's redemption by its key; it is one of their newest.
SELECT act_id
  FROM transfer
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s AND kind = 'redemption' AND request_key = %(key)s
 ORDER BY transfer_id DESC
 LIMIT 1;

-- name: ended
-- Read a page of a customer's fixed terms that have ended in a period other than by a renewal, newest first.
WITH mine AS (
    SELECT p.position_id, o.code AS product, a.code AS asset, a.unit, p.term_days, p.opened_principal, p.anchor_basis,
           p.ended_by, p.ended_at AS at
      FROM position p
      JOIN product o ON o.product_id = p.product_id
      JOIN asset a ON a.asset_id = o.asset_id
     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND p.term_days IS NOT NULL
       AND p.ended_by IN ('early_redemption', 'maturity', 'to_flexible')
       AND p.ended_at >= %(from_at)s AND p.ended_at < %(until_at)s
       AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text) AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
       AND (%(position_id)s::bigint IS NULL OR p.position_id = %(position_id)s::bigint)
       AND (%(number)s::bigint IS NULL OR p.position_id = %(number)s::bigint)
), page AS (
    SELECT * FROM mine ORDER BY at DESC, position_id DESC LIMIT %(limit)s OFFSET %(offset)s
), moved AS (
    SELECT t.position_id, coalesce(sum(t.amount) FILTER (WHERE t.kind = 'redemption'), 0) AS returned,
           coalesce(sum(t.amount) FILTER (WHERE t.kind = 'forfeiture'), 0) AS forfeited
      FROM transfer t
     WHERE t.cell = %(cell)s AND t.customer_id = %(customer_id)s AND t.kind IN ('redemption', 'forfeiture')
       AND t.position_id IN (SELECT position_id FROM page)
     GROUP BY t.position_id
)
SELECT c.total, n.position_id, n.product, n.asset, n.term_days, n.opened_principal, n.ended_by, n.at,
       CASE n.ended_by WHEN 'to_flexible' THEN n.opened_principal ELSE coalesce(m.returned, 0) END AS amount,
       paid_by(n.anchor_basis, n.unit) AS earned, coalesce(m.forfeited, 0) AS forfeited
  FROM (SELECT count(*) AS total FROM mine) c
  LEFT JOIN page n ON true
  LEFT JOIN moved m ON m.position_id = n.position_id
 ORDER BY n.at DESC, n.position_id DESC;
