-- Runs that people pause, who executed them, work that is asked for from a page, and two more limits of the desk.

ALTER TABLE run
    ADD COLUMN paused_by text,
    ADD COLUMN paused_because text,
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN limits json,
    DROP CONSTRAINT run_state_check,
    ADD CONSTRAINT run_state_check CHECK (state IN ('held', 'released', 'executing', 'paused', 'finished')),
    ADD CONSTRAINT a_paused_run_says_by_whom_and_why
        CHECK ((state = 'paused') = (paused_by IS NOT NULL) AND (paused_by IS NULL) = (paused_because IS NULL)
               AND (paused_by IS NULL) = (paused_at IS NULL));
COMMENT ON COLUMN run.limits IS 'each limit with its figures, as they stood when the run was planned';
GRANT UPDATE (paused_by, paused_because, paused_at, limits) ON run TO staddle_app;

-- Every time that a process executes a run, and how it ended. Whoever executes it holds an advisory lock named after the
-- attempt for as long as it lives; one that has no end and whose lock is free was interrupted.
CREATE TABLE run_attempt (
    run_on date NOT NULL,
    attempt integer NOT NULL CHECK (attempt > 0),
    process text NOT NULL,
    started_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (run_on, attempt)
);

CREATE TABLE run_attempt_end (
    run_on date NOT NULL,
    attempt integer NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('finished', 'held', 'paused', 'stopped', 'failed', 'interrupted')),
    pieces_paid integer NOT NULL,
    pieces integer NOT NULL,
    details text,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (run_on, attempt),
    FOREIGN KEY (run_on, attempt) REFERENCES run_attempt
);
COMMENT ON COLUMN run_attempt_end.pieces_paid IS 'pieces of the run that were paid when the attempt ended, those of earlier attempts too';
GRANT SELECT, INSERT ON run_attempt, run_attempt_end TO staddle_app;

-- Work that somebody asked for and that the leader of the schedule does. `begun_count` is more than 1 where it was taken
-- up again after the process that had begun it was gone. Instants are the machine's.
CREATE TABLE task (
    task_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('run', 'catch_up', 'audit', 'plan')),
    subject text NOT NULL CHECK (length(subject) <= 40),
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    begun_by text,
    begun_at timestamptz,
    begun_count integer NOT NULL DEFAULT 0 CHECK (begun_count >= 0),
    progress json,
    finished_at timestamptz,
    outcome text CHECK (outcome IN ('done', 'waits', 'failed')),
    result json,
    CONSTRAINT a_finished_task_has_an_outcome CHECK ((finished_at IS NULL) = (outcome IS NULL))
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX the_same_work_is_asked_for_once ON task (kind, subject) WHERE finished_at IS NULL;
CREATE INDEX task_of_kind ON task (kind, task_id);
GRANT SELECT, INSERT ON task TO staddle_app;
GRANT UPDATE (begun_by, begun_at, begun_count, progress, finished_at, outcome, result) ON task TO staddle_app;

-- When the leader last counted, by the database's clock, so that a page can say whether anybody keeps the schedule.
ALTER TABLE leader ADD COLUMN
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp();
GRANT UPDATE (recorded_at) ON leader TO staddle_app;

-- What customers redeemed by their own wish, by instant, to be held against what is usual.
CREATE INDEX redemption_by_instant ON transfer (effective_at) INCLUDE (debit_account, amount)
    WHERE kind = 'redemption' AND request_key NOT LIKE 'maturity:%';

ALTER TABLE desk
    ADD COLUMN redemptions_times_max numeric NOT NULL DEFAULT 5 CHECK (redemptions_times_max > 1),
    ADD COLUMN redemptions_share_max numeric NOT NULL DEFAULT 0.1
        CHECK (redemptions_share_max > 0 AND redemptions_share_max <= 1);
COMMENT ON COLUMN desk.redemptions_times_max IS 'more redemptions in 24 hours than so many times the average of the 30 days before are unusual';
COMMENT ON COLUMN desk.redemptions_share_max IS 'more redemptions in 24 hours than this fraction of what is staked are unusual';
GRANT UPDATE (redemptions_times_max, redemptions_share_max) ON desk TO staddle_app;
