-- name: house_account
-- Read what a house account holds in each cell, where it holds anything.
SELECT b.cell, b.amount
  FROM cell c
  JOIN balance b ON b.cell = c.cell AND b.account_id = %(account_id)s
 WHERE b.amount > 0
 ORDER BY b.cell;

-- name: cost_by_asset
-- Add up what open positions earn in a day at the rates in force, undivided by 365.
SELECT o.asset_id, sum(amount_in_tier(p.principal, p.tier_offset, r.amount_from, r.amount_to) * r.apr) AS day_basis
  FROM position p
  JOIN product o ON o.product_id = p.product_id
  JOIN rate_span r ON r.product_id = p.product_id AND r.locked_revision = p.locked_revision
                  AND r.effective_at <= %(now)s AND r.until_at > %(now)s
 WHERE p.ended_at IS NULL AND (p.matures_at IS NULL OR p.matures_at > %(now)s)
 GROUP BY o.asset_id;

-- name: maturities
-- Add up what falls due by day and asset; what is overdue counts as due now. Rewards are worked out in one set, as in
-- basis_after, for a call of it for each position would cost far more.
WITH rate AS MATERIALIZED (
    SELECT product_id, locked_revision, effective_at, until_at, amount_from, amount_to, apr FROM rate_span
), due AS MATERIALIZED (
    SELECT p.*, (greatest(p.matures_at, %(now)s) AT TIME ZONE 'UTC')::date AS due_on, a.code AS asset, a.unit, t.payout
      FROM cell c
      JOIN position p ON p.cell = c.cell AND p.ended_at IS NULL AND p.term_days IS NOT NULL AND p.matures_at < %(until)s
      JOIN product o ON o.product_id = p.product_id
      JOIN asset a ON a.asset_id = o.asset_id
      JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
), earned AS (
    SELECT d.due_on, d.asset, d.unit,
           d.anchor_basis + sum(days_at_rate(d.started_at, r.effective_at, r.until_at, d.anchor_days, d.term_days)
                                * amount_in_tier(d.principal, d.tier_offset, r.amount_from, r.amount_to) * r.apr) AS basis
      FROM due d
      JOIN rate r ON r.product_id = d.product_id AND r.locked_revision = d.locked_revision
     WHERE d.payout = 'at_maturity'
     GROUP BY d.cell, d.position_id, d.due_on, d.asset, d.unit, d.anchor_basis
), rewarded AS (
    SELECT due_on, asset, sum(paid_by(basis, unit)) AS amount FROM earned GROUP BY due_on, asset
)
SELECT d.due_on, d.asset, count(*) AS position_count, sum(d.principal) AS principal,
       coalesce(sum(d.principal) FILTER (WHERE d.at_maturity = 'redeem'), 0) AS principal_redeemed,
       coalesce(max(w.amount), 0) AS rewards
  FROM due d
  LEFT JOIN rewarded w ON w.due_on = d.due_on AND w.asset = d.asset
 GROUP BY d.due_on, d.asset
 ORDER BY d.due_on, d.asset;
