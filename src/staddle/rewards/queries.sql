-- name: lock_run
-- Let one process at a time plan or finish the run of a date.
SELECT pg_advisory_xact_lock(hashtext('run'), (%(run_on)s::date - '2000-01-01'::date));

-- name: watermarks
-- Find how far the cells have been paid.
SELECT min(watermark_at) AS lowest, max(watermark_at) AS highest FROM cell;

-- name: run
-- Read the run of a date, and how many of its pieces are paid.
SELECT r.run_on, r.distributed_at, r.state, r.held_because, r.started_by, r.released_by, r.planned_at, r.finished_at,
       r.paused_by, r.paused_at, r.paused_because, r.limits,
       (SELECT count(*) FROM run_piece p WHERE p.run_on = r.run_on) AS pieces_paid,
       (SELECT count(*) FROM reward_piece p WHERE p.run_on = r.run_on) AS pieces
  FROM run r
 WHERE r.run_on = %(run_on)s;

-- name: unfinished_before
-- Find a run of an earlier date that is not finished.
SELECT min(run_on) AS run_on FROM run WHERE run_on < %(run_on)s AND state <> 'finished';

-- name: pause_run
-- Pause a run that is being executed, or may be.
UPDATE run
   SET state = 'paused', paused_by = %(by)s, paused_because = %(because)s, paused_at = %(now)s
 WHERE run_on = %(run_on)s AND state IN ('executing', 'released')
RETURNING run_on;

-- name: resume_run
-- Let a paused run go on.
UPDATE run
   SET state = 'executing', paused_by = NULL, paused_because = NULL, paused_at = NULL
 WHERE run_on = %(run_on)s AND state = 'paused'
RETURNING run_on;

-- name: run_state
-- Read the state of a run.
SELECT state FROM run WHERE run_on = %(run_on)s;

-- name: lock_attempts
-- Let one process at a time number its attempt at a run.
SELECT pg_advisory_xact_lock(hashtext('run_attempts'), (%(run_on)s::date - '2000-01-01'::date));

-- name: next_attempt
-- Number the next attempt at a run.
SELECT coalesce(max(attempt), 0) + 1 AS attempt FROM run_attempt WHERE run_on = %(run_on)s;

-- name: hold_attempt
-- Show, for as long as this connection lives, that the attempt is alive.
SELECT pg_advisory_lock(hashtext('run_attempt'), (%(run_on)s::date - '2000-01-01'::date) * 1000 + %(attempt)s);

-- name: begin_attempt
-- Write down that a process executes a run.
INSERT INTO run_attempt (run_on, attempt, process, started_by)
VALUES (%(run_on)s, %(attempt)s, %(process)s, %(started_by)s);

-- name: end_attempt
-- Write down how an attempt ended, once.
INSERT INTO run_attempt_end (run_on, attempt, outcome, pieces_paid, pieces, details)
SELECT %(run_on)s, %(attempt)s, %(outcome)s, (SELECT count(*) FROM run_piece WHERE run_on = %(run_on)s),
       (SELECT count(*) FROM reward_piece WHERE run_on = %(run_on)s), %(details)s
    ON CONFLICT (run_on, attempt) DO NOTHING;

-- name: open_attempts
-- List the attempts at a run that have no end, and whether each still holds its lock.
SELECT a.attempt,
       EXISTS (SELECT FROM pg_locks l
                WHERE l.locktype = 'advisory' AND l.objsubid = 2
                  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                  AND l.classid = (hashtext('run_attempt')::bigint & 4294967295)::oid
                  AND l.objid = ((a.run_on - '2000-01-01'::date) * 1000 + a.attempt)::oid) AS is_alive
  FROM run_attempt a
 WHERE a.run_on = %(run_on)s
   AND NOT EXISTS (SELECT FROM run_attempt_end e WHERE e.run_on = a.run_on AND e.attempt = a.attempt);

-- name: attempts
-- Read the attempts at a run; one without an end whose lock is free was interrupted.
SELECT a.run_on, a.attempt, a.process, a.started_by, a.recorded_at AS began_at, e.recorded_at AS ended_at,
       CASE WHEN e.attempt IS NOT NULL THEN e.outcome
            WHEN NOT EXISTS (SELECT FROM pg_locks l
                              WHERE l.locktype = 'advisory' AND l.objsubid = 2
                                AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                                AND l.classid = (hashtext('run_attempt')::bigint & 4294967295)::oid
                                AND l.objid = ((a.run_on - '2000-01-01'::date) * 1000 + a.attempt)::oid)
            THEN 'interrupted' END AS outcome,
       coalesce(e.pieces_paid, (SELECT count(*) FROM run_piece p WHERE p.run_on = a.run_on)::integer) AS pieces_paid,
       coalesce(e.pieces, (SELECT count(*) FROM reward_piece p WHERE p.run_on = a.run_on)::integer) AS pieces,
       e.details,
       CASE WHEN e.outcome = 'interrupted' THEN n.process END AS taken_over_by,
       CASE WHEN e.outcome = 'interrupted' THEN n.recorded_at END AS taken_over_at
  FROM run_attempt a
  LEFT JOIN run_attempt_end e ON e.run_on = a.run_on AND e.attempt = a.attempt
  LEFT JOIN run_attempt n ON n.run_on = a.run_on AND n.attempt = a.attempt + 1
 WHERE a.run_on = %(run_on)s
 ORDER BY a.attempt;

-- name: run_spans
-- Read of some runs when the first attempt began and the last one ended, by the database's clock.
SELECT a.run_on, min(a.recorded_at) AS began_at, max(e.recorded_at) AS ended_at
  FROM run_attempt a
  LEFT JOIN run_attempt_end e ON e.run_on = a.run_on AND e.attempt = a.attempt
 WHERE a.run_on = ANY(%(days)s::date[])
 GROUP BY a.run_on;

-- name: runs
-- List runs, newest first or oldest first, from behind one of them on, in one state or in any.
SELECT *
  FROM run
 WHERE (%(before)s::date IS NULL OR CASE WHEN %(is_oldest_first)s THEN run_on > %(before)s::date
                                         ELSE run_on < %(before)s::date END)
   AND (%(state)s::text IS NULL OR state = %(state)s::text)
 ORDER BY CASE WHEN %(is_oldest_first)s THEN run_on END, run_on DESC
 LIMIT %(limit)s;

-- name: maturing_customers
-- Find the next customers who have a position that has reached its maturity, in order of cell and id.
SELECT cell, customer_id
  FROM position
 WHERE ended_at IS NULL AND term_days IS NOT NULL AND parked_days IS NULL AND matures_at <= %(now)s
   AND cell >= %(cell)s AND (cell, customer_id) > (%(cell)s, %(customer_id)s)
 GROUP BY cell, customer_id
 ORDER BY cell, customer_id
 LIMIT %(limit)s;

-- name: open_position_count
-- Count open positions, roughly, to decide into how many pieces a day is cut.
SELECT greatest((SELECT coalesce(sum(reward_count), 0) FROM run_plan
                  WHERE run_on = (SELECT max(run_on) FROM run_plan)),
                (SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'position'::regclass)) AS positions;

-- name: open_reward_day
-- Make the partition of a run date in so many pieces, unless it is there.
SELECT open_reward_day(%(run_on)s, %(pieces)s);

-- name: pieces
-- List the pieces of a run date, and whether each is paid.
SELECT p.cell_from, p.cell_to, r.run_on IS NOT NULL AS is_paid
  FROM reward_piece p
  LEFT JOIN run_piece r ON r.run_on = p.run_on AND r.cell_from = p.cell_from
 WHERE p.run_on = %(run_on)s
 ORDER BY p.cell_from;

-- name: expect_many
-- Tell the planner, for this transaction, that it is about very many positions, each looked up in tables of a few rows,
-- of which there are a few sums: what is due has no statistics, and it would be sorted to be added up. And about one day's
-- rewards: a plan for any day would look at every day there is.
SELECT set_config('enable_nestloop', 'off', true) AS nestloop, set_config('enable_indexscan', 'off', true) AS indexes,
       set_config('enable_mergejoin', 'off', true) AS merges, set_config('enable_sort', 'off', true) AS sorts,
       set_config('work_mem', '64MB', true) AS memory,
       set_config('plan_cache_mode', 'force_custom_plan', true) AS plans;

-- name: go_in_order
-- Tell the planner, for the rest of this transaction, to bring accounts into order and to sum and to join them so: what
-- belongs together then lies together, and sums of a few rows each need no table of sums.
SELECT set_config('enable_hashagg', 'off', true) AS sums, set_config('enable_hashjoin', 'off', true) AS hashes,
       set_config('enable_mergejoin', 'on', true) AS merges, set_config('enable_sort', 'on', true) AS sorts;

-- name: forget_lower_due
-- Forget what the run planned before owed to the positions of the lower half of the cells.
TRUNCATE due_reward_0, due_reward_1, due_reward_2, due_reward_3, due_reward_4, due_reward_5, due_reward_6, due_reward_7;

-- name: forget_upper_due
-- Forget what the run planned before owed to the positions of the upper half of the cells.
TRUNCATE due_reward_8, due_reward_9, due_reward_10, due_reward_11, due_reward_12, due_reward_13, due_reward_14,
         due_reward_15;

-- name: work_out_due
-- Work out what a distribution owes to each position of some cells, for the plan to add up and for the run to pay.
INSERT INTO due_reward (credit_account, position_id, product_id, cell, amount, basis)
SELECT credit_account, position_id, product_id, cell, amount, basis
  FROM due_rewards(%(cutoff)s, %(cell_from)s, %(cell_to)s)
 WHERE amount > 0;

-- name: piece_due
-- Read how many rewards were planned for a piece, and their sum, by product.
SELECT p.product_id, o.asset_id, p.reward_count, p.amount
  FROM run_due p
  JOIN product o ON o.product_id = p.product_id
 WHERE p.run_on = %(run_on)s AND p.cell_from = %(cell_from)s
 ORDER BY p.product_id;

-- name: is_worked_out
-- Say whether anything that was worked out for a piece is there.
SELECT EXISTS (SELECT FROM due_reward d WHERE d.cell BETWEEN %(cell_from)s AND %(cell_to)s) AS found;

-- name: add_up_due
-- Add up by piece and product what was worked out for some cells. There are 1, 2, 4, .. pieces of one size.
SELECT d.cell & (SELECT (256 - 256 / count(*))::smallint FROM reward_piece p WHERE p.run_on = %(run_on)s) AS cell_from,
       d.product_id, count(*) AS reward_count, sum(d.amount) AS amount
  FROM due_reward d
 WHERE d.cell BETWEEN %(cell_from)s AND %(cell_to)s
 GROUP BY 1, 2;

-- name: add_up_settled
-- Add up by product what acts have settled of a distribution already in some cells.
SELECT p.product_id, count(*) AS reward_count, sum(r.amount) AS amount
  FROM reward r
  JOIN position p ON p.cell = r.cell AND p.position_id = r.position_id
 WHERE r.run_on = %(run_on)s AND r.cell BETWEEN %(cell_from)s AND %(cell_to)s
 GROUP BY p.product_id
 ORDER BY p.product_id;

-- name: foresee
-- Work out by product what a distribution would owe if it came now, and write nothing.
SELECT product_id, count(*) AS reward_count, sum(amount) AS amount
  FROM (SELECT d.product_id, d.amount
          FROM due_rewards(%(cutoff)s, 0, 255) d
         WHERE d.amount > 0
           AND NOT EXISTS (SELECT FROM reward e
                            WHERE e.run_on = %(run_on)s AND e.cell = d.cell AND e.position_id = d.position_id)
        UNION ALL
        SELECT p.product_id, r.amount
          FROM reward r
          JOIN position p ON p.cell = r.cell AND p.position_id = r.position_id
         WHERE r.run_on = %(run_on)s) owed
 GROUP BY product_id
 ORDER BY product_id;

-- name: unrated_products
-- Find products with open positions whose first day began before any rate was in force. No position begins before the
-- sale of its product, so only those that were rated later are looked at.
WITH rated_late AS (
    SELECT o.product_id, o.code, r.rated_at
      FROM product o
     CROSS JOIN LATERAL (SELECT min(r.effective_at) AS rated_at FROM rate_revision r WHERE r.product_id = o.product_id) r
     WHERE coalesce(r.rated_at, 'infinity')
           > coalesce((SELECT min(t.opens_at) FROM terms t WHERE t.product_id = o.product_id), '-infinity')
)
SELECT DISTINCT o.code
  FROM rated_late o
  JOIN position p ON p.product_id = o.product_id
 WHERE EXISTS (SELECT FROM rated_late) AND p.ended_at IS NULL AND p.parked_days IS NULL
   AND p.locked_revision = 0 AND p.started_at < coalesce(o.rated_at, 'infinity')
 ORDER BY o.code;

-- name: forget_plan
-- Forget the plan of a run that waits, to plan it anew.
DELETE FROM run_plan WHERE run_on = %(run_on)s;

-- name: forget_run_due
-- Forget how many rewards each piece of a run that waits was to pay.
DELETE FROM run_due WHERE run_on = %(run_on)s;

-- name: keep_run_due
-- Keep how many rewards were worked out for each piece of a run, and their sum, by product.
INSERT INTO run_due (run_on, cell_from, product_id, reward_count, amount)
SELECT %(run_on)s, n.cell_from, n.product_id, sum(n.reward_count), sum(n.amount)
  FROM unnest(%(cells_from)s::smallint[], %(product_ids)s::integer[], %(reward_counts)s::bigint[], %(amounts)s::numeric[])
       AS n (cell_from, product_id, reward_count, amount)
 GROUP BY n.cell_from, n.product_id;

-- name: keep_plan
-- Keep what a run owes by product.
INSERT INTO run_plan (run_on, product_id, reward_count, amount)
SELECT %(run_on)s, n.product_id, n.reward_count, n.amount
  FROM unnest(%(product_ids)s::integer[], %(reward_counts)s::bigint[], %(amounts)s::numeric[])
       AS n (product_id, reward_count, amount);

-- name: begin_run
-- Note that a run has been planned.
INSERT INTO run (run_on, distributed_at, state, held_because, started_by, planned_at, limits)
VALUES (%(run_on)s, %(cutoff)s, %(state)s, %(held_because)s, %(started_by)s, %(now)s, %(limits)s::json)
    ON CONFLICT (run_on) DO UPDATE
   SET state = excluded.state, held_because = excluded.held_because, planned_at = excluded.planned_at,
       limits = excluded.limits
 WHERE run.state = 'held';

-- name: planned
-- Read a run's plan by product.
SELECT l.product_id, o.code AS product, a.asset_id, a.code AS asset, l.reward_count, l.amount
  FROM run_plan l
  JOIN product o ON o.product_id = l.product_id
  JOIN asset a ON a.asset_id = o.asset_id
 WHERE l.run_on = %(run_on)s
 ORDER BY a.code, o.code;

-- name: last_totals
-- Read the totals by asset of the last finished run before a date.
SELECT o.asset_id, sum(l.amount) AS amount
  FROM run_plan l
  JOIN product o ON o.product_id = l.product_id
 WHERE l.run_on = (SELECT max(r.run_on) FROM run r WHERE r.run_on < %(run_on)s AND r.state = 'finished')
 GROUP BY o.asset_id;

-- name: last_plan
-- Read what the last finished run before a date owed, by product.
SELECT l.run_on, a.code AS asset, o.code AS product, l.reward_count, l.amount
  FROM run_plan l
  JOIN product o ON o.product_id = l.product_id
  JOIN asset a ON a.asset_id = o.asset_id
 WHERE l.run_on = (SELECT max(r.run_on) FROM run r WHERE r.run_on < %(run_on)s AND r.state = 'finished')
 ORDER BY a.code, o.code;

-- name: settled_totals
-- Add up by product what acts have settled of a run date in time, before its run came to them. These are few, and kept in
-- an index of their own; OFFSET 0 looks the position of each up, where all positions would be read otherwise.
WITH early AS MATERIALIZED (
    SELECT r.cell, r.position_id, r.amount FROM reward r WHERE r.run_on = %(run_on)s AND r.is_early AND NOT r.is_late
)
SELECT o.code AS product, count(*) AS reward_count, sum(e.amount) AS amount
  FROM early e
 CROSS JOIN LATERAL (SELECT p.product_id FROM position p
                      WHERE p.cell = e.cell AND p.position_id = e.position_id OFFSET 0) p
  JOIN product o ON o.product_id = p.product_id
 GROUP BY o.code;

-- name: parked_by_product
-- Add up by product what a run parked, and how much of it has been paid since.
SELECT o.code AS product, count(*) AS reward_count, sum(k.amount) AS amount,
       coalesce(sum(k.amount) FILTER (WHERE k.retried_at IS NOT NULL), 0) AS paid_since
  FROM parked_position k
  JOIN position p ON p.cell = k.cell AND p.position_id = k.position_id
  JOIN product o ON o.product_id = p.product_id
 WHERE k.run_on = %(run_on)s
 GROUP BY o.code;

-- name: pay_rewards
-- Insert the rewards of a piece. What an act has settled since the plan, and what is parked, is left out.
INSERT INTO reward (credit_account, position_id, run_on, cell, is_early, amount, basis)
SELECT d.credit_account, d.position_id, %(run_on)s, d.cell, false, d.amount, d.basis
  FROM due_reward d
 WHERE d.cell BETWEEN %(cell_from)s AND %(cell_to)s
   AND (%(only)s::bigint[] IS NULL OR d.position_id = ANY(%(only)s::bigint[]))
   AND d.position_id NOT IN (
       SELECT e.position_id
         FROM reward e
        WHERE e.run_on = %(run_on)s AND e.cell BETWEEN %(cell_from)s AND %(cell_to)s
       UNION ALL
       SELECT k.position_id
         FROM parked_position k
        WHERE k.run_on = %(run_on)s AND k.cell BETWEEN %(cell_from)s AND %(cell_to)s AND k.retried_at IS NULL);

-- name: move_balances
-- Move the balances of both sides by exactly what the run has inserted for a piece. An account's id says its cell, and
-- rewards go to accounts of an even kind.
WITH change AS MATERIALIZED (
    SELECT r.credit_account AS account_id, count(*) AS reward_count, add_up(r.amount) AS amount
      FROM reward r
     WHERE r.run_on = %(run_on)s AND r.cell BETWEEN %(cell_from)s AND %(cell_to)s AND NOT r.is_early
     GROUP BY r.credit_account
), house_change AS MATERIALIZED (
    SELECT (account_customer(c.account_id) & 255)::smallint AS cell, (c.account_id & 524272) | 9 AS account_id,
           sum(c.reward_count)::bigint AS reward_count, count(*) AS account_count, sum(c.amount) AS amount
      FROM change c
     GROUP BY 1, 2
), moved AS (
    UPDATE balance b
       SET amount = b.amount + c.amount
      FROM change c
     WHERE b.account_id = c.account_id AND b.cell BETWEEN %(cell_from)s AND %(cell_to)s
       AND b.account_id & 1 = 0
    RETURNING 1
), house_moved AS (
    UPDATE balance b
       SET amount = b.amount - h.amount
      FROM house_change h
     WHERE b.cell = h.cell AND b.account_id = h.account_id AND b.cell = ANY(%(cells)s::smallint[])
       AND b.account_id < 1::bigint << 19
    RETURNING 1
)
SELECT account_asset(h.account_id) AS asset_id, sum(h.reward_count)::bigint AS reward_count, sum(h.amount) AS amount,
       sum(h.account_count + 1)::bigint AS accounts_named,
       (SELECT count(*) FROM moved) + (SELECT count(*) FROM house_moved) AS accounts_moved
  FROM house_change h
 GROUP BY 1;

-- name: piece_totals
-- Add up by product what was paid of a piece, where that is not all that was worked out for it.
SELECT d.product_id, o.asset_id, count(*) AS reward_count, sum(r.amount) AS amount
  FROM reward r
  JOIN due_reward d ON d.cell = r.cell AND d.position_id = r.position_id AND d.cell BETWEEN %(cell_from)s AND %(cell_to)s
  JOIN product o ON o.product_id = d.product_id
 WHERE r.run_on = %(run_on)s AND r.cell BETWEEN %(cell_from)s AND %(cell_to)s AND NOT r.is_early
 GROUP BY d.product_id, o.asset_id
 ORDER BY d.product_id;

-- name: due_count
-- Count what is worked out for a piece.
SELECT count(*) AS found FROM due_reward d WHERE d.cell BETWEEN %(cell_from)s AND %(cell_to)s;

-- name: close_piece
-- Prove, in the transaction that paid the piece, that no position-day in it is paid twice.
SELECT close_reward_piece(%(run_on)s, %(cell_from)s::smallint);

-- name: piece_paid
-- Say whether a piece has been paid.
SELECT 1 FROM run_piece WHERE run_on = %(run_on)s AND cell_from = %(cell_from)s;

-- name: keep_piece
-- Note that a piece has been paid.
INSERT INTO run_piece (run_on, cell_from, cell_to, reward_count, parked_count)
VALUES (%(run_on)s, %(cell_from)s, %(cell_to)s, %(reward_count)s, %(parked_count)s);

-- name: keep_totals
-- Keep what a piece paid by product.
INSERT INTO run_total (run_on, cell_from, product_id, reward_count, amount)
SELECT %(run_on)s, %(cell_from)s, n.product_id, n.reward_count, n.amount
  FROM unnest(%(product_ids)s::integer[], %(reward_counts)s::bigint[], %(amounts)s::numeric[])
       AS n (product_id, reward_count, amount);

-- name: raise_watermarks
-- Note that the cells of a piece have been paid up to a distribution.
UPDATE cell SET watermark_at = %(cutoff)s WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s;

-- name: due_positions
-- List the positions that a distribution owes something in some cells.
SELECT d.position_id, d.amount
  FROM due_reward d
 WHERE d.cell BETWEEN %(cell_from)s AND %(cell_to)s
   AND NOT EXISTS (SELECT FROM reward e
                    WHERE e.run_on = %(run_on)s AND e.cell = d.cell AND e.position_id = d.position_id)
 ORDER BY d.position_id;

-- name: park
-- Park a position: the run passes it by until somebody has looked into it.
WITH parked AS (
    UPDATE position p
       SET parked_days = days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days, c.watermark_at)
      FROM cell c
     WHERE p.cell = %(cell)s AND p.position_id = %(position_id)s AND c.cell = p.cell AND p.parked_days IS NULL
    RETURNING p.cell, p.position_id
)
INSERT INTO parked_position (cell, position_id, run_on, amount, reason, parked_at)
SELECT cell, position_id, %(run_on)s, %(amount)s, %(reason)s, %(now)s FROM parked
    ON CONFLICT (cell, position_id, run_on) DO UPDATE
   SET amount = excluded.amount, reason = excluded.reason, parked_at = excluded.parked_at, retried_at = NULL;

-- name: parked
-- List parked positions, newest first.
SELECT k.position_id, p.customer_id, a.code AS asset, o.code AS product, k.run_on, k.amount, k.reason, k.parked_at,
       k.retried_at
  FROM parked_position k
  JOIN position p ON p.cell = k.cell AND p.position_id = k.position_id
  JOIN product o ON o.product_id = p.product_id
  JOIN asset a ON a.asset_id = o.asset_id
 WHERE %(with_retried)s OR k.retried_at IS NULL
 ORDER BY k.run_on DESC, k.position_id;

-- name: parked_page
-- List parked positions, newest run first, behind one of them, of one run or product or of any.
SELECT k.position_id, p.customer_id, a.code AS asset, o.code AS product, k.run_on, k.amount, k.reason, k.parked_at,
       k.retried_at
  FROM parked_position k
  JOIN position p ON p.cell = k.cell AND p.position_id = k.position_id
  JOIN product o ON o.product_id = p.product_id
  JOIN asset a ON a.asset_id = o.asset_id
 WHERE (%(with_retried)s OR k.retried_at IS NULL)
   AND (%(run_on)s::date IS NULL OR k.run_on = %(run_on)s::date)
   AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
   AND (%(before_run_on)s::date IS NULL
        OR (k.run_on, k.position_id) < (%(before_run_on)s::date, %(before_position_id)s::bigint))
 ORDER BY k.run_on DESC, k.position_id DESC
 LIMIT %(count)s;

-- name: parked_position
-- Find a parked position with what it stands at.
SELECT p.position_id, p.principal, p.tier_offset, c.watermark_at
  FROM position p
  JOIN cell c ON c.cell = p.cell
 WHERE p.cell = %(cell)s AND p.position_id = %(position_id)s AND p.parked_days IS NOT NULL AND p.ended_at IS NULL;

-- name: mark_retried
-- Note that a parked position has been paid.
UPDATE parked_position SET retried_at = %(now)s
 WHERE cell = %(cell)s AND position_id = %(position_id)s AND retried_at IS NULL;

-- name: ledger_totals
-- Add up what the ledger says was paid for a run date, by asset.
SELECT account_asset(credit_account) AS asset_id, count(*) AS reward_count, sum(amount) AS amount
  FROM reward
 WHERE run_on = %(run_on)s
 GROUP BY 1;

-- name: paid_totals
-- Add up by asset what the pieces of a run have paid, each proved when it was paid, and what acts have settled of its day.
SELECT asset_id, sum(amount) AS amount
  FROM (SELECT o.asset_id, t.amount
          FROM run_total t
          JOIN product o ON o.product_id = t.product_id
         WHERE t.run_on = %(run_on)s
        UNION ALL
        SELECT account_asset(r.credit_account), r.amount FROM reward r WHERE r.run_on = %(run_on)s AND r.is_early) paid
 GROUP BY asset_id;

-- name: parked_totals
-- Add up what was parked in a run and is still not paid, by asset.
SELECT account_asset(p.reward_account) AS asset_id, count(*) AS reward_count, sum(k.amount) AS amount
  FROM parked_position k
  JOIN position p ON p.cell = k.cell AND p.position_id = k.position_id
 WHERE k.run_on = %(run_on)s AND k.retried_at IS NULL
 GROUP BY 1;

-- name: finish_run
-- Publish a run that is proved.
UPDATE run SET state = 'finished', finished_at = %(now)s WHERE run_on = %(run_on)s AND state = 'executing';

-- name: release_run
-- Let a second person release a run that is outside its limits.
UPDATE run SET state = 'released', released_by = %(by)s WHERE run_on = %(run_on)s AND state = 'held';

-- name: execute_run
-- Note that a released run is being executed.
UPDATE run SET state = 'executing' WHERE run_on = %(run_on)s AND state = 'released';

-- name: run_totals
-- Read what a run paid itself, by product.
SELECT o.code AS product, a.code AS asset, sum(t.reward_count)::bigint AS reward_count, sum(t.amount) AS amount
  FROM run_total t
  JOIN product o ON o.product_id = t.product_id
  JOIN asset a ON a.asset_id = o.asset_id
 WHERE t.run_on = %(run_on)s
 GROUP BY o.code, a.code
 ORDER BY a.code, o.code;

-- name: matured_positions
-- List the positions of a customer that have reached their maturity.
SELECT position_id
  FROM position
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s AND ended_at IS NULL AND parked_days IS NULL
   AND matures_at <= %(now)s
 ORDER BY position_id;

-- name: assets_of_products
-- Name the assets of some products.
SELECT product_id, asset_id FROM product WHERE product_id = ANY(%(product_ids)s::integer[]);

-- name: days_to_seal
-- List the finished runs whose rewards are not sealed in every cell yet, oldest first.
SELECT r.run_on
  FROM run r
  LEFT JOIN (SELECT run_on, count(*) AS cells FROM seal WHERE covers = 'rewards' GROUP BY run_on) s ON s.run_on = r.run_on
 WHERE r.state = 'finished' AND coalesce(s.cells, 0) < (SELECT count(*) FROM cell)
 ORDER BY r.run_on;

-- name: seal_rewards
-- Seal the rewards of a finished run in each of some cells, once; that there were none is sealed too.
WITH line AS (
    SELECT r.cell, count(*)::integer AS row_count, string_agg(sealed_line(r), chr(10) ORDER BY r.position_id) AS lines
      FROM reward r
     WHERE r.run_on = %(run_on)s AND r.cell BETWEEN %(cell_from)s AND %(cell_to)s AND NOT r.is_late
     GROUP BY r.cell
), block AS (
    SELECT c.cell, coalesce(l.number, 0) + 1 AS number, coalesce(n.row_count, 0) AS row_count,
           coalesce(l.hash, '') AS previous_hash, coalesce(n.lines, '') AS lines
      FROM cell c
      LEFT JOIN LATERAL (SELECT s.number, s.hash FROM seal s
                          WHERE s.cell = c.cell ORDER BY s.number DESC LIMIT 1) l ON true
      LEFT JOIN line n ON n.cell = c.cell
     WHERE c.cell BETWEEN %(cell_from)s AND %(cell_to)s
       AND EXISTS (SELECT FROM run WHERE run_on = %(run_on)s AND state = 'finished')
       AND NOT EXISTS (SELECT FROM seal s
                        WHERE s.cell = c.cell AND s.run_on = %(run_on)s AND s.covers = 'rewards')
)
INSERT INTO seal (cell, number, covers, run_on, row_count, previous_hash, hash, sealed_at)
SELECT cell, number, 'rewards', %(run_on)s, row_count, previous_hash,
       seal_hash(cell, number, 'rewards', NULL, NULL, %(run_on)s, NULL, row_count, previous_hash, %(now)s, lines), %(now)s
  FROM block;

-- name: seal_late_rewards
-- Seal, of each of some cells, the oldest day's rewards that were paid late and are in no seal yet.
WITH late AS (
    SELECT r AS reward, r.cell, r.run_on, r.position_id, min(r.run_on) OVER (PARTITION BY r.cell) AS oldest
      FROM (SELECT DISTINCT cell, position_id FROM parked_position
             WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s) k
      JOIN reward r ON r.cell = k.cell AND r.position_id = k.position_id AND r.is_early AND r.is_late
     WHERE NOT EXISTS (SELECT FROM seal s
                        WHERE s.cell = r.cell AND s.run_on = r.run_on AND s.covers = 'late_rewards'
                          AND r.position_id = ANY(s.late_positions))
), block AS (
    SELECT n.cell, coalesce(l.number, 0) + 1 AS number, n.run_on, n.positions, n.row_count,
           coalesce(l.hash, '') AS previous_hash, n.lines
      FROM (SELECT cell, run_on, array_agg(position_id ORDER BY position_id) AS positions, count(*)::integer AS row_count,
                   string_agg(sealed_line(reward), chr(10) ORDER BY position_id) AS lines
              FROM late
             WHERE run_on = oldest
             GROUP BY cell, run_on) n
      LEFT JOIN LATERAL (SELECT s.number, s.hash FROM seal s
                          WHERE s.cell = n.cell ORDER BY s.number DESC LIMIT 1) l ON true
)
INSERT INTO seal (cell, number, covers, run_on, late_positions, row_count, previous_hash, hash, sealed_at)
SELECT cell, number, 'late_rewards', run_on, positions, row_count, previous_hash,
       seal_hash(cell, number, 'late_rewards', NULL, NULL, run_on, positions, row_count, previous_hash, %(now)s, lines),
       %(now)s
  FROM block;

-- name: reward_of_day
-- Read the reward of a position-day, with what was taken back of it and the seal that covers it.
SELECT r.amount, r.is_early, coalesce(f.amount, 0) AS forfeited, s.number AS seal_number, s.hash AS seal_hash, s.sealed_at
  FROM reward r
  LEFT JOIN forfeited_reward f ON f.cell = r.cell AND f.position_id = r.position_id AND f.run_on = r.run_on
  LEFT JOIN seal s ON s.cell = r.cell AND s.run_on = r.run_on
                  AND CASE WHEN r.is_late THEN r.position_id = ANY(s.late_positions) ELSE s.covers = 'rewards' END
 WHERE r.cell = %(cell)s AND r.position_id = %(position_id)s AND r.run_on = %(run_on)s;

-- name: statement
-- Read every row of a customer in a period, in an order that never changes: rewards before the act that settled them.
-- The cell and the last date stand there as they are, so that the pieces of other cells and days are not even planned.
WITH mine AS MATERIALIZED (
    SELECT p.cell, p.position_id, p.started_at, p.ended_by, o.code AS product
      FROM position p
      JOIN product o ON o.product_id = p.product_id
     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND p.started_at < %(until_at)s
), paid_by_run AS (
    SELECT (r.run_on + %(distribution_time)s::time) AT TIME ZONE 'UTC' AS at, r.position_id, r.run_on, r.credit_account, r.amount
      FROM reward r
     WHERE r.cell = %(cell)s AND r.position_id = ANY(ARRAY(SELECT m.position_id FROM mine m))
       AND r.run_on >= %(run_from)s AND r.run_on < %(run_until)s AND NOT r.is_early
), paid_by_act AS (
    SELECT h.changed_at AS at, r.position_id, r.run_on, r.credit_account, r.amount
      FROM mine m
      JOIN position_past h ON h.cell = %(cell)s AND h.position_id = m.position_id AND h.to_days > h.from_days
                          AND h.changed_at >= %(from_at)s AND h.changed_at < %(until_at)s
      JOIN reward r ON r.cell = %(cell)s AND r.position_id = h.position_id AND r.is_early AND r.run_on <= %(run_until)s
                   AND r.run_on >= run_on_of(m.started_at + make_interval(hours => 24 * (h.from_days + 1)),
                                             %(distribution_time)s::time)
                   AND r.run_on <= run_on_of(m.started_at + make_interval(hours => 24 * h.to_days),
                                             %(distribution_time)s::time)
), line AS (
    SELECT r.at, 1 AS rank, r.position_id AS number, r.run_on,
           CASE account_kind(r.credit_account) WHEN 4 THEN 'accrual' ELSE 'reward' END AS type,
           (r.credit_account & 524272) | 9 AS debit_account, r.credit_account, r.amount, r.position_id,
           NULL::text AS request_key, NULL::bigint AS corrects, NULL::timestamptz AS renewed_at
      FROM (SELECT * FROM paid_by_run UNION ALL SELECT * FROM paid_by_act) r
    UNION ALL
    SELECT t.effective_at, 2, t.transfer_id, NULL, t.kind::text, t.debit_account, t.credit_account, t.amount, t.position_id,
           t.request_key, t.corrects, NULL
      FROM transfer t
     WHERE t.cell = %(cell)s AND t.customer_id = %(customer_id)s
       AND t.effective_at >= %(from_at)s AND t.effective_at < %(until_at)s
    UNION ALL
    SELECT h.changed_at, 3, n.position_id, NULL, 'renewal', (n.reward_account & ~15::bigint) | 3,
           (n.reward_account & ~15::bigint) | 3, h.principal, m.position_id, n.request_key, NULL, n.started_at
      FROM mine m
      JOIN position n ON n.cell = m.cell AND n.customer_id = %(customer_id)s AND n.renewed_from = m.position_id
      JOIN position_past h ON h.cell = m.cell AND h.position_id = m.position_id
     WHERE m.ended_by IN ('renewal', 'to_flexible') AND h.changed_at >= %(from_at)s AND h.changed_at < %(until_at)s
       AND h.change = (SELECT max(l.change) FROM position_past l WHERE l.cell = m.cell AND l.position_id = m.position_id)
)
SELECT l.at, l.rank, l.number, l.run_on, l.type, l.debit_account, l.credit_account, l.amount, l.position_id, l.request_key,
       l.corrects, l.renewed_at, m.product, m.started_at, m.ended_by
  FROM line l
  LEFT JOIN mine m ON m.position_id = l.position_id
 WHERE (%(after_at)s::timestamptz IS NULL
        OR (l.at, l.rank, l.number, coalesce(l.run_on, '-infinity'))
           > (%(after_at)s::timestamptz, %(after_rank)s::integer, %(after_number)s::bigint,
              coalesce(%(after_run_on)s::date, '-infinity')))
   AND (%(before_at)s::timestamptz IS NULL
        OR (l.at, l.rank, l.number, coalesce(l.run_on, '-infinity'))
           < (%(before_at)s::timestamptz, %(before_rank)s::integer, %(before_number)s::bigint,
              coalesce(%(before_run_on)s::date, '-infinity')))
   AND (%(types)s::text[] IS NULL OR l.type = ANY(%(types)s::text[]))
   AND (%(asset_id)s::integer IS NULL OR account_asset(l.credit_account) = %(asset_id)s::integer)
   AND (%(is_early)s::boolean IS NULL OR coalesce(m.ended_by = 'early_redemption', false) = %(is_early)s::boolean)
   AND (%(account_id)s::bigint IS NULL
        OR (l.debit_account <> l.credit_account AND %(account_id)s::bigint IN (l.debit_account, l.credit_account)))
 ORDER BY CASE WHEN %(is_newest_first)s THEN l.at END DESC, CASE WHEN %(is_newest_first)s THEN l.rank END DESC,
          CASE WHEN %(is_newest_first)s THEN l.number END DESC, CASE WHEN %(is_newest_first)s THEN l.run_on END DESC,
          l.at, l.rank, l.number, l.run_on
 LIMIT %(count)s::bigint;

-- name: reward_bounds
-- Say since when a customer has had positions of some kind, to look for their rewards no further back.
SELECT min(p.started_at) AS started_at
  FROM position p
  JOIN product o ON o.product_id = p.product_id
  JOIN asset a ON a.asset_id = o.asset_id
 WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s
   AND p.position_id = coalesce(%(position_id)s::bigint, p.position_id)
   AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
   AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text);

-- name: rewards_of_customer
-- Read a customer's rewards between two run dates, newest first, each with what was taken back of it.
WITH mine AS MATERIALIZED (
    SELECT p.position_id, p.started_at, o.code AS product, a.code AS asset
      FROM position p
      JOIN product o ON o.product_id = p.product_id
      JOIN asset a ON a.asset_id = o.asset_id
     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s
       AND p.position_id = coalesce(%(position_id)s::bigint, p.position_id)
       AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
       AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text)
)
SELECT r.run_on, r.position_id, r.amount, r.is_early, r.credit_account, m.product, m.asset, m.started_at,
       coalesce(f.amount, 0) AS forfeited
  FROM reward r
  JOIN mine m ON m.position_id = r.position_id
  LEFT JOIN forfeited_reward f ON f.cell = r.cell AND f.position_id = r.position_id AND f.run_on = r.run_on
 WHERE r.cell = %(cell)s AND r.position_id = ANY(ARRAY(SELECT n.position_id FROM mine n))
   AND r.run_on BETWEEN %(first_run_on)s AND %(last_run_on)s
   AND (%(before_run_on)s::date IS NULL
        OR (r.run_on, r.position_id) < (%(before_run_on)s::date, %(before_position_id)s::bigint))
 ORDER BY r.run_on DESC, r.position_id DESC
 LIMIT %(count)s::bigint;

-- name: reward_days
-- Add a customer's rewards of one asset up by run date, each with what was taken back of it.
WITH mine AS MATERIALIZED (
    SELECT p.position_id
      FROM position p
      JOIN product o ON o.product_id = p.product_id
      JOIN asset a ON a.asset_id = o.asset_id
     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND a.code = %(asset)s::text
)
SELECT r.run_on, sum(r.amount) AS rewards, coalesce(sum(f.amount), 0) AS forfeited
  FROM reward r
  LEFT JOIN forfeited_reward f ON f.cell = r.cell AND f.position_id = r.position_id AND f.run_on = r.run_on
 WHERE r.cell = %(cell)s AND r.position_id = ANY(ARRAY(SELECT m.position_id FROM mine m))
   AND r.run_on BETWEEN %(from_on)s AND %(to_on)s
 GROUP BY r.run_on
 ORDER BY r.run_on;

-- name: reward_totals
-- Add up a customer's rewards of the distributions after one instant and through another, from the sums of their spans.
-- It is the view of all spans written out, so that only those of this customer are ever looked at.
WITH mine AS MATERIALIZED (
    SELECT p.cell, p.position_id, p.product_id, p.locked_revision, p.started_at, p.principal, p.tier_offset, p.anchor_days,
           p.anchor_basis, p.term_days, p.parked_days, p.ended_at, a.code AS asset, a.unit
      FROM position p
      JOIN product o ON o.product_id = p.product_id
      JOIN asset a ON a.asset_id = o.asset_id
     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s
       AND p.position_id = coalesce(%(position_id)s::bigint, p.position_id)
       AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
       AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text)
), span AS (
    SELECT m.asset, m.unit, m.product_id, m.locked_revision, m.started_at, h.from_days, h.from_basis, h.to_days, h.principal,
           h.tier_offset
      FROM mine m
      JOIN position_past h ON h.cell = %(cell)s AND h.position_id = m.position_id
    UNION ALL
    SELECT m.asset, m.unit, m.product_id, m.locked_revision, m.started_at, m.anchor_days, m.anchor_basis,
           days_paid(m.started_at, m.term_days, m.anchor_days, m.parked_days, c.watermark_at), m.principal, m.tier_offset
      FROM mine m
      JOIN cell c ON c.cell = m.cell
     WHERE m.ended_at IS NULL
), earned AS (
    SELECT s.asset,
           paid_by(basis_after(s.product_id, s.locked_revision, s.started_at, s.principal, s.tier_offset, s.from_days,
                               s.from_basis, d.last), s.unit)
           - paid_by(basis_after(s.product_id, s.locked_revision, s.started_at, s.principal, s.tier_offset, s.from_days,
                                 s.from_basis, d.first), s.unit) AS amount
      FROM span s
     CROSS JOIN LATERAL (SELECT greatest(s.from_days, full_days(s.started_at, %(from_at)s)) AS first,
                                least(s.to_days, full_days(s.started_at, %(through_at)s)) AS last) d
     WHERE d.last > d.first
), lost AS (
    SELECT m.asset, f.amount
      FROM mine m
      JOIN forfeited_reward f ON f.cell = %(cell)s AND f.position_id = m.position_id
     WHERE f.run_on BETWEEN %(first_run_on)s AND %(last_run_on)s
)
SELECT e.asset, e.amount AS rewards, coalesce((SELECT sum(l.amount) FROM lost l WHERE l.asset = e.asset), 0) AS forfeited
  FROM (SELECT asset, sum(amount) AS amount FROM earned GROUP BY asset) e
 ORDER BY e.asset;

-- name: realised_rewards
-- Add up what finished runs owed for a product, with parked positions counted as they were paid: late, or not yet.
WITH parked AS MATERIALIZED (
    SELECT k.cell, k.position_id, k.run_on, k.amount
      FROM parked_position k
      JOIN position p ON p.cell = k.cell AND p.position_id = k.position_id
     WHERE p.product_id = %(product_id)s AND k.run_on <= %(last_run_on)s
)
SELECT coalesce(sum(l.amount), 0)
       - coalesce((SELECT sum(k.amount) FROM parked k WHERE k.run_on >= %(first_run_on)s), 0)
       + coalesce((SELECT sum(r.amount)
                     FROM (SELECT DISTINCT k.cell, k.position_id FROM parked k) d
                     JOIN reward r ON r.cell = d.cell AND r.position_id = d.position_id AND r.is_late
                    WHERE r.run_on BETWEEN %(first_run_on)s AND %(last_run_on)s), 0) AS amount
  FROM run_plan l
  JOIN run r ON r.run_on = l.run_on AND r.state = 'finished'
 WHERE l.product_id = %(product_id)s AND l.run_on BETWEEN %(first_run_on)s AND %(last_run_on)s;

-- name: principal_days
-- Add up, over the paid accrual days that completed after one instant and through another, the principals of a product.
SELECT coalesce(sum(s.principal * (d.last - d.first)), 0) AS amount
  FROM position_span s
 CROSS JOIN LATERAL (SELECT greatest(s.from_days, full_days(s.started_at, %(from_at)s)) AS first,
                            least(s.to_days, full_days(s.started_at, %(through_at)s)) AS last) d
 WHERE s.product_id = %(product_id)s AND d.last > d.first;

-- name: last_finished_run
-- Find the last run that is finished.
SELECT max(run_on) AS run_on FROM run WHERE state = 'finished';

-- name: days_settled_at
-- Say of which run dates the rewards are that an act settled for a customer's positions at an instant.
SELECT min(run_on_of(p.started_at + make_interval(hours => 24 * (h.from_days + 1)), %(distribution_time)s::time)) AS first_on,
       max(run_on_of(p.started_at + make_interval(hours => 24 * h.to_days), %(distribution_time)s::time)) AS last_on
  FROM position p
  JOIN position_past h ON h.cell = p.cell AND h.position_id = p.position_id AND h.changed_at = %(effective_at)s
                      AND h.to_days > h.from_days
 WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND p.started_at < %(effective_at)s;

-- name: days_reversed_by
-- Say of which run dates the rewards are that a forfeiture takes back.
SELECT min(f.run_on) AS first_on, max(f.run_on) AS last_on
  FROM transfer t
  JOIN forfeited_reward f ON f.cell = t.cell AND f.position_id = t.position_id AND f.transfer_id = t.transfer_id
 WHERE t.cell = %(cell)s AND t.transfer_id = %(transfer_id)s;

-- name: rewards_settled_at
-- Read the rewards that an act settled for a customer's positions at an instant.
SELECT r.position_id, r.run_on, r.amount, r.credit_account, r.is_late, p.started_at, o.code AS product
  FROM position p
  JOIN product o ON o.product_id = p.product_id
  JOIN position_past h ON h.cell = p.cell AND h.position_id = p.position_id AND h.changed_at = %(effective_at)s
                      AND h.to_days > h.from_days
  JOIN reward r ON r.cell = %(cell)s AND r.position_id = p.position_id AND r.is_early
               AND r.run_on >= run_on_of(p.started_at + make_interval(hours => 24 * (h.from_days + 1)),
                                         %(distribution_time)s::time)
               AND r.run_on <= run_on_of(p.started_at + make_interval(hours => 24 * h.to_days), %(distribution_time)s::time)
 WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND p.started_at < %(effective_at)s
   AND r.run_on BETWEEN %(first_run_on)s AND %(last_run_on)s
 ORDER BY r.run_on DESC, r.position_id
 LIMIT %(count)s;

-- name: rewards_reversed_by
-- Read the rewards that a forfeiture takes back, each with what it was.
SELECT f.position_id, f.run_on, f.amount AS forfeited, r.amount, r.credit_account, r.is_late, p.started_at, o.code AS product
  FROM transfer t
  JOIN forfeited_reward f ON f.cell = t.cell AND f.position_id = t.position_id AND f.transfer_id = t.transfer_id
  JOIN position p ON p.cell = f.cell AND p.position_id = f.position_id
  JOIN product o ON o.product_id = p.product_id
  JOIN reward r ON r.cell = %(cell)s AND r.position_id = f.position_id AND r.run_on = f.run_on
               AND r.run_on BETWEEN %(first_run_on)s AND %(last_run_on)s
 WHERE t.cell = %(cell)s AND t.transfer_id = %(transfer_id)s
 ORDER BY f.run_on DESC
 LIMIT %(count)s;

-- name: reached_funding
-- Read a page of what rewards have brought into a customer's Funding account in a period, newest first: by what was paid
-- at one moment, for a fixed term by position, for a flexible product in all.
WITH mine AS MATERIALIZED (
    SELECT p.position_id, p.started_at, p.term_days, o.code AS product, a.code AS asset
      FROM position p
      JOIN product o ON o.product_id = p.product_id
      JOIN asset a ON a.asset_id = o.asset_id
     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND (p.term_days IS NOT NULL) = %(is_fixed)s
       AND p.started_at < %(until_at)s AND p.position_id = coalesce(%(position_id)s::bigint, p.position_id)
       AND (%(asset)s::text IS NULL OR a.code = %(asset)s::text) AND (%(product)s::text IS NULL OR o.code = %(product)s::text)
), paid AS (
    SELECT (r.run_on + %(distribution_time)s::time) AT TIME ZONE 'UTC' AS at, r.position_id, r.amount
      FROM reward r
     WHERE r.cell = %(cell)s AND r.position_id = ANY(ARRAY(SELECT m.position_id FROM mine m))
       AND r.run_on >= %(run_from)s AND r.run_on < %(run_until)s AND NOT r.is_early AND account_kind(r.credit_account) = 2
    UNION ALL
    SELECT h.changed_at, r.position_id, r.amount
      FROM mine m
      JOIN position_past h ON h.cell = %(cell)s AND h.position_id = m.position_id AND h.to_days > h.from_days
                          AND h.changed_at >= %(from_at)s AND h.changed_at < %(until_at)s
      JOIN reward r ON r.cell = %(cell)s AND r.position_id = h.position_id AND r.is_early AND r.run_on <= %(run_until)s
                   AND account_kind(r.credit_account) = 2
                   AND r.run_on >= run_on_of(m.started_at + make_interval(hours => 24 * (h.from_days + 1)),
                                             %(distribution_time)s::time)
                   AND r.run_on <= run_on_of(m.started_at + make_interval(hours => 24 * h.to_days),
                                             %(distribution_time)s::time)
    UNION ALL
    SELECT t.effective_at, t.position_id, t.amount
      FROM transfer t
     WHERE t.cell = %(cell)s AND t.customer_id = %(customer_id)s AND t.kind = 'accrued_payout'
       AND t.effective_at >= %(from_at)s AND t.effective_at < %(until_at)s
       AND t.position_id IN (SELECT m.position_id FROM mine m)
), line AS (
    SELECT date_trunc('milliseconds', d.at) AS at, CASE WHEN %(is_fixed)s THEN d.position_id ELSE 0 END AS position_id, m.product,
           m.asset, m.term_days, sum(d.amount) AS amount
      FROM paid d
      JOIN mine m ON m.position_id = d.position_id
     GROUP BY 1, 2, 3, 4, 5
)
SELECT c.total, n.*
  FROM (SELECT count(*) AS total FROM line) c
  LEFT JOIN (SELECT * FROM line ORDER BY at DESC, product, position_id DESC LIMIT %(limit)s OFFSET %(offset)s) n ON true
 ORDER BY n.at DESC, n.product, n.position_id DESC;
