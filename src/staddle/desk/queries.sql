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
VALUES (%(name)s, %(now)s, %(roles)s::text[])
RETURNING name, added_at, roles, is_active;

-- name: change_operator
-- Change what an operator may do, and whether they may do anything.
UPDATE operator
   SET roles = %(roles)s::text[], is_active = %(is_active)s
 WHERE name = %(name)s
RETURNING name, added_at, roles, is_active;

-- name: find_operator
-- Read an operator.
SELECT name, added_at, roles, is_active FROM operator WHERE name = %(name)s;

-- name: list_operators
-- Read all operators, in the order in which they came.
SELECT name, added_at, roles, is_active FROM operator ORDER BY added_at, name;

-- name: ask_approval
-- Put a request before a second person.
INSERT INTO approval (act, subject, request, basis, asked_by, asked_at)
VALUES (%(act)s, %(subject)s, %(request)s, %(basis)s, %(by)s, %(now)s)
RETURNING approval_id;

-- name: find_approval
-- Read a request for approval.
SELECT approval_id, act, subject, request, basis, asked_by, asked_at, decision, decided_by, decided_at
  FROM approval
 WHERE approval_id = %(approval_id)s;

-- name: lock_approval
-- Hold a request for approval while it is decided.
SELECT approval_id, act, subject, request, basis, asked_by, asked_at, decision, decided_by, decided_at
  FROM approval
 WHERE approval_id = %(approval_id)s
   FOR UPDATE;

-- name: decide_approval
-- Write down who decided a request, and how.
UPDATE approval
   SET decision = %(decision)s, decided_by = %(by)s, decided_at = %(now)s
 WHERE approval_id = %(approval_id)s;

-- name: pending_approvals
-- Read the requests that nobody has decided yet, oldest first.
SELECT approval_id, act, subject, request, basis, asked_by, asked_at, decision, decided_by, decided_at
  FROM approval
 WHERE decision IS NULL
 ORDER BY approval_id;

-- name: log
-- Write down what an operator did.
INSERT INTO desk_log (operator, act, subject, details, effective_at)
VALUES (%(operator)s, %(act)s, %(subject)s, %(details)s, %(now)s);

-- name: read_log
-- Read the latest entries of the operators' log, newest first, before one of them.
SELECT log_id, operator, act, subject, details, effective_at
  FROM desk_log
 WHERE %(before)s::int IS NULL OR log_id < %(before)s::int
 ORDER BY log_id DESC
 LIMIT %(count)s;

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
-- Read alarms, newest first, before one of them; without `with_cleared` only those that are open.
SELECT alarm_id, kind, subject, details, raised_at, cleared_at, cleared_by
  FROM alarm
 WHERE (cleared_at IS NULL OR %(with_cleared)s) AND (%(before)s::int IS NULL OR alarm_id < %(before)s::int)
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
