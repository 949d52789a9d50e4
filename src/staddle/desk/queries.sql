-- name: create_desk
-- Set the desk up, once; a second attempt inserts nothing.
INSERT INTO desk (name, is_sandbox, clock_at, distribution_time, run_change_max, runway_days_min, created_at)
VALUES (%(name)s, %(is_sandbox)s, %(clock_at)s, %(distribution_time)s, %(run_change_max)s, %(runway_days_min)s, %(now)s)
    ON CONFLICT (is_the_only_one) DO NOTHING
RETURNING name;

-- name: create_cells
-- Make the books of every cell, from a distribution instant on.
INSERT INTO cell (cell, watermark_at)
SELECT n.cell, %(watermark_at)s FROM generate_series(0, 255) AS n (cell);

-- name: find_desk
-- Read the desk.
SELECT name, is_sandbox, clock_at, distribution_time, run_change_max, runway_days_min, created_at,
       redemptions_times_max, redemptions_share_max
  FROM desk;

-- name: lock_desk
-- Hold the desk's row while its clock or its limits change.
SELECT name, is_sandbox, clock_at, distribution_time, run_change_max, runway_days_min, created_at,
       redemptions_times_max, redemptions_share_max
  FROM desk
   FOR UPDATE;

-- name: set_clock
-- Move the sandbox clock.
UPDATE desk SET clock_at = %(clock_at)s;

-- name: change_limits
-- Change the limits of reward runs.
UPDATE desk SET run_change_max = %(run_change_max)s, runway_days_min = %(runway_days_min)s;

-- name: change_redemption_limits
-- Change beyond what redemptions are unusual.
UPDATE desk SET redemptions_times_max = %(times_max)s, redemptions_share_max = %(share_max)s;

-- name: lock_operators
-- Let one process at a time add operators, so that only one can be the first.
SELECT pg_advisory_xact_lock(hashtext('staddle.operator'));

-- name: add_operator
-- Add somebody who works the desk.
INSERT INTO operator (name, added_at, roles)
VALUES (%(name)s, %(now)s, %(roles)s::text[]);

-- name: change_operator
-- Change what an operator may do, and whether they may do anything.
UPDATE operator
   SET roles = %(roles)s::text[], is_active = %(is_active)s
 WHERE name = %(name)s;

-- name: find_operator
-- Read an operator.
SELECT o.name, o.added_at, o.roles, o.is_active,
       (SELECT max(a.approval_id) FROM approval a
         WHERE a.decision IS NULL AND a.act = 'grant_roles' AND a.subject = o.name) AS grant_asked
  FROM operator o
 WHERE o.name = %(name)s;

-- name: list_operators
-- Read all operators, in the order in which they came.
SELECT o.name, o.added_at, o.roles, o.is_active,
       (SELECT max(a.approval_id) FROM approval a
         WHERE a.decision IS NULL AND a.act = 'grant_roles' AND a.subject = o.name) AS grant_asked
  FROM operator o
 ORDER BY o.added_at, o.name;

-- name: ask_approval
-- Put a request before a second person.
INSERT INTO approval (act, subject, request, basis, asked_by, asked_at)
VALUES (%(act)s, %(subject)s, %(request)s, %(basis)s, %(by)s, %(now)s)
RETURNING approval_id;

-- name: keep_effect
-- Keep with a request what it changes and what comes of it, as both people see it; once.
INSERT INTO approval_effect (approval_id, difference, effect)
VALUES (%(approval_id)s, %(difference)s::json, %(effect)s::json)
    ON CONFLICT (approval_id) DO NOTHING;

-- name: find_approval
-- Read a request for approval.
SELECT a.approval_id, a.act, a.subject, a.request, a.basis, a.asked_by, a.asked_at, a.decision, a.decided_by, a.decided_at,
       e.difference, e.effect
  FROM approval a
  LEFT JOIN approval_effect e USING (approval_id)
 WHERE a.approval_id = %(approval_id)s;

-- name: lock_approval
-- Hold a request for approval while it is decided.
SELECT a.approval_id, a.act, a.subject, a.request, a.basis, a.asked_by, a.asked_at, a.decision, a.decided_by, a.decided_at,
       e.difference, e.effect
  FROM approval a
  LEFT JOIN approval_effect e USING (approval_id)
 WHERE a.approval_id = %(approval_id)s
   FOR UPDATE OF a;

-- name: decide_approval
-- Write down who decided a request, and how.
UPDATE approval
   SET decision = %(decision)s, decided_by = %(by)s, decided_at = %(now)s
 WHERE approval_id = %(approval_id)s;

-- name: pending_approvals
-- Read the requests that nobody has decided yet, oldest first; of one act and subject where they are named.
SELECT a.approval_id, a.act, a.subject, a.request, a.basis, a.asked_by, a.asked_at, a.decision, a.decided_by, a.decided_at,
       e.difference, e.effect
  FROM approval a
  LEFT JOIN approval_effect e USING (approval_id)
 WHERE a.decision IS NULL
   AND (%(act)s::text IS NULL OR a.act = %(act)s::text) AND (%(subject)s::text IS NULL OR a.subject = %(subject)s::text)
 ORDER BY a.approval_id;

-- name: count_pending
-- Count the requests that nobody has decided yet.
SELECT count(*) AS waiting FROM approval WHERE decision IS NULL;

-- name: decided_approvals
-- Read the requests that were decided, newest request first, before one of them.
SELECT a.approval_id, a.act, a.subject, a.request, a.basis, a.asked_by, a.asked_at, a.decision, a.decided_by, a.decided_at,
       e.difference, e.effect
  FROM approval a
  LEFT JOIN approval_effect e USING (approval_id)
 WHERE a.decision IS NOT NULL AND (%(before)s::int IS NULL OR a.approval_id < %(before)s::int)
   AND (%(act)s::text IS NULL OR a.act = %(act)s::text)
 ORDER BY a.approval_id DESC
 LIMIT %(count)s;

-- name: log
-- Write down what an operator did.
INSERT INTO desk_log (operator, act, subject, details, effective_at)
VALUES (%(operator)s, %(act)s, %(subject)s, %(details)s, %(now)s);

-- name: is_operator
-- Say whether somebody works the desk, or has.
SELECT 1 FROM operator WHERE name = %(name)s;

-- name: read_log
-- Read the latest entries of the operators' log that are wanted, newest first, before one of them.
SELECT log_id, operator, act, subject, details, effective_at
  FROM desk_log
 WHERE (%(before)s::int IS NULL OR log_id < %(before)s::int)
   AND (%(operator)s::text IS NULL OR operator = %(operator)s::text)
   AND (%(act)s::text IS NULL OR act = %(act)s::text)
   AND (%(subject)s::text IS NULL OR subject = %(subject)s::text)
   AND (%(from_at)s::timestamptz IS NULL OR effective_at >= %(from_at)s::timestamptz)
   AND (%(before_at)s::timestamptz IS NULL OR effective_at < %(before_at)s::timestamptz)
 ORDER BY log_id DESC
 LIMIT %(count)s;

-- name: logged_acts
-- Name every act of the log, a step of the index each.
WITH RECURSIVE step AS (
    (SELECT act FROM desk_log ORDER BY act LIMIT 1)
    UNION ALL
    SELECT (SELECT l.act FROM desk_log l WHERE l.act > s.act ORDER BY l.act LIMIT 1) FROM step s WHERE s.act IS NOT NULL
)
SELECT act FROM step WHERE act IS NOT NULL;

-- name: lock_log_seals
-- Hold the chain of the log until the transaction ends, so that it never forks.
SELECT pg_advisory_xact_lock(hashtext('staddle.desk_log_seal'));

-- name: seal_log
-- Give the entries without a link the next ones of the chain, by number, each hashed onto the one before it.
WITH RECURSIVE head AS (
    SELECT coalesce(max(s.number), 0) AS number,
           coalesce((SELECT h.hash FROM desk_log_seal h ORDER BY h.number DESC LIMIT 1), ''::bytea) AS hash
      FROM desk_log_seal s
), fresh AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY l.log_id) AS step, l.log_id, log_line(l) AS line
      FROM desk_log l
     WHERE NOT EXISTS (SELECT FROM desk_log_seal s WHERE s.log_id = l.log_id)
     ORDER BY l.log_id
     LIMIT %(count)s
), link AS (
    SELECT 0::bigint AS step, h.number, NULL::integer AS log_id, h.hash FROM head h
    UNION ALL
    SELECT f.step, k.number + 1, f.log_id, log_seal_hash(k.hash, k.number + 1, %(now)s::timestamptz, f.line)
      FROM link k
      JOIN fresh f ON f.step = k.step + 1
)
INSERT INTO desk_log_seal (number, log_id, hash, sealed_at)
SELECT number, log_id, hash, %(now)s::timestamptz FROM link WHERE log_id IS NOT NULL;

-- name: audit_log_chain
-- Find links of the log's chain that are missing, or whose entry is gone or is not as it was sealed.
SELECT -1 AS cell, 'desk_log' AS table_name, 'log_id ' || s.log_id AS row_name,
       CASE WHEN s.number <> s.number_before + 1 THEN 'link ' || s.number_before + 1 || ' of the chain is missing before it'
            WHEN l.log_id IS NULL THEN 'it was sealed as link ' || s.number || ' and is gone'
            ELSE 'it is not what was sealed as link ' || s.number END AS message
  FROM (SELECT number, log_id, hash, sealed_at, lag(number, 1, 0) OVER chain AS number_before,
               lag(hash, 1, ''::bytea) OVER chain AS hash_before
          FROM desk_log_seal
        WINDOW chain AS (ORDER BY number)) s
  LEFT JOIN desk_log l USING (log_id)
 WHERE s.number <> s.number_before + 1 OR l.log_id IS NULL
    OR s.hash IS DISTINCT FROM log_seal_hash(s.hash_before, s.number, s.sealed_at, log_line(l))
 LIMIT %(most)s;

-- name: audit_approvals
-- Find requests whose making or whose decision is not in the log as it stands in their row.
WITH said AS MATERIALIZED (
    SELECT log_id, act, operator, subject, details::jsonb AS details, details ->> 'approval_id' AS approval_id
      FROM desk_log
     WHERE details ->> 'approval_id' IS NOT NULL
)
SELECT -1 AS cell, 'approval' AS table_name, 'approval_id ' || a.approval_id AS row_name,
       CASE WHEN asked.log_id IS NULL THEN 'the log has no such request of ' || a.asked_by
            WHEN a.decision IS NULL THEN 'the log says that it was decided by ' || decided.operator
            ELSE 'the log does not say that it was ' || a.decision || ' by ' || a.decided_by END AS message
  FROM approval a
  LEFT JOIN said asked ON asked.approval_id = a.approval_id::text AND asked.act = 'ask_' || a.act
                      AND asked.operator = a.asked_by AND asked.subject = a.subject
                      AND asked.details - 'approval_id' = a.request::jsonb
  LEFT JOIN said decided ON decided.approval_id = a.approval_id::text
                        AND decided.act IN ('approved_' || a.act, 'declined_' || a.act)
 WHERE asked.log_id IS NULL OR decided.act IS DISTINCT FROM a.decision || '_' || a.act
    OR decided.operator IS DISTINCT FROM a.decided_by
 LIMIT %(most)s;

-- name: audit_corrections_approved
-- Find corrections that no approved request asked for.
SELECT t.cell, 'transfer' AS table_name, 'transfer_id ' || t.transfer_id AS row_name,
       'no two people have agreed to correct transfer ' || t.corrects AS message
  FROM transfer t
  LEFT JOIN approval a ON t.request_key = 'desk:approval ' || a.approval_id
                      AND a.act = 'correct_transfer' AND a.decision = 'approved'
                      AND a.request ->> 'transfer_id' = t.corrects::text
 WHERE t.corrects IS NOT NULL AND a.approval_id IS NULL
 LIMIT %(most)s;

-- name: audit_unsealed_log
-- Say how many entries of the log are not in its chain yet.
SELECT -1 AS cell, 'desk_log' AS table_name, 'from log_id ' || min(l.log_id) AS row_name,
       count(*) || ' entries are not sealed yet' AS message
  FROM desk_log l
 WHERE NOT EXISTS (SELECT FROM desk_log_seal s WHERE s.log_id = l.log_id)
HAVING count(*) > 0
 LIMIT %(most)s;

-- name: raise_alarm
-- Raise an alarm unless the same one is open.
INSERT INTO alarm (kind, subject, details, raised_at)
VALUES (%(kind)s, %(subject)s, %(details)s::json, %(now)s)
    ON CONFLICT (kind, subject) WHERE cleared_at IS NULL DO NOTHING
RETURNING alarm_id;

-- name: update_alarm
-- Give an open alarm newer details; gives its number where there is one.
UPDATE alarm
   SET details = %(details)s::json
 WHERE kind = %(kind)s AND subject = %(subject)s AND cleared_at IS NULL
RETURNING alarm_id;

-- name: clear_alarm
-- Clear an alarm whose cause is gone.
UPDATE alarm
   SET cleared_at = %(now)s
 WHERE kind = %(kind)s AND subject = %(subject)s AND cleared_at IS NULL;

-- name: clear_alarms_but
-- Clear the alarms of a kind whose subject is not among those named.
UPDATE alarm
   SET cleared_at = %(now)s
 WHERE kind = %(kind)s AND cleared_at IS NULL AND subject <> ALL(%(subjects)s::text[]);

-- name: dismiss_alarm
-- Clear an alarm by hand.
UPDATE alarm
   SET cleared_at = %(now)s, cleared_by = %(by)s
 WHERE alarm_id = %(alarm_id)s AND cleared_at IS NULL
RETURNING alarm_id, kind, subject, details, raised_at, cleared_at, cleared_by;

-- name: alarms
-- Read alarms of one kind or of any, newest first, before one of them; without `with_cleared` only those that are open.
SELECT alarm_id, kind, subject, details, raised_at, cleared_at, cleared_by
  FROM alarm
 WHERE (cleared_at IS NULL OR %(with_cleared)s) AND (%(before)s::int IS NULL OR alarm_id < %(before)s::int)
   AND (%(kind)s::text IS NULL OR kind = %(kind)s::text)
 ORDER BY alarm_id DESC
 LIMIT %(count)s;

-- name: set_price
-- Keep a coin's price unless a newer one is known; gives a row where it is kept.
INSERT INTO asset_price AS known (asset_id, quote, price, priced_at, set_by)
VALUES (%(asset_id)s, %(quote)s, %(price)s, %(priced_at)s, %(by)s)
    ON CONFLICT (asset_id, quote) DO UPDATE
       SET price = excluded.price, priced_at = excluded.priced_at, set_by = excluded.set_by
     WHERE known.priced_at <= excluded.priced_at
RETURNING known.asset_id;

-- name: prices
-- Read the newest known price of each coin in each quote currency.
SELECT a.code AS asset, p.quote, p.price, p.priced_at
  FROM asset_price AS p
  JOIN asset AS a USING (asset_id)
 ORDER BY a.code, p.quote;
