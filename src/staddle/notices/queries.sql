-- name: write_notices
-- Append notices to the outbox.
INSERT INTO notice (cell, notice_id, customer_id, kind, body, effective_at)
SELECT (n.notice_id & 255)::smallint, n.notice_id, n.customer_id, n.kind, n.body, %(now)s
  FROM ROWS FROM (unnest(%(notice_ids)s::bigint[], %(customer_ids)s::bigint[], %(kinds)s::text[]),
                  json_array_elements(%(bodies)s::json)) AS n (notice_id, customer_id, kind, body);

-- name: notices_of
-- Read what happened to one customer, in order.
SELECT notice_id, customer_id, kind, body, effective_at
  FROM notice
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s AND notice_id > %(after)s
 ORDER BY notice_id
 LIMIT %(count)s;

-- name: latest_notices_of
-- Read what happened to one customer, newest first, but for what they do not want to be told.
SELECT notice_id, customer_id, kind, body, effective_at
  FROM notice
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s AND notice_id < %(before)s
   AND kind <> ALL (%(muted)s::text[])
 ORDER BY notice_id DESC
 LIMIT %(count)s;

-- name: announcements_to
-- Read what was announced to everybody, or to all holders of a product, where the customer was one at that instant.
SELECT n.notice_id, n.customer_id, n.kind, n.body, n.effective_at
  FROM notice n
 WHERE n.cell = 0 AND n.customer_id = 0 AND n.notice_id > %(after)s
   AND (n.kind = ANY(%(to_everybody)s::text[])
        OR n.kind = ANY(%(to_holders)s::text[])
        AND EXISTS (SELECT
                      FROM position p
                      JOIN product t ON t.product_id = p.product_id
                     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND t.code = n.body ->> 'product'
                       AND p.started_at <= n.effective_at AND (p.ended_at IS NULL OR p.ended_at > n.effective_at)))
 ORDER BY n.notice_id
 LIMIT %(count)s;

-- name: latest_announcements_to
-- Read what was announced after an instant, to everybody or to holders of a product while they were, newest first.
SELECT n.notice_id, n.customer_id, n.kind, n.body, n.effective_at
  FROM notice n
 WHERE n.cell = 0 AND n.customer_id = 0 AND n.notice_id < %(before)s AND n.effective_at > %(since)s
   AND (n.kind = ANY(%(to_everybody)s::text[])
        OR n.kind = ANY(%(to_holders)s::text[])
        AND EXISTS (SELECT
                      FROM position p
                      JOIN product t ON t.product_id = p.product_id
                     WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND t.code = n.body ->> 'product'
                       AND p.started_at <= n.effective_at AND (p.ended_at IS NULL OR p.ended_at > n.effective_at)))
 ORDER BY n.notice_id DESC
 LIMIT %(count)s;

-- name: notice_counts
-- Read how many notices each cell has.
SELECT cell, notice_count FROM cell;

-- name: customers_told
-- Name the customers who have new notices; 0 stands for many.
SELECT DISTINCT n.customer_id
  FROM unnest(%(cells)s::smallint[], %(after)s::bigint[], %(through)s::bigint[]) AS c (cell, after, through)
  JOIN notice n ON n.cell = c.cell AND n.notice_id > (c.after << 8) + c.cell AND n.notice_id <= (c.through << 8) + c.cell;

-- name: notices_of_all
-- Read the notices of all cells behind a cursor, about as many of each cell that has any; within a cell none is left out.
WITH behind AS (
    SELECT c.cell, r.count AS after, count(*) OVER () AS cells
      FROM unnest(%(cells)s::smallint[], %(counts)s::bigint[]) AS r (cell, count)
      JOIN cell c ON c.cell = r.cell
     WHERE c.notice_count > r.count
), read AS (
    SELECT n.notice_id, n.customer_id, n.kind, n.body, n.effective_at,
           max(n.effective_at) OVER (PARTITION BY b.cell ORDER BY n.notice_id) AS latest_at
      FROM behind b
     CROSS JOIN LATERAL (SELECT *
                           FROM notice
                          WHERE cell = b.cell AND notice_id > (b.after << 8) + b.cell
                          ORDER BY notice_id
                          LIMIT 1 + %(count)s / b.cells * 2) n
)
SELECT notice_id, customer_id, kind, body, effective_at
  FROM read
 ORDER BY latest_at, notice_id
 LIMIT %(count)s;

-- name: add_endpoint
-- Add a webhook endpoint.
INSERT INTO webhook_endpoint (client_id, url, kinds, description, state, secret, created_at)
VALUES (%(client_id)s, %(url)s, %(kinds)s::text[], %(description)s, 'enabled', %(secret)s, %(now)s)
RETURNING endpoint_id;

-- name: open_cursors
-- Let an endpoint's deliveries begin behind what has happened so far.
INSERT INTO webhook_cursor (endpoint_id, cell, notice_count)
SELECT %(endpoint_id)s, c.cell, c.count
  FROM unnest(%(cells)s::smallint[], %(counts)s::bigint[]) AS c (cell, count);

-- name: endpoints
-- Read the endpoints of a client, or of all, or one of them; not those that are revoked.
SELECT e.endpoint_id, e.client_id, e.url, e.kinds, e.description, e.state, e.disabled_because, e.failing_since,
       e.secret_before_until, e.created_at,
       (SELECT count(*) FROM (SELECT FROM webhook_delivery d WHERE d.endpoint_id = e.endpoint_id AND d.state = 'pending'
                               LIMIT 10000) w) AS pending_count,
       (SELECT count(*) FROM (SELECT FROM webhook_delivery d WHERE d.endpoint_id = e.endpoint_id AND d.state = 'dead'
                               LIMIT 10000) w) AS dead_count
  FROM webhook_endpoint e
 WHERE e.state <> 'revoked'
   AND (%(client_id)s::text IS NULL OR e.client_id = %(client_id)s::text)
   AND (%(endpoint_id)s::integer IS NULL OR e.endpoint_id = %(endpoint_id)s::integer)
 ORDER BY e.endpoint_id;

-- name: lock_endpoint
-- Hold one endpoint of a client, or of anybody, so that nobody else changes it meanwhile.
SELECT endpoint_id, client_id, state, secret
  FROM webhook_endpoint
 WHERE endpoint_id = %(endpoint_id)s AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s::text)
   FOR NO KEY UPDATE;

-- name: change_endpoint
-- Change where an endpoint is and what it wants.
UPDATE webhook_endpoint
   SET url = %(url)s, kinds = %(kinds)s::text[], description = %(description)s
 WHERE endpoint_id = %(endpoint_id)s;

-- name: rotate_secret
-- Put a new secret beside the one before.
UPDATE webhook_endpoint
   SET secret_before = secret, secret_before_until = %(until)s, secret = %(secret)s
 WHERE endpoint_id = %(endpoint_id)s;

-- name: disable_endpoint
-- Let an endpoint rest.
UPDATE webhook_endpoint
   SET state = 'disabled', disabled_because = %(because)s
 WHERE endpoint_id = %(endpoint_id)s AND state = 'enabled';

-- name: enable_endpoint
-- Let an endpoint go on.
UPDATE webhook_endpoint
   SET state = 'enabled', disabled_because = NULL, failing_since = NULL
 WHERE endpoint_id = %(endpoint_id)s;

-- name: hurry_lanes
-- Try at once what waits for an endpoint.
UPDATE webhook_lane SET due_at = %(now)s WHERE endpoint_id = %(endpoint_id)s AND claim IS NULL AND due_at > %(now)s;

-- name: revoke_endpoint
-- Take an endpoint away for good.
UPDATE webhook_endpoint SET state = 'revoked', disabled_because = NULL WHERE endpoint_id = %(endpoint_id)s;

-- name: close_cursors
-- Make no more deliveries for an endpoint.
DELETE FROM webhook_cursor WHERE endpoint_id = %(endpoint_id)s;

-- name: close_lanes
-- Send nothing more to an endpoint.
DELETE FROM webhook_lane WHERE endpoint_id = %(endpoint_id)s;

-- name: cancel_deliveries
-- End what waited for an endpoint that was taken away.
UPDATE webhook_delivery
   SET state = 'cancelled', ended_at = %(now)s
 WHERE endpoint_id = %(endpoint_id)s AND state = 'pending';

-- name: fan_out
-- Make deliveries of the notices behind the cursors of enabled endpoints, and move the cursors; a lane that is there is
-- held, so that whoever ends it meanwhile is waited for and it is opened anew.
WITH behind AS (
    SELECT u.endpoint_id, u.cell, u.notice_count AS after, least(c.notice_count, u.notice_count + %(count)s) AS through,
           e.kinds
      FROM webhook_endpoint e
      JOIN webhook_cursor u ON u.endpoint_id = e.endpoint_id
      JOIN cell c ON c.cell = u.cell
     WHERE e.state = 'enabled' AND c.notice_count > u.notice_count
     LIMIT %(cursors)s
       FOR UPDATE OF u SKIP LOCKED
), moved AS (
    UPDATE webhook_cursor u
       SET notice_count = b.through
      FROM behind b
     WHERE u.endpoint_id = b.endpoint_id AND u.cell = b.cell
    RETURNING u.cell
), made AS (
    INSERT INTO webhook_delivery (endpoint_id, notice_id, customer_id, kind, state, due_at)
    SELECT b.endpoint_id, n.notice_id, n.customer_id, n.kind, 'pending', %(now)s
      FROM behind b
      JOIN notice n ON n.cell = b.cell AND n.notice_id > (b.after << 8) + b.cell AND n.notice_id <= (b.through << 8) + b.cell
     WHERE b.kinds IS NULL OR n.kind = ANY(b.kinds)
    RETURNING endpoint_id, customer_id
), opened AS (
    INSERT INTO webhook_lane (endpoint_id, customer_id, due_at)
    SELECT DISTINCT endpoint_id, customer_id, %(now)s::timestamptz FROM made ORDER BY endpoint_id, customer_id
        ON CONFLICT (endpoint_id, customer_id) DO UPDATE SET due_at = excluded.due_at WHERE false
)
SELECT count(*) AS moved FROM moved;

-- name: claim_lanes
-- Claim lanes that are due, up to the room that each endpoint has; one that is failing has room for one.
WITH due AS (
    SELECT l.endpoint_id, l.customer_id
      FROM webhook_endpoint e
      LEFT JOIN unnest(%(endpoint_ids)s::integer[], %(sending)s::integer[]) AS b (endpoint_id, sending)
        ON b.endpoint_id = e.endpoint_id
     CROSS JOIN LATERAL (
            SELECT endpoint_id, customer_id
              FROM webhook_lane
             WHERE endpoint_id = e.endpoint_id AND due_at <= %(now)s
             ORDER BY due_at
             LIMIT greatest(0, CASE WHEN e.failing_since IS NULL THEN %(room)s::integer ELSE 1 END - coalesce(b.sending, 0))
               FOR UPDATE SKIP LOCKED) l
     WHERE e.state = 'enabled'
)
UPDATE webhook_lane l
   SET claim = %(claim)s, due_at = %(until)s
  FROM due d
 WHERE l.endpoint_id = d.endpoint_id AND l.customer_id = d.customer_id;

-- name: claimed
-- Read the first delivery of each lane that was just claimed, and where it goes.
SELECT l.endpoint_id, l.customer_id, d.notice_id, d.kind, d.attempt_count, d.failing_since, n.body, n.effective_at,
       c.reference, e.url, e.client_id, e.secret, e.secret_before, e.secret_before_until
  FROM webhook_lane l
  JOIN webhook_endpoint e ON e.endpoint_id = l.endpoint_id
 CROSS JOIN LATERAL (SELECT *
                       FROM webhook_delivery
                      WHERE endpoint_id = l.endpoint_id AND customer_id = l.customer_id AND state = 'pending'
                      ORDER BY notice_id
                      LIMIT 1) d
  JOIN notice n ON n.cell = (d.notice_id & 255)::smallint AND n.notice_id = d.notice_id
  LEFT JOIN customer c ON c.cell = (l.customer_id & 255)::smallint AND c.customer_id = l.customer_id
 WHERE l.claim = %(claim)s;

-- name: hold_endpoints
-- Hold endpoints, in order, while what came of their deliveries is written down.
SELECT endpoint_id, client_id, state, failing_since
  FROM webhook_endpoint
 WHERE endpoint_id = ANY(%(endpoint_ids)s::integer[])
 ORDER BY endpoint_id
   FOR NO KEY UPDATE;

-- name: hold_lanes
-- Hold those lanes, in order, whose claims are still ours.
SELECT l.endpoint_id, l.customer_id, l.claim
  FROM webhook_lane l
  JOIN unnest(%(endpoint_ids)s::integer[], %(customer_ids)s::bigint[], %(claims)s::text[])
       AS r (endpoint_id, customer_id, claim)
    ON r.endpoint_id = l.endpoint_id AND r.customer_id = l.customer_id AND r.claim = l.claim
 ORDER BY l.endpoint_id, l.customer_id
   FOR UPDATE OF l;

-- name: log_attempts
-- Write attempts into the log.
INSERT INTO webhook_attempt (endpoint_id, notice_id, number, started_at, milliseconds, status, failure, answer)
SELECT *
  FROM unnest(%(endpoint_ids)s::integer[], %(notice_ids)s::bigint[], %(numbers)s::integer[],
              %(started_ats)s::timestamptz[], %(milliseconds)s::integer[], %(statuses)s::integer[], %(failures)s::text[],
              %(answers)s::text[]);

-- name: move_deliveries
-- Say of deliveries what became of them, and when those that failed are tried again.
UPDATE webhook_delivery d
   SET state = r.state, due_at = r.due_at, failing_since = r.failing_since, attempt_count = d.attempt_count + 1,
       ended_at = CASE WHEN r.state <> 'pending' THEN %(now)s::timestamptz END
  FROM unnest(%(endpoint_ids)s::integer[], %(notice_ids)s::bigint[], %(states)s::text[], %(due_ats)s::timestamptz[],
              %(failing)s::timestamptz[]) AS r (endpoint_id, notice_id, state, due_at, failing_since)
 WHERE d.endpoint_id = r.endpoint_id AND d.notice_id = r.notice_id AND d.state = 'pending';

-- name: move_lanes
-- Let lanes wait for the instant of their next delivery.
UPDATE webhook_lane l
   SET claim = NULL, due_at = d.due_at
  FROM unnest(%(endpoint_ids)s::integer[], %(customer_ids)s::bigint[]) AS r (endpoint_id, customer_id)
 CROSS JOIN LATERAL (SELECT due_at
                       FROM webhook_delivery
                      WHERE endpoint_id = r.endpoint_id AND customer_id = r.customer_id AND state = 'pending'
                      ORDER BY notice_id
                      LIMIT 1) d
 WHERE l.endpoint_id = r.endpoint_id AND l.customer_id = r.customer_id;

-- name: end_lanes
-- End lanes that have nothing more to deliver: their claim stood when all others went on.
DELETE FROM webhook_lane l
 USING unnest(%(endpoint_ids)s::integer[], %(customer_ids)s::bigint[]) AS r (endpoint_id, customer_id)
 WHERE l.endpoint_id = r.endpoint_id AND l.customer_id = r.customer_id AND l.claim IS NOT NULL;

-- name: mark_failing
-- Note since when an endpoint fails, or that it does not.
UPDATE webhook_endpoint SET failing_since = %(since)s WHERE endpoint_id = %(endpoint_id)s;

-- name: deliveries
-- Read an endpoint's deliveries, newest first.
SELECT endpoint_id, notice_id, customer_id, kind, state, due_at, attempt_count, failing_since, ended_at
  FROM webhook_delivery
 WHERE endpoint_id = %(endpoint_id)s AND (%(state)s::text IS NULL OR state = %(state)s::text)
   AND (%(before)s::bigint IS NULL OR notice_id < %(before)s::bigint)
 ORDER BY notice_id DESC
 LIMIT %(count)s;

-- name: dead_letters
-- Read what could not be delivered to any endpoint, oldest first.
SELECT d.endpoint_id, d.notice_id, d.customer_id, d.kind, d.state, d.due_at, d.attempt_count, d.failing_since, d.ended_at
  FROM webhook_delivery d
  JOIN webhook_endpoint e ON e.endpoint_id = d.endpoint_id
 WHERE d.state = 'dead' AND e.state <> 'revoked'
 ORDER BY d.ended_at, d.endpoint_id, d.notice_id
 LIMIT %(count)s;

-- name: backlogs
-- Read of each enabled endpoint since when a delivery has been due, how many notices were taken, and how many there are.
SELECT e.endpoint_id, e.client_id,
       (SELECT min(l.due_at) FROM webhook_lane l
         WHERE l.endpoint_id = e.endpoint_id AND l.due_at <= %(machine_now)s) AS due_since,
       coalesce(w.taken, 0) AS notices_taken, coalesce(w.there, 0) AS notices, e.failing_since
  FROM webhook_endpoint e
  LEFT JOIN (SELECT w.endpoint_id, sum(w.notice_count)::bigint AS taken, sum(c.notice_count)::bigint AS there
               FROM webhook_cursor w
               JOIN cell c ON c.cell = w.cell
              GROUP BY w.endpoint_id) w ON w.endpoint_id = e.endpoint_id
 WHERE e.state = 'enabled'
 ORDER BY e.endpoint_id;

-- name: dead_counts
-- Count what could not be delivered, by endpoint; up to 10,000 of each.
SELECT e.endpoint_id, e.client_id, d.count
  FROM webhook_endpoint e
 CROSS JOIN LATERAL (SELECT count(*) AS count
                       FROM (SELECT FROM webhook_delivery WHERE endpoint_id = e.endpoint_id AND state = 'dead' LIMIT 10000) w) d
 WHERE e.state <> 'revoked' AND d.count > 0
 ORDER BY e.endpoint_id;

-- name: delivery
-- Read one delivery.
SELECT endpoint_id, notice_id, customer_id, kind, state, due_at, attempt_count, failing_since, ended_at
  FROM webhook_delivery
 WHERE endpoint_id = %(endpoint_id)s AND notice_id = %(notice_id)s;

-- name: attempts
-- Read the log of one delivery.
SELECT number, started_at, milliseconds, status, failure, answer
  FROM webhook_attempt
 WHERE endpoint_id = %(endpoint_id)s AND notice_id = %(notice_id)s
 ORDER BY number;

-- name: open_lane
-- Let a customer's first delivery to an endpoint be sent at once.
INSERT INTO webhook_lane (endpoint_id, customer_id, due_at)
VALUES (%(endpoint_id)s, %(customer_id)s, %(now)s)
    ON CONFLICT (endpoint_id, customer_id) DO UPDATE
   SET due_at = CASE WHEN webhook_lane.claim IS NULL THEN least(webhook_lane.due_at, excluded.due_at) ELSE webhook_lane.due_at END;

-- name: replay_delivery
-- Let a delivery be sent again.
UPDATE webhook_delivery
   SET state = 'pending', due_at = %(now)s, failing_since = NULL, ended_at = NULL
 WHERE endpoint_id = %(endpoint_id)s AND notice_id = %(notice_id)s
RETURNING customer_id;

-- name: replay_since
-- Let all be sent again, at once, that happened since an instant and lies before the endpoint's cursors.
WITH since AS (
    SELECT n.notice_id, n.customer_id, n.kind
      FROM notice n
      JOIN webhook_cursor u ON u.cell = n.cell AND n.notice_id <= (u.notice_count << 8) + u.cell
      JOIN webhook_endpoint e ON e.endpoint_id = u.endpoint_id
     WHERE u.endpoint_id = %(endpoint_id)s AND n.effective_at >= %(since)s AND (e.kinds IS NULL OR n.kind = ANY(e.kinds))
     ORDER BY n.effective_at, n.notice_id
     LIMIT %(count)s
), replayed AS (
    INSERT INTO webhook_delivery (endpoint_id, notice_id, customer_id, kind, state, due_at)
    SELECT %(endpoint_id)s, notice_id, customer_id, kind, 'pending', %(now)s FROM since ORDER BY notice_id
        ON CONFLICT (endpoint_id, notice_id) DO UPDATE
       SET state = 'pending', due_at = excluded.due_at, failing_since = NULL, ended_at = NULL
    RETURNING endpoint_id, customer_id
), opened AS (
    INSERT INTO webhook_lane (endpoint_id, customer_id, due_at)
    SELECT DISTINCT endpoint_id, customer_id, %(now)s::timestamptz FROM replayed ORDER BY endpoint_id, customer_id
        ON CONFLICT (endpoint_id, customer_id) DO UPDATE
       SET due_at = CASE WHEN webhook_lane.claim IS NULL THEN least(webhook_lane.due_at, excluded.due_at)
                         ELSE webhook_lane.due_at END
)
SELECT count(*) AS replayed FROM replayed;

-- name: forget_deliveries
-- Drop deliveries that were made long ago, with their log.
DELETE FROM webhook_delivery
 WHERE (endpoint_id, notice_id) IN (SELECT endpoint_id, notice_id
                                      FROM webhook_delivery
                                     WHERE state IN ('delivered', 'cancelled') AND ended_at < %(before)s
                                     ORDER BY ended_at
                                     LIMIT %(count)s);

-- name: announced
-- Read what was last announced of each subject.
SELECT subject, standing, announced_at FROM announced WHERE standing <> 'over';

-- name: note_announced
-- Note what is announced now.
INSERT INTO announced (subject, standing, announced_at)
SELECT n.subject, n.standing, %(now)s
  FROM unnest(%(subjects)s::text[], %(standings)s::text[]) AS n (subject, standing)
    ON CONFLICT (subject) DO UPDATE SET standing = excluded.standing, announced_at = excluded.announced_at;

-- name: audit_notice_ids
-- Find gaps between the notices of a cell, and counters that are not their number.
(SELECT n.cell, 'notice' AS table_name, 'notice_id ' || n.before + 256 AS row_name,
        'it is missing' || CASE WHEN n.notice_id - n.before > 512 THEN ', and all to ' || n.notice_id - 256 ELSE '' END
        AS message
   FROM (SELECT cell, notice_id, lag(notice_id, 1, cell::bigint) OVER (PARTITION BY cell ORDER BY notice_id) AS before
           FROM notice
          WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s) n
  WHERE n.notice_id - n.before <> 256
  LIMIT %(most)s)
UNION ALL
(SELECT c.cell, 'cell', 'cell ' || c.cell,
        'it has counted ' || c.notice_count || ' notices; the last one there is number ' || coalesce(l.notice_id / 256, 0)
   FROM cell c
   LEFT JOIN LATERAL (SELECT max(n.notice_id) AS notice_id FROM notice n WHERE n.cell = c.cell) l ON true
  WHERE c.cell BETWEEN %(cell_from)s AND %(cell_to)s AND c.notice_count <> coalesce(l.notice_id / 256, 0));

-- name: audit_webhook_cursors
-- Find endpoints that have read further than there is, or that do not read a cell at all.
SELECT c.cell, 'webhook_cursor' AS table_name, 'endpoint_id ' || e.endpoint_id || ', cell ' || c.cell AS row_name,
       CASE WHEN u.notice_count IS NULL THEN 'it is missing'
            ELSE 'it has read ' || u.notice_count || ' notices of ' || c.notice_count END AS message
  FROM webhook_endpoint e
 CROSS JOIN cell c
  LEFT JOIN webhook_cursor u ON u.endpoint_id = e.endpoint_id AND u.cell = c.cell
 WHERE e.state <> 'revoked' AND (u.notice_count IS NULL OR u.notice_count > c.notice_count)
 LIMIT %(most)s;

-- name: audit_webhook_lanes
-- Find deliveries that wait without a lane, and lanes without a delivery that waits.
SELECT (coalesce(d.customer_id, l.customer_id) & 255)::smallint AS cell, 'webhook_lane' AS table_name,
       'endpoint_id ' || coalesce(d.endpoint_id, l.endpoint_id) || ', customer_id ' || coalesce(d.customer_id, l.customer_id)
           AS row_name,
       CASE WHEN l.endpoint_id IS NULL THEN 'it is missing, and deliveries wait' ELSE 'nothing waits in it' END AS message
  FROM (SELECT DISTINCT endpoint_id, customer_id FROM webhook_delivery WHERE state = 'pending') d
  FULL JOIN webhook_lane l ON l.endpoint_id = d.endpoint_id AND l.customer_id = d.customer_id
 WHERE d.endpoint_id IS NULL OR l.endpoint_id IS NULL
 LIMIT %(most)s;
