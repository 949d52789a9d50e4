-- Rewards and the runs that pay them.

-- A reward row is itself a transfer in compact form: from the cell's reward expense to `credit_account`, for the one
-- accrual day of the position that completed in the 24 hours up to the distribution of `run_on`. Every position
-- completes exactly one day in those 24 hours, so (cell, position_id, run_on) is the position-day.
CREATE TABLE reward (
    credit_account bigint NOT NULL,
    position_id bigint NOT NULL,
    run_on date NOT NULL,
    cell smallint NOT NULL,
    is_early boolean NOT NULL,
    is_late boolean NOT NULL DEFAULT false,
    amount numeric NOT NULL,
    basis numeric NOT NULL,
    CONSTRAINT a_reward_is_positive CHECK (amount > 0),
    CONSTRAINT only_an_act_pays_a_reward_late CHECK (is_early OR NOT is_late),
    CONSTRAINT a_reward_lies_in_its_cell CHECK ((position_id & 255) = cell AND (account_customer(credit_account) & 255) = cell),
    CONSTRAINT a_reward_is_declared_in_the_chart CHECK (account_kind(credit_account) IN (2, 4)),
    CONSTRAINT a_reward_has_the_scale_of_its_asset CHECK (scale(trim_scale(amount)) <= account_scale(credit_account))
) PARTITION BY RANGE (run_on);
COMMENT ON COLUMN reward.is_early IS 'settled by an act (a redemption, a maturity) rather than by the run';
COMMENT ON COLUMN reward.is_late IS 'paid by an act after the run of its day had passed the cell by: the position was parked';
COMMENT ON COLUMN reward.basis IS 'the sum S of the rules through this day: amount = paid_by(S) less what was paid before';

-- What is hashed of a reward in the seal of its run date: all of it.
CREATE FUNCTION sealed_line(r reward) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat_ws('|', r.position_id, r.credit_account, r.is_early, r.is_late, trim_scale(r.amount), trim_scale(r.basis));

-- Each day is a partition, cut by cells on large desks; a piece is what one transaction of the run fills. Until the
-- run fills it, a piece holds only what acts settled, each kept unique by a small index; then, in the transaction of
-- the run, it gets the index over all its rows. Building it after the rows costs half of keeping it while they come.
CREATE TABLE reward_piece (
    run_on date NOT NULL,
    cell_from smallint NOT NULL,
    cell_to smallint NOT NULL,
    name text NOT NULL UNIQUE,
    is_filled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (run_on, cell_from),
    CONSTRAINT a_piece_has_cells CHECK (cell_from BETWEEN 0 AND 255 AND cell_to BETWEEN cell_from AND 255)
);

CREATE FUNCTION open_reward_day(run_on date, piece_count integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
DECLARE
    day_name text := 'reward_' || to_char(run_on, 'YYYY_MM_DD');
    piece_name text;
    width integer := 256 / piece_count;
BEGIN
    IF piece_count NOT IN (1, 2, 4, 8, 16, 32) THEN
        RAISE EXCEPTION 'a day has 1, 2, 4, 8, 16 or 32 pieces, not %', piece_count;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('open_reward_day'));
    IF EXISTS (SELECT FROM reward_piece p WHERE p.run_on = open_reward_day.run_on) THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE reward INCLUDING CONSTRAINTS INCLUDING DEFAULTS) %s', day_name,
                   CASE WHEN piece_count > 1 THEN 'PARTITION BY RANGE (cell)' ELSE '' END);
    FOR piece IN 0 .. piece_count - 1 LOOP
        piece_name := day_name || CASE WHEN piece_count > 1 THEN '_' || piece ELSE '' END;
        IF piece_count > 1 THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                           piece_name, day_name, piece * width, (piece + 1) * width);
        END IF;
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (cell, position_id, run_on) WHERE is_early',
                       'early_' || piece_name, piece_name);
        EXECUTE format('GRANT SELECT, INSERT ON %I TO staddle_app', piece_name);
        INSERT INTO reward_piece (run_on, cell_from, cell_to, name)
        VALUES (run_on, piece * width, (piece + 1) * width - 1, piece_name);
    END LOOP;
    EXECUTE format('GRANT SELECT, INSERT ON %I TO staddle_app', day_name);
    EXECUTE format('ALTER TABLE reward ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   day_name, run_on, run_on + 1);
END
$$;

-- Proves, in the transaction that filled the piece, that no position-day is paid twice (rule 19).
CREATE FUNCTION close_reward_piece(run_on date, cell_from smallint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
DECLARE
    piece_name text;
BEGIN
    UPDATE reward_piece p SET is_filled = true
     WHERE p.run_on = close_reward_piece.run_on AND p.cell_from = close_reward_piece.cell_from AND NOT p.is_filled
    RETURNING name INTO piece_name;
    IF piece_name IS NULL THEN
        RAISE EXCEPTION 'the piece % of % is not open', cell_from, run_on;
    END IF;
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (cell, position_id, run_on)', 'once_' || piece_name, piece_name);
END
$$;

REVOKE EXECUTE ON FUNCTION open_reward_day, close_reward_piece FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_reward_day, close_reward_piece TO staddle_app;

-- A forfeiture is linked to each reward that it takes back (rule 24).
CREATE TABLE forfeited_reward (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    run_on date NOT NULL,
    transfer_id bigint NOT NULL,
    amount numeric NOT NULL CHECK (amount > 0),
    CONSTRAINT a_reward_is_forfeited_once PRIMARY KEY (cell, position_id, run_on)
);

CREATE TABLE run (
    run_on date PRIMARY KEY,
    distributed_at timestamptz NOT NULL UNIQUE,
    state text NOT NULL CHECK (state IN ('held', 'released', 'executing', 'finished')),
    held_because text,
    started_by text NOT NULL,
    released_by text,
    planned_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT a_held_run_says_why CHECK (state <> 'held' OR held_because IS NOT NULL),
    CONSTRAINT a_run_is_released_by_a_second_person CHECK (released_by <> started_by)
);

CREATE TABLE run_plan (
    run_on date NOT NULL REFERENCES run,
    product_id integer NOT NULL REFERENCES product,
    reward_count bigint NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (run_on, product_id)
);

-- How many rewards the plan worked out for each piece, so that the payment sees whether they are all still there.
CREATE TABLE run_due (
    run_on date NOT NULL REFERENCES run,
    cell_from smallint NOT NULL,
    reward_count bigint NOT NULL,
    PRIMARY KEY (run_on, cell_from)
);

-- What each piece of a run paid; its key lets a piece be paid once.
CREATE TABLE run_piece (
    run_on date NOT NULL REFERENCES run,
    cell_from smallint NOT NULL,
    cell_to smallint NOT NULL,
    reward_count bigint NOT NULL,
    parked_count bigint NOT NULL,
    CONSTRAINT a_piece_is_paid_once PRIMARY KEY (run_on, cell_from)
);

CREATE TABLE run_total (
    run_on date NOT NULL,
    cell_from smallint NOT NULL,
    product_id integer NOT NULL,
    reward_count bigint NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (run_on, cell_from, product_id),
    FOREIGN KEY (run_on, cell_from) REFERENCES run_piece
);

-- The calendar of the run: whole days since a fixed midnight, and the time of day that is left.
CREATE FUNCTION day_number(instant timestamptz) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN date_part('day', instant - '0001-01-01T00:00:00Z'::timestamptz)::integer;
CREATE FUNCTION time_of_day(instant timestamptz) RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (instant - '0001-01-01T00:00:00Z'::timestamptz) - make_interval(days => day_number(instant));

-- The rates as straight lines: x coins, filling the tiers from the bottom, earn x * apr + base in a day (undivided), by
-- the line of the band from `bound` on that x lies in. The bands of a product are cut at the bounds of all its revisions,
-- so that days under different revisions add up band by band. Before the first revision there is a line of nothing.
CREATE VIEW rate_line AS
    WITH rate AS (
        SELECT DISTINCT product_id, locked_revision, revision, effective_at FROM rate_span
        UNION ALL
        SELECT DISTINCT product_id, 0, 0, '0001-01-01T00:00:00Z'::timestamptz FROM rate_revision
    ), bound AS (
        SELECT product_id, amount_from AS bound FROM rate_tier
        UNION
        SELECT product_id, amount_to FROM rate_tier WHERE amount_to IS NOT NULL
        UNION
        SELECT product_id, 0 FROM rate_tier
    ), step AS (
        SELECT r.product_id, r.locked_revision, r.effective_at, b.bound, coalesce(t.apr, 0) AS apr,
               lag(coalesce(t.apr, 0), 1, 0::numeric)
                   OVER (PARTITION BY r.product_id, r.locked_revision, r.effective_at ORDER BY b.bound) AS apr_below
          FROM rate r
          JOIN bound b ON b.product_id = r.product_id
          LEFT JOIN rate_tier t ON t.product_id = r.product_id AND t.revision = r.revision
                               AND b.bound >= t.amount_from AND (t.amount_to IS NULL OR b.bound < t.amount_to)
    )
    SELECT product_id, locked_revision, effective_at, bound, apr,
           sum((apr_below - apr) * bound) OVER (PARTITION BY product_id, locked_revision, effective_at ORDER BY bound) AS base
      FROM step;

-- The lines, and their sums over all days before, so that what a position earned over any number of revisions is the
-- difference of two rows. A revision rules the accrual days from the date `from_day` on; for positions that started
-- earlier in the day than it took effect, that is the date after. So there is a row for each time of day `since` at which
-- any revision of the product took effect: it serves the positions that started from then until the next such time.
-- Rows are numbered in order of product, schedule, since, revision and band.
CREATE VIEW rate_stretch AS
    WITH since AS (
        SELECT DISTINCT product_id, locked_revision, time_of_day(effective_at) AS since FROM rate_line
    ), begun AS (
        SELECT l.product_id, l.locked_revision, s.since, l.effective_at, l.bound, l.apr, l.base,
               day_number(l.effective_at) + (time_of_day(l.effective_at) > s.since)::integer AS from_day
          FROM rate_line l
          JOIN since s ON s.product_id = l.product_id AND s.locked_revision = l.locked_revision
    ), counted AS (
        SELECT *, lead(from_day) OVER (PARTITION BY product_id, locked_revision, since, bound ORDER BY effective_at)
                  - from_day AS days
          FROM begun
    )
    SELECT product_id, locked_revision, since, effective_at, bound, from_day, apr, base,
           coalesce(sum(days * apr) OVER earlier, 0) AS apr_sum, coalesce(sum(days * base) OVER earlier, 0) AS base_sum,
           (row_number() OVER (ORDER BY product_id, locked_revision, since, effective_at, bound))::integer AS number
      FROM counted
    WINDOW earlier AS (PARTITION BY product_id, locked_revision, since, bound ORDER BY effective_at
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);

-- What x coins would have earned on all days before a date, by a row of rate_stretch that rules that date or the day before.
CREATE FUNCTION basis_before(
    day_number integer, x numeric, from_day integer, apr numeric, base numeric, apr_sum numeric, base_sum numeric
) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN x * (apr_sum + (day_number - from_day) * apr) + base_sum + (day_number - from_day) * base;

-- The rewards that the distribution at `cutoff` owes to the open positions of some cells: of each, the one accrual
-- day that completed in the 24 hours up to it, if no act has settled that day already. The set-based twin of
-- earned_days, for the run: it reads positions and never writes them, and looks each up in rate_stretch four times at
-- most, however many revisions and tiers there are: the line of its top and, if it stands on older principal, of its
-- bottom, on its first unsettled day and on its last. OFFSET 0 keeps a step's figures from being worked out again in the
-- next one.
CREATE FUNCTION due_rewards(cutoff timestamptz, cell_from integer, cell_to integer)
    RETURNS TABLE (cell smallint, position_id bigint, product_id integer, credit_account bigint, day integer,
                   basis numeric, amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH stretch AS MATERIALIZED (
        SELECT * FROM rate_stretch
    ), schedule AS MATERIALIZED (
        SELECT s.product_id, s.locked_revision, a.unit, 365 * a.unit AS divisor, min(s.number) AS number,
               array_agg(DISTINCT s.since) AS sinces, count(DISTINCT s.since)::integer AS since_count,
               array_agg(DISTINCT s.effective_at) AS effective_ats, count(DISTINCT s.effective_at)::integer AS rate_count,
               array_agg(DISTINCT s.bound) AS bounds, count(DISTINCT s.bound)::integer AS band_count
          FROM stretch s
          JOIN product o ON o.product_id = s.product_id
          JOIN asset a ON a.asset_id = o.asset_id
         GROUP BY s.product_id, s.locked_revision, a.unit
    ), due AS (
        SELECT p.cell, p.position_id, p.product_id, p.locked_revision, p.reward_account, p.started_at, p.term_days,
               p.principal, p.tier_offset, p.anchor_days, p.anchor_basis, full_days(p.started_at, $1) AS day
          FROM position p
         WHERE p.cell BETWEEN $2 AND $3 AND p.ended_at IS NULL AND p.parked_days IS NULL
        OFFSET 0
    ), placed AS (
        SELECT d.cell, d.position_id, d.product_id, d.reward_account, d.started_at, d.day, d.anchor_days, d.anchor_basis,
               d.tier_offset, CASE WHEN d.tier_offset = 0 THEN d.principal ELSE d.tier_offset + d.principal END AS top,
               s.unit, s.divisor, s.band_count,
               s.number + CASE WHEN s.since_count = 1 THEN 0
                               ELSE (width_bucket(time_of_day(d.started_at), s.sinces) - 1) * s.rate_count * s.band_count
                          END AS number,
               CASE WHEN s.rate_count = 1 THEN 0
                    ELSE width_bucket(d.started_at + make_interval(hours => 24 * d.anchor_days), s.effective_ats) - 1
               END AS first_rate,
               CASE WHEN s.rate_count = 1 THEN 0
                    ELSE width_bucket(d.started_at + make_interval(hours => 24 * (d.day - 1)), s.effective_ats) - 1
               END AS last_rate,
               CASE WHEN s.band_count = 1 THEN 0
                    ELSE width_bucket(d.tier_offset + d.principal, s.bounds) - 1 END AS top_band,
               CASE WHEN d.tier_offset > 0 THEN width_bucket(d.tier_offset, s.bounds) - 1 END AS offset_band
          FROM due d
          JOIN schedule s ON s.product_id = d.product_id AND s.locked_revision = d.locked_revision
         WHERE d.day > d.anchor_days AND (d.term_days IS NULL OR d.day <= d.term_days)
        OFFSET 0
    ), rated AS (
        SELECT p.cell, p.position_id, p.product_id, p.reward_account, p.day, p.anchor_days, p.anchor_basis, p.unit, p.divisor,
               p.top * l.apr + l.base
               - CASE WHEN p.offset_band IS NULL THEN 0 ELSE p.tier_offset * lo.apr + lo.base END AS day_basis,
               CASE WHEN p.first_rate <> p.last_rate THEN
                   basis_before(day_number(p.started_at) + p.day, p.top, l.from_day, l.apr, l.base, l.apr_sum, l.base_sum)
                   - basis_before(day_number(p.started_at) + p.anchor_days, p.top,
                                  f.from_day, f.apr, f.base, f.apr_sum, f.base_sum)
                   - CASE WHEN p.offset_band IS NULL THEN 0 ELSE
                         basis_before(day_number(p.started_at) + p.day, p.tier_offset,
                                      lo.from_day, lo.apr, lo.base, lo.apr_sum, lo.base_sum)
                         - basis_before(day_number(p.started_at) + p.anchor_days, p.tier_offset,
                                        fo.from_day, fo.apr, fo.base, fo.apr_sum, fo.base_sum)
                     END
               END AS days_basis
          FROM placed p
          JOIN stretch f ON f.number = p.number + p.first_rate * p.band_count + p.top_band
          JOIN stretch l ON l.number = p.number + p.last_rate * p.band_count + p.top_band
          LEFT JOIN stretch fo ON fo.number = p.number + p.first_rate * p.band_count + p.offset_band
          LEFT JOIN stretch lo ON lo.number = p.number + p.last_rate * p.band_count + p.offset_band
        OFFSET 0
    ), earned AS (
        SELECT r.cell, r.position_id, r.product_id, r.reward_account, r.day, r.unit, r.divisor, r.day_basis,
               r.anchor_basis + coalesce(r.days_basis, (r.day - r.anchor_days) * r.day_basis) AS basis
          FROM rated r
        OFFSET 0
    )
    SELECT e.cell, e.position_id, e.product_id, e.reward_account, e.day, e.basis,
           (div(e.basis, e.divisor) - div(e.basis - e.day_basis, e.divisor)) * e.unit
      FROM earned e;
END;

-- What the run that was planned last owes to each position, worked out once by the plan and paid from here. It keeps no
-- log (each part of it is UNLOGGED): after a crash of the server it is empty, and a piece that is not paid yet works its
-- part out again.
CREATE TABLE due_reward (
    credit_account bigint NOT NULL,
    position_id bigint NOT NULL,
    product_id integer NOT NULL,
    cell smallint NOT NULL,
    amount numeric NOT NULL,
    basis numeric NOT NULL
) PARTITION BY RANGE (cell);
DO $$
BEGIN
    FOR part IN 0 .. 15 LOOP
        EXECUTE format('CREATE UNLOGGED TABLE due_reward_%s PARTITION OF due_reward FOR VALUES FROM (%s) TO (%s)',
                       part, part * 16, (part + 1) * 16);
        EXECUTE format('GRANT SELECT, INSERT, TRUNCATE ON due_reward_%s TO staddle_app', part);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, TRUNCATE ON due_reward TO staddle_app;

CREATE TABLE parked_position (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    run_on date NOT NULL,
    amount numeric NOT NULL,
    reason text NOT NULL,
    parked_at timestamptz NOT NULL,
    retried_at timestamptz,
    PRIMARY KEY (cell, position_id, run_on)
);

GRANT SELECT, INSERT ON reward, forfeited_reward, run, run_plan, run_due, run_piece, run_total, parked_position TO staddle_app;
GRANT SELECT ON reward_piece, rate_line, rate_stretch TO staddle_app;
GRANT UPDATE (state, held_because, released_by, finished_at, planned_at) ON run TO staddle_app;
GRANT DELETE ON run_plan, run_due TO staddle_app;
GRANT UPDATE (amount, reason, parked_at, retried_at) ON parked_position TO staddle_app;
