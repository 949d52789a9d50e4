-- The desk itself: its settings and clock, the people who work it, what needs a second person, what they did.

CREATE TABLE desk (
    is_the_only_one boolean PRIMARY KEY DEFAULT true CHECK (is_the_only_one),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    is_sandbox boolean NOT NULL,
    clock_at timestamptz,
    distribution_time time NOT NULL,
    run_change_max numeric NOT NULL CHECK (run_change_max > 0),
    runway_days_min integer NOT NULL CHECK (runway_days_min >= 0),
    created_at timestamptz NOT NULL,
    CONSTRAINT only_a_sandbox_has_a_clock_of_its_own CHECK (is_sandbox = (clock_at IS NOT NULL))
);
COMMENT ON COLUMN desk.run_change_max IS 'a run whose total differs from the last by more than this fraction waits for a second person';

CREATE TABLE operator (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9._-]{0,39}$'),
    added_at timestamptz NOT NULL
);

CREATE TABLE approval (
    approval_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    act text NOT NULL,
    subject text NOT NULL,
    request json NOT NULL,
    basis text NOT NULL,
    asked_by text NOT NULL REFERENCES operator,
    asked_at timestamptz NOT NULL,
    decided_by text REFERENCES operator,
    decided_at timestamptz,
    decision text CHECK (decision IN ('approved', 'declined')),
    CONSTRAINT nobody_approves_their_own_request CHECK (decision <> 'approved' OR decided_by <> asked_by),
    CONSTRAINT a_decision_has_a_person_and_an_instant
        CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL))
);
COMMENT ON COLUMN approval.basis IS 'what the request was made upon; if it has changed, the request is stale';

CREATE TABLE desk_log (
    log_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    details json NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT statement_timestamp()
);

GRANT SELECT, INSERT ON desk, operator, approval, desk_log TO staddle_app;
GRANT UPDATE (clock_at, run_change_max, runway_days_min) ON desk TO staddle_app;
GRANT UPDATE (decided_by, decided_at, decision) ON approval TO staddle_app;
