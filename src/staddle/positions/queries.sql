-- name: lock_quotas
-- Hold the quota rows of some products until the transaction ends, in order; always after the cells.
SELECT product_id, used, total, ceiling
  FROM quota
 WHERE product_id = ANY(%(product_ids)s::integer[])
 ORDER BY product_id
   FOR UPDATE;

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

-- name: subscribers
-- Read what decides about each subscription: the customer, the source balance, the holding.
SELECT k.number, c.customer_id, c.country, c.vip_level, c.joined_at,
       coalesce(b.amount, 0) AS source_balance, coalesce(h.amount, 0) AS holding
  FROM unnest(%(cells)s::smallint[], %(customer_ids)s::bigint[], %(product_ids)s::integer[],
              %(source_accounts)s::bigint[]) WITH ORDINALITY
       AS k (cell, customer_id, product_id, source_account, number)
  LEFT JOIN customer c ON c.cell = k.cell AND c.customer_id = k.customer_id
  LEFT JOIN balance b ON b.cell = k.cell AND b.account_id = k.source_account
  LEFT JOIN LATERAL (SELECT sum(p.principal) AS amount
                       FROM position p
                      WHERE p.cell = k.cell AND p.customer_id = k.customer_id AND p.product_id = k.product_id
                        AND p.ended_at IS NULL) h ON true
 ORDER BY k.number;

-- name: open_positions
-- Insert new positions.
INSERT INTO position (cell, position_id, customer_id, product_id, version, request_key, started_at, term_days,
                      opened_principal, opened_offset, locked_revision, reward_account, agreement_version, renewed_from,
                      principal, tier_offset, anchor_days, anchor_basis, at_maturity, redeem_to)
SELECT n.cell, n.position_id, n.customer_id, n.product_id, n.version, n.request_key, n.started_at, n.term_days,
       n.principal, n.tier_offset, n.locked_revision, n.reward_account, n.agreement_version, n.renewed_from,
       n.principal, n.tier_offset, 0, 0, n.at_maturity, n.redeem_to
  FROM unnest(%(cells)s::smallint[], %(position_ids)s::bigint[], %(customer_ids)s::bigint[],
              %(product_ids)s::integer[], %(versions)s::integer[], %(request_keys)s::text[],
              %(started_at)s::timestamptz[], %(term_days)s::integer[], %(principals)s::numeric[],
              %(tier_offsets)s::numeric[], %(locked_revisions)s::integer[], %(reward_accounts)s::bigint[],
              %(agreement_versions)s::integer[], %(renewed_from)s::bigint[], %(at_maturity)s::text[],
              %(redeem_to)s::text[])
       AS n (cell, position_id, customer_id, product_id, version, request_key, started_at, term_days, principal,
             tier_offset, locked_revision, reward_account, agreement_version, renewed_from, at_maturity, redeem_to);

-- name: record_consents
-- Keep who accepted which version of the agreement, when, from where; the first time counts.
INSERT INTO consent (cell, customer_id, version, accepted_at, accepted_from)
SELECT c.cell, c.customer_id, c.version, %(now)s, c.accepted_from
  FROM unnest(%(cells)s::smallint[], %(customer_ids)s::bigint[], %(versions)s::integer[], %(accepted_from)s::text[])
       AS c (cell, customer_id, version, accepted_from)
    ON CONFLICT (cell, customer_id, version) DO NOTHING;

-- name: move_quotas
-- Take or release quota; a ceiling above the total sinks with what is released.
UPDATE quota q
   SET used = q.used + m.amount,
       ceiling = CASE WHEN q.ceiling > q.total THEN greatest(q.total, least(q.ceiling, q.used + m.amount)) ELSE q.ceiling END
  FROM unnest(%(product_ids)s::integer[], %(amounts)s::numeric[]) AS m (product_id, amount)
 WHERE q.product_id = m.product_id;

-- name: positions_of_holdings
-- Read the open positions of some holdings, oldest first.
SELECT p.*, t.amount_min, t.early_redemption, t.kept_fraction, t.reduced_apr, t.reduced_apr_days_min, t.payout,
       t.personal_cap
  FROM unnest(%(cells)s::smallint[], %(customer_ids)s::bigint[], %(product_ids)s::integer[])
       AS h (cell, customer_id, product_id)
  JOIN position p ON p.cell = h.cell AND p.customer_id = h.customer_id AND p.product_id = h.product_id
                 AND p.ended_at IS NULL
  JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
 ORDER BY p.cell, p.customer_id, p.product_id, p.started_at, p.position_id;

-- name: settle
-- Pay the completed, unpaid accrual days of some positions through an instant each, one reward row a day.
WITH span AS (
    SELECT p.*, a.unit,
           days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days, c.watermark_at) AS paid_days,
           least(full_days(p.started_at, t.through), p.term_days) AS due_days
      FROM unnest(%(cells)s::smallint[], %(position_ids)s::bigint[], %(through)s::timestamptz[])
           AS t (cell, position_id, through)
      JOIN position p ON p.cell = t.cell AND p.position_id = t.position_id
      JOIN cell c ON c.cell = p.cell
      JOIN asset a ON a.asset_id = account_asset(p.reward_account)
), day AS (
    SELECT s.cell, s.position_id, s.reward_account, s.started_at, s.due_days, s.unit, d.day,
           basis_after(s.product_id, s.locked_revision, s.started_at, s.principal, s.tier_offset, s.anchor_days,
                       s.anchor_basis, d.day) AS basis
      FROM span s
     CROSS JOIN LATERAL generate_series(s.paid_days, greatest(s.paid_days, s.due_days)) AS d (day)
), earned AS (
    SELECT cell, position_id, reward_account, started_at, due_days, day, basis,
           paid_by(basis, unit) - lag(paid_by(basis, unit)) OVER (PARTITION BY cell, position_id ORDER BY day) AS amount
      FROM day
), paid AS (
    INSERT INTO reward (credit_account, position_id, run_on, cell, is_early, amount, basis)
    SELECT reward_account, position_id, run_on_of(started_at + make_interval(hours => 24 * day), %(distribution_time)s),
           cell, true, amount, basis
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
-- Move the anchor of some positions to what was settled, keep what they held until now, and give them what they hold next.
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
)
UPDATE position p
   SET anchor_days = c.days, anchor_basis = c.basis, principal = c.principal, tier_offset = c.tier_offset,
       ended_at = c.ended_at, ended_by = c.ended_by
  FROM change c
 WHERE p.cell = c.cell AND p.position_id = c.position_id AND p.ended_at IS NULL;
