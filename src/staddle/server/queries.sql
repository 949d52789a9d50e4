-- name: take_turn
-- Wait until no other process answers many requests at once, and have it so until this transaction ends.
SELECT pg_advisory_xact_lock(hashtext('batch'));

-- name: have_leader
-- Have the one row that says who keeps the schedule.
INSERT INTO leader (holder, beat) VALUES ('', 0) ON CONFLICT (is_the_only_one) DO NOTHING;

-- name: leader
-- Read who keeps the schedule, and how often they have said so.
SELECT holder, beat FROM leader;

-- name: leader_seen
-- Read who keeps the schedule, and when they last counted.
SELECT holder, recorded_at FROM leader;

-- name: beat
-- Say that we still keep the schedule; no row when somebody else has taken it over.
UPDATE leader SET beat = beat + 1, recorded_at = DEFAULT WHERE holder = %(holder)s RETURNING beat;

-- name: take_over
-- Put oneself in the place of a leader who has not moved since.
UPDATE leader
   SET holder = %(holder)s, beat = beat + 1, recorded_at = DEFAULT
 WHERE holder = %(seen_holder)s AND beat = %(seen_beat)s
RETURNING beat;

-- name: fence
-- Cut off whatever an earlier leader still has under way, so that it holds nothing that we need.
SELECT pg_terminate_backend(pid)
  FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = %(name)s AND pid <> pg_backend_pid();

-- name: as_owner
-- Do the rest of this transaction as who we signed in as, who may end sessions of the same name.
SELECT set_config('role', 'none', true);

-- name: step_down
-- Leave the schedule to the next one who looks.
UPDATE leader SET holder = '', beat = beat + 1 WHERE holder = %(holder)s;

-- name: jobs
-- Read what the schedule has come to.
SELECT name, done_at, done_by, failed_at, failures, error, mark FROM job ORDER BY name;

-- name: job_done
-- Note that a job was done.
INSERT INTO job (name, done_at, done_by, mark)
VALUES (%(name)s, %(machine_now)s, %(by)s, %(mark)s)
    ON CONFLICT (name) DO UPDATE
   SET done_at = excluded.done_at, done_by = excluded.done_by, failures = 0, error = NULL,
       mark = coalesce(excluded.mark, job.mark);

-- name: job_failed
-- Note that a job has failed; gives how often it has since it was last done.
INSERT INTO job (name, failed_at, failures, error)
VALUES (%(name)s, %(machine_now)s, 1, %(error)s)
    ON CONFLICT (name) DO UPDATE
   SET failed_at = excluded.failed_at, failures = job.failures + 1, error = excluded.error
RETURNING failures;

-- name: ask_task
-- Ask for some work, unless the same is asked for already and not done.
INSERT INTO task (kind, subject, asked_by, asked_at)
VALUES (%(kind)s, %(subject)s, %(by)s, %(machine_now)s)
    ON CONFLICT (kind, subject) WHERE finished_at IS NULL DO NOTHING
RETURNING task_id;

-- name: task
-- Read one task with its result.
SELECT task_id, kind, subject, asked_by, asked_at, begun_by, begun_at, begun_count, progress, finished_at, outcome, result
  FROM task
 WHERE task_id = %(task_id)s;

-- name: open_task
-- Find the task that asks for some work and is not done.
SELECT task_id FROM task WHERE kind = %(kind)s AND subject = %(subject)s AND finished_at IS NULL;

-- name: tasks
-- List tasks without their results, newest first, before one of them, of some kinds and about one subject or any.
SELECT task_id, kind, subject, asked_by, asked_at, begun_by, begun_at, begun_count, progress, finished_at, outcome,
       NULL AS result
  FROM task
 WHERE (%(before)s::int IS NULL OR task_id < %(before)s::int) AND kind = ANY(%(kinds)s::text[])
   AND (%(subject)s::text IS NULL OR subject = %(subject)s::text)
   AND (finished_at IS NULL OR NOT %(is_open)s)
 ORDER BY task_id DESC
 LIMIT %(count)s;

-- name: last_result
-- Read the newest task of a kind about a subject that was done.
SELECT task_id, kind, subject, asked_by, asked_at, begun_by, begun_at, begun_count, progress, finished_at, outcome, result
  FROM task
 WHERE kind = %(kind)s AND subject = %(subject)s AND outcome = 'done'
 ORDER BY task_id DESC
 LIMIT 1;

-- name: begin_task
-- Take the oldest task of some kinds that is not done; whoever had begun it is gone, for one process leads.
UPDATE task
   SET begun_by = %(by)s, begun_at = %(machine_now)s, progress = NULL,
       begun_count = begun_count + (begun_by IS DISTINCT FROM %(by)s)::int
 WHERE task_id = (SELECT min(t.task_id) FROM task t WHERE t.finished_at IS NULL AND t.kind = ANY(%(kinds)s::text[]))
RETURNING task_id, kind, subject, asked_by, asked_at, begun_by, begun_at, begun_count, progress, finished_at, outcome, result;

-- name: tell_task
-- Write down how far a task is, if it is still ours.
UPDATE task SET progress = %(progress)s::json
 WHERE task_id = %(task_id)s AND begun_by = %(by)s AND finished_at IS NULL;

-- name: finish_task
-- Write down what came of a task, if it is still ours.
UPDATE task SET finished_at = %(machine_now)s, outcome = %(outcome)s, result = %(result)s::json
 WHERE task_id = %(task_id)s AND begun_by = %(by)s AND finished_at IS NULL;

-- name: next_maturity
-- Find the earliest maturity that has not been noticed yet: the first entry of the index in each cell.
SELECT min(m.matures_at) AS matures_at
  FROM cell c
 CROSS JOIN LATERAL (
       SELECT p.matures_at
         FROM position p
        WHERE p.cell = c.cell AND p.ended_at IS NULL AND p.term_days IS NOT NULL AND p.parked_days IS NULL
        ORDER BY p.matures_at
        LIMIT 1) m;

-- name: revisions_begun
-- Find the revisions that took effect in a span of time, and whether holders were told of each.
SELECT p.code, r.product_id, r.revision, r.effective_at,
       EXISTS (SELECT FROM notice n
                WHERE n.cell = 0 AND n.customer_id = 0 AND n.kind = 'rate_revised' AND n.body ->> 'product' = p.code
                  AND n.body ->> 'revision' = r.revision::text) AS is_told
  FROM rate_revision r
  JOIN product p ON p.product_id = r.product_id
 WHERE r.effective_at > %(after)s AND r.effective_at <= %(now)s
 ORDER BY r.effective_at, r.product_id;

-- name: forget_quotes
-- Forget quotes that expired long ago: nobody can confirm them, and what was confirmed stands in the answers.
DELETE FROM quote WHERE cell = %(cell)s AND expires_at < %(before)s;

-- name: figures
-- Read what those who run the service watch: the newest run, what waits for people, how far webhooks are behind.
SELECT extract(epoch FROM %(now)s::timestamptz - (SELECT min(watermark_at) FROM cell)) AS run_lag_seconds,
       (SELECT count(*) FROM reward_piece p WHERE p.run_on = n.run_on) AS run_pieces,
       (SELECT count(*) FROM run_piece p WHERE p.run_on = n.run_on) AS run_pieces_paid,
       (SELECT count(*) FROM run r WHERE r.run_on = n.run_on AND r.state = 'held') AS run_is_held,
       (SELECT count(*) FROM approval WHERE decision IS NULL) AS approvals_waiting,
       coalesce(extract(epoch FROM %(machine_now)s::timestamptz - (
           SELECT min(l.due_at)
             FROM webhook_endpoint e
             JOIN webhook_lane l ON l.endpoint_id = e.endpoint_id AND l.due_at <= %(machine_now)s
            WHERE e.state = 'enabled')), 0) AS webhook_lag_seconds,
       coalesce((SELECT max(b.behind)
                   FROM (SELECT sum(c.notice_count - w.notice_count) AS behind
                           FROM webhook_endpoint e
                           JOIN webhook_cursor w ON w.endpoint_id = e.endpoint_id
                           JOIN cell c ON c.cell = w.cell
                          WHERE e.state = 'enabled'
                          GROUP BY e.endpoint_id) b), 0) AS webhook_notices_behind,
       (SELECT count(*) FROM (SELECT FROM webhook_delivery WHERE state = 'pending' LIMIT 10000) d) AS webhooks_pending,
       (SELECT count(*) FROM (SELECT FROM webhook_delivery WHERE state = 'dead' LIMIT 10000) d) AS webhooks_dead
  FROM (SELECT max(run_on) AS run_on FROM run) n;

-- name: alarm_counts
-- Count open alarms by kind.
SELECT kind, count(*) AS count FROM alarm WHERE cleared_at IS NULL GROUP BY kind;

-- name: weigh
-- Add a request's weight to what its address has spent on an endpoint in a minute.
INSERT INTO request_weight AS w (address, endpoint, minute, weight)
VALUES (%(address)s, %(endpoint)s, %(minute)s, %(weight)s)
    ON CONFLICT (address, endpoint) DO UPDATE
   SET weight = CASE WHEN w.minute = excluded.minute THEN w.weight + excluded.weight ELSE excluded.weight END,
       minute = excluded.minute
RETURNING weight;

-- name: take_request_turn
-- Note that a customer asks an endpoint; no row where they did so too lately by another request.
INSERT INTO request_turn AS t (customer_id, endpoint, request_key, taken_at)
VALUES (%(customer_id)s, %(endpoint)s, %(key)s, %(now)s)
    ON CONFLICT (customer_id, endpoint) DO UPDATE
   SET request_key = excluded.request_key, taken_at = excluded.taken_at
 WHERE t.taken_at <= %(before)s OR t.request_key = excluded.request_key
RETURNING taken_at;

-- name: forget_weights
-- Forget the weights of minutes that are long over.
DELETE FROM request_weight WHERE minute < %(before)s;

-- name: forget_turns
-- Forget turns that keep nobody waiting.
DELETE FROM request_turn WHERE taken_at < %(before)s;
