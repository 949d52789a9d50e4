-- Two people: what both of them are shown, and a log that nobody edits unseen.

-- What a request changes and what comes of it, as it was when it was asked for. The second person is shown this very
-- row, so nobody has the right to change it.
CREATE TABLE approval_effect (
    approval_id integer PRIMARY KEY REFERENCES approval,
    difference json NOT NULL,
    effect json NOT NULL
);
COMMENT ON COLUMN approval_effect.difference IS 'field by field, before and after';
COMMENT ON COLUMN approval_effect.effect IS 'figures before and after: cost per day, customers, principal, runway';

CREATE INDEX approval_waiting ON approval (act, subject) WHERE decision IS NULL;

CREATE INDEX desk_log_of_operator ON desk_log (operator, log_id);
CREATE INDEX desk_log_of_act ON desk_log (act, log_id);
CREATE INDEX desk_log_of_subject ON desk_log (subject, log_id);
CREATE INDEX desk_log_by_instant ON desk_log (effective_at, log_id);

-- The hash chain of the log: one link for each entry, in the order in which they were sealed. That is not quite the
-- order of their numbers, which have gaps, and of which a smaller one may be committed after a larger one.
CREATE TABLE desk_log_seal (
    number integer PRIMARY KEY CHECK (number > 0),
    log_id integer NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    CONSTRAINT a_log_entry_is_sealed_once UNIQUE (log_id)
);

-- What is hashed of an entry: everything but recorded_at, as with transfers.
CREATE FUNCTION log_line(l desk_log) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat_ws('|', l.log_id, length(l.operator), l.operator, length(l.act), l.act, length(l.subject), l.subject,
                     (extract(epoch FROM l.effective_at) * 1000000)::bigint, l.details);

-- The hash of a link: of the one before it, of what it says about itself, and of the entry.
CREATE FUNCTION log_seal_hash(previous_hash bytea, number integer, sealed_at timestamptz, line text) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256($1 || convert_to(
        concat_ws('|', $2, (extract(epoch FROM $3) * 1000000)::bigint) || chr(10) || $4, 'UTF8'));

GRANT SELECT, INSERT ON approval_effect, desk_log_seal TO staddle_app;
