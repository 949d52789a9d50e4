-- Alarms, the schedule's own notes, and where the rates of floating products are read.

-- What somebody must look at: once for each kind and subject while it is open. Never a word of it reaches customers,
-- which is why alarms are no notices.
CREATE TABLE alarm (
    alarm_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    details json NOT NULL,
    raised_at timestamptz NOT NULL,
    cleared_at timestamptz,
    cleared_by text
);
CREATE UNIQUE INDEX an_alarm_is_open_once ON alarm (kind, subject) WHERE cleared_at IS NULL;
COMMENT ON COLUMN alarm.cleared_by IS 'the operator who cleared it by hand; empty where the cause itself was found to be gone';

-- Which of many processes keeps the schedule. The one that does counts `beat` up; another that has watched it stand
-- still for long enough, by its own clock, puts itself in its place. No two clocks are ever compared.
CREATE TABLE leader (
    is_the_only_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_only_one),
    holder text NOT NULL,
    beat bigint NOT NULL
) WITH (fillfactor = 20);

-- What the schedule has come to: of each job the last time that it was done, and how often it has failed since.
-- `mark` is what a job must remember from one time to the next. The instants are those of the machine's clock.
CREATE TABLE job (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z_]{0,39}$'),
    done_at timestamptz,
    done_by text,
    failed_at timestamptz,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    error text,
    mark text
);

-- Where the rate of a floating product is read (rule 33): set by one operator, approved by another, kept when it ends.
CREATE TABLE rate_source (
    source_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id integer NOT NULL REFERENCES product,
    kind text NOT NULL CHECK (kind IN ('json', 'solana', 'ethereum_beacon', 'cosmos')),
    url text NOT NULL CHECK (length(url) BETWEEN 1 AND 500),
    figure_path text,
    time_path text,
    is_percent boolean NOT NULL,
    desk_share numeric NOT NULL CHECK (desk_share BETWEEN 0 AND 1),
    apr_min numeric NOT NULL CHECK (apr_min >= 0),
    apr_max numeric NOT NULL CHECK (apr_max <= 100),
    step_max numeric NOT NULL CHECK (step_max > 0),
    stale_hours integer NOT NULL CHECK (stale_hours BETWEEN 1 AND 8760),
    set_by text NOT NULL REFERENCES operator,
    approved_by text NOT NULL REFERENCES operator,
    approved_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by text REFERENCES operator,
    CONSTRAINT a_rate_source_is_approved_by_a_second_person CHECK (approved_by <> set_by),
    CONSTRAINT a_rate_source_has_bounds CHECK (apr_min <= apr_max),
    CONSTRAINT a_path_goes_with_a_feed CHECK ((kind = 'json') = (figure_path IS NOT NULL)
        AND (kind = 'json' OR (time_path IS NULL AND NOT is_percent))),
    CONSTRAINT an_ended_source_says_by_whom CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX a_product_follows_one_source ON rate_source (product_id) WHERE ended_at IS NULL;
COMMENT ON COLUMN rate_source.desk_share IS 'the part of the network''s rate that the desk keeps';
COMMENT ON COLUMN rate_source.step_max IS 'the most that a rate may change by itself from one day to the next, as an APR';

-- What was read, word for word, and what became of it. Append-only.
CREATE TABLE rate_reading (
    reading_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id integer NOT NULL REFERENCES rate_source,
    product_id integer NOT NULL REFERENCES product,
    distributed_at timestamptz NOT NULL,
    read_at timestamptz NOT NULL,
    figure_at timestamptz,
    figures text NOT NULL CHECK (length(figures) BETWEEN 1 AND 1000),
    network_apr numeric NOT NULL CHECK (network_apr >= 0),
    apr numeric NOT NULL CHECK (apr >= 0 AND scale(apr) <= 6),
    document_hash bytea NOT NULL CHECK (length(document_hash) = 32),
    outcome text NOT NULL CHECK (outcome IN ('published', 'unchanged', 'held')),
    held_because text,
    CONSTRAINT a_held_reading_says_why CHECK ((outcome = 'held') = (held_because IS NOT NULL))
);
CREATE UNIQUE INDEX a_source_revises_a_rate_once_a_day ON rate_reading (product_id, distributed_at)
    WHERE outcome = 'published';
CREATE INDEX reading_of_product ON rate_reading (product_id, reading_id);
COMMENT ON COLUMN rate_reading.distributed_at IS 'the distribution from which on the rate is to be in force';
COMMENT ON COLUMN rate_reading.figure_at IS 'of when the network''s figures are, by the source''s own word';
COMMENT ON COLUMN rate_reading.document_hash IS 'SHA-256 of all that the source answered';

-- Revisions that a source has caused are proposed by this name. It belongs to nobody and can do nothing else.
ALTER TABLE operator ADD CONSTRAINT the_rate_source_is_no_person CHECK (name <> 'rate-source' OR NOT is_active);

GRANT SELECT, INSERT ON alarm, leader, job, rate_source, rate_reading TO staddle_app;
GRANT UPDATE (details, cleared_at, cleared_by) ON alarm TO staddle_app;
GRANT UPDATE (holder, beat) ON leader TO staddle_app;
GRANT UPDATE (done_at, done_by, failed_at, failures, error, mark) ON job TO staddle_app;
GRANT UPDATE (ended_at, ended_by) ON rate_source TO staddle_app;
-- A quote that has expired is of no use to anybody: what was confirmed stands in the answers.
GRANT DELETE ON quote TO staddle_app;
