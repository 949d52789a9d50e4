-- name: house_account
-- Read what a house account holds in each cell, where it holds anything.
SELECT b.cell, b.amount
  FROM cell c
  JOIN balance b ON b.cell = c.cell AND b.account_id = %(account_id)s
 WHERE b.amount > 0
 ORDER BY b.cell;

-- name: entry
-- Read a transfer, its customer's reference, and the transfer that corrects it.
SELECT t.transfer_id, t.kind::text AS kind, t.customer_id, c.reference AS customer, t.amount, t.debit_account,
       t.credit_account, t.effective_at, t.request_key, n.transfer_id AS corrected_by_id
  FROM transfer t
  LEFT JOIN customer c ON c.cell = t.cell AND c.customer_id = t.customer_id
  LEFT JOIN transfer n ON n.cell = t.cell AND n.corrects = t.transfer_id
 WHERE t.cell = %(cell)s AND t.transfer_id = %(transfer_id)s;

-- name: count_pool_moves
-- Count the transfers that have moved an asset's reward pool: every one is of the house.
SELECT count(*) AS moves
  FROM cell c
  JOIN transfer t ON t.cell = c.cell AND t.customer_id = 0
 WHERE %(pool)s::bigint IN (t.debit_account, t.credit_account);

-- name: pool_move_of_reference
-- Say whether a move of an asset's pool has this reference, or waits with it; one that was declined gives it back.
SELECT 1
  FROM approval
 WHERE act = 'move_pool' AND decision IS DISTINCT FROM 'declined'
   AND request ->> 'asset' = %(asset)s AND request ->> 'reference' = %(reference)s;

-- name: keep_pool_move
-- Write down a move of a pool that was done, with the act of its transfers.
INSERT INTO pool_move (approval_id, asset_id, move, amount, reference, act_id, moved_at)
VALUES (%(approval_id)s, %(asset_id)s, %(move)s, %(amount)s, %(reference)s, %(act_id)s, %(now)s);

-- name: pool_moves
-- Read the requests to move a pool, newest first, before one of them: who asked, who decided, and what was done.
SELECT a.approval_id, a.request ->> 'move' AS move, a.request ->> 'asset' AS asset, (a.request ->> 'amount')::numeric AS amount,
       a.request ->> 'reference' AS reference, a.asked_by, a.asked_at, a.decision, a.decided_by, a.decided_at, m.act_id
  FROM approval a
  LEFT JOIN pool_move m ON m.approval_id = a.approval_id
 WHERE a.act = 'move_pool' AND (%(asset)s::text IS NULL OR a.request ->> 'asset' = %(asset)s)
   AND (NOT %(is_waiting)s OR a.decision IS NULL)
   AND (%(before)s::integer IS NULL OR a.approval_id < %(before)s::integer)
 ORDER BY a.approval_id DESC
 LIMIT %(limit)s;

-- name: expect_a_few_sums
-- Tell the planner, for this transaction, that many positions make few sums: several processes read a part each, and
-- nothing is sorted for it.
SELECT set_config('parallel_setup_cost', '0', true) AS setup, set_config('parallel_tuple_cost', '0', true) AS rows,
       set_config('enable_sort', 'off', true) AS sorts;

-- name: tier_bounds
-- Read the amounts at which any rate changes.
SELECT DISTINCT amount_from AS bound FROM rate_tier;

-- name: standings
-- Add up what open positions hold by product, locked revision, and the bands in which their tops and bottoms lie.
SELECT p.product_id, p.locked_revision, p.matures_at IS NULL OR p.matures_at > %(at)s AS is_touched,
       width_bucket(p.tier_offset + p.principal, %(bounds)s::numeric[]) AS top_band,
       width_bucket(p.tier_offset, %(bounds)s::numeric[]) AS offset_band,
       count(*) AS positions, count(*) FILTER (WHERE p.tier_offset = 0) AS holders, sum(p.principal) AS principal,
       sum(p.tier_offset) AS "offset"
  FROM position p
 WHERE p.ended_at IS NULL AND (p.matures_at IS NULL OR p.matures_at > %(now)s)
   AND (%(asset_id)s::smallint IS NULL
        OR p.product_id = ANY(ARRAY(SELECT o.product_id FROM product o WHERE o.asset_id = %(asset_id)s::smallint)))
 GROUP BY 1, 2, 3, 4, 5;

-- name: rates_in_force
-- Read the tiers of every schedule at an instant: of each product's own rate, and of the revisions that positions keep.
SELECT r.product_id, r.locked_revision, r.amount_from, r.amount_to, r.apr
  FROM rate_span r
 WHERE r.effective_at <= %(at)s AND r.until_at > %(at)s
 ORDER BY r.product_id, r.locked_revision, r.amount_from;

-- name: products_of_assets
-- Read which coin each product is in.
SELECT product_id, code, asset_id FROM product;

-- name: holders_touched
-- Count the customers who have a position in a product that follows its rate and is still open at an instant.
SELECT count(*) AS customers
  FROM (SELECT p.customer_id
          FROM position p
         WHERE p.product_id = %(product_id)s AND p.locked_revision = 0 AND p.ended_at IS NULL
           AND (p.matures_at IS NULL OR p.matures_at > %(at)s)
         GROUP BY p.customer_id) holder;

-- name: locked_terms
-- Add up what positions of a product that keep the rate they were opened under earn in a day, and still to the end of
-- their terms.
SELECT count(*) AS positions, sum(l.principal) AS principal, max(l.matures_at) AS last_matures_at,
       sum(l.days_left * b.basis) AS basis_left, sum(b.basis) AS day_basis
  FROM (SELECT p.*, p.term_days - days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days, %(paid_until)s) AS days_left
          FROM position p
         WHERE p.product_id = %(product_id)s AND p.locked_revision <> 0 AND p.ended_at IS NULL AND p.term_days IS NOT NULL) l
 CROSS JOIN LATERAL (SELECT sum(amount_in_tier(l.principal, l.tier_offset, t.amount_from, t.amount_to) * t.apr) AS basis
                       FROM rate_tier t
                      WHERE t.product_id = l.product_id AND t.revision = l.locked_revision) b;

-- name: paid_until
-- Read the distribution through which every cell has been paid.
SELECT min(watermark_at) AS watermark_at FROM cell;

-- name: maturities
-- Add up what falls due by day and asset; what is overdue counts as due now. Rewards are worked out in one set, as in
-- basis_after, for a call of it for each position would cost far more: of positions that keep their rate by the line of
-- the band that they reach up to (see rate_line), of others span by span.
WITH rate AS MATERIALIZED (
    SELECT product_id, locked_revision, effective_at, until_at, amount_from, amount_to, apr FROM rate_span
     WHERE locked_revision = 0
), kept AS MATERIALIZED (
    SELECT l.product_id, l.locked_revision, array_agg(l.bound ORDER BY l.bound) AS bounds,
           array_agg(l.apr ORDER BY l.bound) AS aprs, array_agg(l.base ORDER BY l.bound) AS bases
      FROM rate_line l
     WHERE l.locked_revision <> 0
     GROUP BY l.product_id, l.locked_revision
), due AS MATERIALIZED (
    SELECT (greatest(p.matures_at, %(now)s) AT TIME ZONE 'UTC')::date AS due_on, p.product_id, p.version, p.at_maturity,
           count(*) AS position_count, sum(p.principal) AS principal
      FROM position p
     WHERE p.ended_at IS NULL AND p.term_days IS NOT NULL AND p.matures_at < %(until)s
     GROUP BY 1, 2, 3, 4
), accruing AS (
    SELECT p.*, (greatest(p.matures_at, %(now)s) AT TIME ZONE 'UTC')::date AS due_on, a.code AS asset, a.unit
      FROM position p
      JOIN terms t ON t.product_id = p.product_id AND t.version = p.version AND t.payout = 'at_maturity'
      JOIN product o ON o.product_id = p.product_id
      JOIN asset a ON a.asset_id = o.asset_id AND (%(asset)s::text IS NULL OR a.code = %(asset)s)
     WHERE p.ended_at IS NULL AND p.term_days IS NOT NULL AND p.matures_at < %(until)s
), earned AS (
    SELECT d.due_on, d.asset, d.unit,
           d.anchor_basis + (d.term_days - d.anchor_days)
           * ((d.tier_offset + d.principal) * k.aprs[width_bucket(d.tier_offset + d.principal, k.bounds)]
              + k.bases[width_bucket(d.tier_offset + d.principal, k.bounds)]
              - d.tier_offset * k.aprs[width_bucket(d.tier_offset, k.bounds)] - k.bases[width_bucket(d.tier_offset, k.bounds)])
           AS basis
      FROM accruing d
      JOIN kept k ON k.product_id = d.product_id AND k.locked_revision = d.locked_revision
    UNION ALL
    SELECT d.due_on, d.asset, d.unit,
           d.anchor_basis + sum(days_at_rate(d.started_at, r.effective_at, r.until_at, d.anchor_days, d.term_days)
                                * amount_in_tier(d.principal, d.tier_offset, r.amount_from, r.amount_to) * r.apr)
      FROM accruing d
      JOIN rate r ON r.product_id = d.product_id
     WHERE d.locked_revision = 0
     GROUP BY d.cell, d.position_id, d.due_on, d.asset, d.unit, d.anchor_basis
), rewarded AS (
    SELECT due_on, asset, sum(paid_by(basis, unit)) AS amount FROM earned GROUP BY due_on, asset
)
SELECT d.due_on, a.code AS asset, sum(d.position_count)::bigint AS position_count, sum(d.principal) AS principal,
       coalesce(sum(d.principal) FILTER (WHERE d.at_maturity = 'redeem'), 0) AS principal_redeemed,
       coalesce(max(w.amount), 0) AS rewards
  FROM due d
  JOIN product o ON o.product_id = d.product_id
  JOIN asset a ON a.asset_id = o.asset_id
  LEFT JOIN rewarded w ON w.due_on = d.due_on AND w.asset = a.code
 WHERE %(asset)s::text IS NULL OR a.code = %(asset)s
 GROUP BY d.due_on, a.code
 ORDER BY d.due_on, a.code;

-- name: expense_by_day
-- Add up by date of distribution and asset what rewards have cost: of finished runs what they planned, with parked
-- positions counted as they were paid, late or not yet; of days to come what acts have settled already.
WITH finished AS (
    SELECT run_on FROM run WHERE state = 'finished' AND run_on >= %(from_on)s
), parked AS MATERIALIZED (
    SELECT k.cell, k.position_id, k.run_on, k.amount, p.product_id
      FROM parked_position k
      JOIN position p ON p.cell = k.cell AND p.position_id = k.position_id
), part AS (
    SELECT l.run_on, o.asset_id, l.amount
      FROM run_plan l
      JOIN finished f ON f.run_on = l.run_on
      JOIN product o ON o.product_id = l.product_id
    UNION ALL
    SELECT k.run_on, o.asset_id, -k.amount
      FROM parked k
      JOIN finished f ON f.run_on = k.run_on
      JOIN product o ON o.product_id = k.product_id
    UNION ALL
    SELECT r.run_on, account_asset(r.credit_account), r.amount
      FROM (SELECT DISTINCT cell, position_id FROM parked) d
      JOIN reward r ON r.cell = d.cell AND r.position_id = d.position_id AND r.is_late AND r.run_on >= %(from_on)s
      JOIN finished f ON f.run_on = r.run_on
    UNION ALL
    SELECT r.run_on, account_asset(r.credit_account), r.amount
      FROM reward r
     WHERE r.run_on > coalesce((SELECT max(run_on) FROM run WHERE state = 'finished'), '-infinity') AND r.run_on >= %(from_on)s
)
SELECT least(run_on, %(today)s::date) AS "on", asset_id, sum(amount) AS amount FROM part GROUP BY 1, 2;

-- name: moves_by_day
-- Add up by day in UTC and asset what went into the pool, out of it, and what of it was income from forfeitures.
SELECT (t.effective_at AT TIME ZONE 'UTC')::date AS "on", account_asset(t.debit_account) AS asset_id,
       coalesce(sum(t.amount) FILTER (WHERE account_kind(t.credit_account) = 10 AND t.kind <> 'income_to_pool'), 0) AS funded,
       coalesce(sum(t.amount) FILTER (WHERE account_kind(t.debit_account) = 10), 0) AS withdrawn,
       coalesce(sum(t.amount) FILTER (WHERE t.kind = 'income_to_pool'), 0) AS income_used
  FROM cell c
  JOIN transfer t ON t.cell = c.cell AND t.customer_id = 0 AND t.effective_at >= %(from_at)s
   AND (account_kind(t.debit_account) = 10 OR account_kind(t.credit_account) = 10)
 GROUP BY 1, 2;

-- name: forfeitures_by_day
-- Add up by day in UTC and asset what customers forfeited by early redemption.
SELECT (effective_at AT TIME ZONE 'UTC')::date AS "on", account_asset(debit_account) AS asset_id, sum(amount) AS amount
  FROM transfer
 WHERE kind = 'forfeiture' AND effective_at >= %(from_at)s
 GROUP BY 1, 2;

-- name: outlook
-- Add up what open positions of fixed terms, and those that have just begun, hold by all that decides what they will cost
-- and when they end: their terms, the rate they keep, the day they began, where in the day (`phases` are the hours at which
-- a rate changes, counted from the distribution), and the bands in which their tops and bottoms lie.
SELECT p.product_id, p.version, p.locked_revision, p.at_maturity, p.term_days,
       (p.started_at AT TIME ZONE 'UTC')::date AS started_on,
       (p.started_at AT TIME ZONE 'UTC')::time > %(distribution_time)s AS is_after, p.anchor_days,
       CASE WHEN cardinality(%(phases)s::interval[]) = 0 THEN 0
            ELSE width_bucket((p.started_at AT TIME ZONE 'UTC')::time - %(distribution_time)s::time
                              + CASE WHEN (p.started_at AT TIME ZONE 'UTC')::time > %(distribution_time)s THEN interval '0'
                                     ELSE interval '24 hours' END, %(phases)s::interval[]) END AS phase,
       width_bucket(p.tier_offset + p.principal, %(bounds)s::numeric[]) AS top_band,
       width_bucket(p.tier_offset, %(bounds)s::numeric[]) AS offset_band,
       count(*) AS positions, sum(p.principal) AS principal, sum(p.tier_offset) AS "offset", sum(p.anchor_basis) AS anchor_basis
  FROM position p
 WHERE p.ended_at IS NULL
   AND (p.term_days IS NOT NULL
        OR CASE p.anchor_days WHEN 0 THEN p.started_at ELSE p.started_at + make_interval(hours => 24 * p.anchor_days) END
           > %(paid_until)s)
   AND (%(asset_id)s::smallint IS NULL
        OR p.product_id = ANY(ARRAY(SELECT o.product_id FROM product o WHERE o.asset_id = %(asset_id)s::smallint)))
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11;

-- name: outlook_flexible
-- Add up what open flexible positions hold that every distribution from now on pays: the day they began says no more.
SELECT p.product_id, p.version, p.locked_revision,
       CASE WHEN cardinality(%(phases)s::interval[]) = 0 THEN 0
            ELSE width_bucket((p.started_at AT TIME ZONE 'UTC')::time - %(distribution_time)s::time
                              + CASE WHEN (p.started_at AT TIME ZONE 'UTC')::time > %(distribution_time)s THEN interval '0'
                                     ELSE interval '24 hours' END, %(phases)s::interval[]) END AS phase,
       width_bucket(p.tier_offset + p.principal, %(bounds)s::numeric[]) AS top_band,
       width_bucket(p.tier_offset, %(bounds)s::numeric[]) AS offset_band,
       count(*) AS positions, sum(p.principal) AS principal, sum(p.tier_offset) AS "offset"
  FROM position p
 WHERE p.ended_at IS NULL AND p.term_days IS NULL
   AND CASE p.anchor_days WHEN 0 THEN p.started_at ELSE p.started_at + make_interval(hours => 24 * p.anchor_days) END
       <= %(paid_until)s
   AND (%(asset_id)s::smallint IS NULL
        OR p.product_id = ANY(ARRAY(SELECT o.product_id FROM product o WHERE o.asset_id = %(asset_id)s::smallint)))
 GROUP BY 1, 2, 3, 4, 5, 6;

-- name: outlook_products
-- Read what decides where the principal of a product goes at maturity, and what leaving it early costs.
SELECT o.product_id, o.asset_id, o.code, o.kind, o.state = 'live' AND o.subscribe_halt IS NULL AS is_open, t.term_days, t.rate_policy,
       t.flexible_product_id, o.version
  FROM product o
  LEFT JOIN terms t ON t.product_id = o.product_id AND t.version = o.version;

-- name: early_terms
-- Read what leaving early costs under each version of terms, and when its rewards are paid.
SELECT product_id, version, payout, early_redemption, kept_fraction, reduced_apr, reduced_apr_days_min FROM terms;

-- name: all_rates
-- Read every rate revision with its tiers, oldest first.
SELECT r.product_id, r.revision, r.effective_at, t.amount_from, t.amount_to, t.apr
  FROM rate_revision r
  JOIN rate_tier t ON t.product_id = r.product_id AND t.revision = r.revision
 ORDER BY r.product_id, r.effective_at, t.amount_from;

-- name: principal_held
-- Read from the quotas what customers hold of all products of an asset, flexible and fixed.
SELECT o.asset_id, coalesce(sum(q.used) FILTER (WHERE o.kind = 'flexible'), 0) AS flexible,
       coalesce(sum(q.used) FILTER (WHERE o.kind = 'fixed'), 0) AS fixed
  FROM product o
  JOIN quota q ON q.product_id = o.product_id
 GROUP BY o.asset_id;

-- name: redemptions
-- Add up by asset what customers redeemed by their own wish since an instant, and in the days before it.
SELECT account_asset(t.debit_account) AS asset_id, count(*) FILTER (WHERE t.effective_at > %(since)s) AS count,
       coalesce(sum(t.amount) FILTER (WHERE t.effective_at > %(since)s), 0) AS redeemed,
       coalesce(sum(t.amount) FILTER (WHERE t.effective_at <= %(since)s), 0) AS usual_sum
  FROM transfer t
 WHERE t.kind = 'redemption' AND t.request_key NOT LIKE 'maturity:%%'
   AND t.effective_at > %(usual_since)s AND t.effective_at <= %(now)s
 GROUP BY 1;

-- name: staked_by_asset
-- Add up what is staked, by asset.
SELECT o.asset_id, sum(q.used) AS amount
  FROM quota q
  JOIN product o ON o.product_id = q.product_id
 GROUP BY o.asset_id;

-- name: forget_costs
-- Forget what was counted before.
DELETE FROM counted_cost;

-- name: keep_costs
-- Keep what a day of each product costs.
INSERT INTO counted_cost (product_id, positions, principal, day_basis, counted_at)
SELECT o.product_id, c.positions, c.principal, c.day_basis, %(machine_now)s
  FROM unnest(%(codes)s::text[], %(positions)s::bigint[], %(principals)s::numeric[], %(day_bases)s::numeric[])
       AS c (code, positions, principal, day_basis)
  JOIN product o ON o.code = c.code
    ON CONFLICT (product_id) DO UPDATE
       SET positions = excluded.positions, principal = excluded.principal, day_basis = excluded.day_basis,
           counted_at = excluded.counted_at;

-- name: counted_costs
-- Read what was counted last, where that was since an instant.
SELECT o.code, c.positions, c.principal, c.day_basis, c.counted_at
  FROM counted_cost c
  JOIN product o ON o.product_id = c.product_id
 WHERE c.counted_at >= %(since)s;

-- name: keep_foresight
-- Keep what pages show of the coming days.
INSERT INTO counted_foresight (body, counted_at)
VALUES (%(body)s, %(machine_now)s)
    ON CONFLICT (is_the_only_one) DO UPDATE SET body = excluded.body, counted_at = excluded.counted_at;

-- name: counted_foresight
-- Read what was kept of the coming days, where that was since an instant.
SELECT body, counted_at FROM counted_foresight WHERE counted_at >= %(since)s;
