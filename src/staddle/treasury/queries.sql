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
-- Add up what falls due by day and asset; what is overdue counts as due now.
SELECT (greatest(p.matures_at, %(now)s) AT TIME ZONE 'UTC')::date AS due_on, a.code AS asset, count(*) AS position_count,
       sum(p.principal) AS principal,
       coalesce(sum(p.principal) FILTER (WHERE p.at_maturity = 'redeem'), 0) AS principal_redeemed,
       coalesce(sum(paid_by(basis_after(p.product_id, p.locked_revision, p.started_at, p.principal, p.tier_offset,
                                        p.anchor_days, p.anchor_basis, p.term_days), a.unit))
                FILTER (WHERE t.payout = 'at_maturity'), 0) AS rewards
  FROM cell c
  JOIN position p ON p.cell = c.cell AND p.ended_at IS NULL AND p.term_days IS NOT NULL AND p.matures_at < %(until)s
  JOIN product o ON o.product_id = p.product_id
  JOIN asset a ON a.asset_id = o.asset_id
  JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
 GROUP BY 1, 2
 ORDER BY 1, 2;
