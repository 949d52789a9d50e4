-- name: lock_closing
-- Let one process at a time close a day.
SELECT pg_advisory_xact_lock(hashtext('staddle.closing'));

-- name: next_to_close
-- Find the oldest finished run behind the last day that was closed.
SELECT run_on, distributed_at
  FROM run
 WHERE state = 'finished' AND run_on > coalesce((SELECT max(closed_on) FROM closing), '-infinity')
 ORDER BY run_on
 LIMIT 1;

-- name: begin_closing
-- Note that a day is closed.
INSERT INTO closing (closed_on, closed_at) VALUES (%(closed_on)s, %(now)s);

-- name: cut_journals
-- Cut each cell's journal before the first transfer, behind the last cut, that took effect at the distribution or later.
INSERT INTO closing_cut (cell, closed_on, through_transfer)
SELECT c.cell, %(closed_on)s,
       coalesce((SELECT t.transfer_id - 256
                   FROM transfer t
                  WHERE t.cell = c.cell AND t.transfer_id > coalesce(b.through_transfer, 0)
                    AND t.effective_at >= %(distributed_at)s
                  ORDER BY t.transfer_id
                  LIMIT 1),
                (SELECT max(t.transfer_id) FROM transfer t WHERE t.cell = c.cell),
                c.cell)
  FROM cell c
  LEFT JOIN closing_cut b ON b.cell = c.cell AND b.closed_on = %(closed_before)s;

-- name: take_late_rewards
-- Take the rewards that were paid late, to this day or one before it, and that no closing has counted yet.
INSERT INTO closing_late_reward (cell, position_id, run_on, closed_on)
SELECT r.cell, r.position_id, r.run_on, %(closed_on)s
  FROM (SELECT DISTINCT cell, position_id FROM parked_position) k
  JOIN reward r ON r.cell = k.cell AND r.position_id = k.position_id AND r.is_early AND r.is_late
               AND r.run_on <= %(closed_on)s
 WHERE NOT EXISTS (SELECT FROM closing_late_reward l
                    WHERE l.cell = r.cell AND l.position_id = r.position_id AND l.run_on = r.run_on);

-- name: add_up_movements
-- Add up by asset and kind what moved since the closing before: transfers up to the cuts, and the day's rewards.
INSERT INTO closing_movement (closed_on, asset_id, kind, debit_kind, credit_kind, move_count, amount)
SELECT %(closed_on)s, m.asset_id, m.kind, m.debit_kind, m.credit_kind, sum(m.move_count), sum(m.amount)
  FROM (SELECT account_asset(t.credit_account) AS asset_id, t.kind::text AS kind, account_kind(t.debit_account) AS debit_kind,
               account_kind(t.credit_account) AS credit_kind, count(*) AS move_count, sum(t.amount) AS amount
          FROM closing_cut c
          LEFT JOIN closing_cut b ON b.cell = c.cell AND b.closed_on = %(closed_before)s
          JOIN transfer t ON t.cell = c.cell AND t.transfer_id > coalesce(b.through_transfer, 0)
                         AND t.transfer_id <= c.through_transfer
         WHERE c.closed_on = %(closed_on)s
         GROUP BY 1, 2, 3, 4
        UNION ALL
        SELECT account_asset(r.credit_account), 'reward', 9, account_kind(r.credit_account), count(*), sum(r.amount)
          FROM reward r
         WHERE r.run_on > %(run_from)s AND r.run_on <= %(closed_on)s AND NOT r.is_late
         GROUP BY 1, 4
        UNION ALL
        SELECT account_asset(r.credit_account), 'reward', 9, account_kind(r.credit_account), count(*), sum(r.amount)
          FROM closing_late_reward l
          JOIN reward r ON r.cell = l.cell AND r.position_id = l.position_id AND r.run_on = l.run_on
         WHERE l.closed_on = %(closed_on)s
         GROUP BY 1, 4) m
 GROUP BY m.asset_id, m.kind, m.debit_kind, m.credit_kind;

-- name: carry_balances
-- Carry each balance from the closing before, by what moved since.
INSERT INTO closing_balance (closed_on, asset_id, account_kind, amount)
SELECT %(closed_on)s, s.asset_id, s.account_kind, sum(s.amount)
  FROM (SELECT asset_id, account_kind, amount FROM closing_balance WHERE closed_on = %(closed_before)s
        UNION ALL
        SELECT asset_id, debit_kind, -amount FROM closing_movement WHERE closed_on = %(closed_on)s
        UNION ALL
        SELECT asset_id, credit_kind, amount FROM closing_movement WHERE closed_on = %(closed_on)s) s
 GROUP BY s.asset_id, s.account_kind;

-- name: last_closed
-- Find the last day that was closed before a date.
SELECT max(closed_on) AS closed_on FROM closing WHERE closed_on < %(closed_on)s;

-- name: closings
-- Read the latest closings, newest first, before one of them.
SELECT c.closed_on, c.closed_at, r.distributed_at, lag(c.closed_on) OVER (ORDER BY c.closed_on) AS closed_before
  FROM closing c
  JOIN run r ON r.run_on = c.closed_on
 WHERE %(before)s::date IS NULL OR c.closed_on < %(before)s::date
 ORDER BY c.closed_on DESC
 LIMIT %(count)s;

-- name: closing
-- Read one closing.
SELECT c.closed_on, c.closed_at, r.distributed_at
  FROM closing c
  JOIN run r ON r.run_on = c.closed_on
 WHERE c.closed_on = %(closed_on)s;

-- name: balances_of_closings
-- Read the balances of some closings, by asset and kind of account.
SELECT b.closed_on, a.code AS asset, a.scale, b.account_kind, b.amount
  FROM closing_balance b
  JOIN asset a ON a.asset_id = b.asset_id
 WHERE b.closed_on = ANY(%(days)s::date[])
 ORDER BY b.closed_on, a.code, b.account_kind;

-- name: movements_of_closings
-- Read what moved between some closings and those before them.
SELECT m.closed_on, a.code AS asset, a.scale, m.kind, m.debit_kind, m.credit_kind, m.move_count, m.amount
  FROM closing_movement m
  JOIN asset a ON a.asset_id = m.asset_id
 WHERE m.closed_on = ANY(%(days)s::date[])
   AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text)
   AND (%(account_kind)s::smallint IS NULL OR %(account_kind)s::smallint IN (m.debit_kind, m.credit_kind))
 ORDER BY m.closed_on, a.code, m.kind, m.debit_kind, m.credit_kind;
