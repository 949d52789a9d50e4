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

-- The rewards that the distribution at `cutoff` owes to the open positions of some cells: of each, the one accrual
-- day that completed in the 24 hours up to it, if no act has settled that day already. The set-based twin of
-- earned_days, for the run: it reads positions and never writes them.
CREATE FUNCTION due_rewards(cutoff timestamptz, cell_from integer, cell_to integer)
    RETURNS TABLE (cell smallint, position_id bigint, product_id integer, credit_account bigint, day integer,
                   basis numeric, amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH rate AS MATERIALIZED (
        SELECT r.product_id, r.locked_revision, r.effective_at, r.until_at, r.amount_from, r.amount_to, r.apr, a.unit
          FROM rate_span r
          JOIN product o ON o.product_id = r.product_id
          JOIN asset a ON a.asset_id = o.asset_id
    ), due AS (
        SELECT p.cell, p.position_id, p.product_id, p.locked_revision, p.reward_account, p.started_at, p.principal,
               p.tier_offset, p.anchor_days, p.anchor_basis, full_days(p.started_at, $1) AS day
          FROM position p
         WHERE p.cell BETWEEN $2 AND $3 AND p.ended_at IS NULL AND p.parked_days IS NULL
           AND full_days(p.started_at, $1) > p.anchor_days
           AND (p.term_days IS NULL OR full_days(p.started_at, $1) <= p.term_days)
    ), earned AS (
        SELECT d.cell, d.position_id, d.product_id, d.reward_account, d.day, r.unit,
               d.anchor_basis + sum(days_at_rate(d.started_at, r.effective_at, r.until_at, d.anchor_days, d.day - 1)
                   * amount_in_tier(d.principal, d.tier_offset, r.amount_from, r.amount_to) * r.apr) AS basis_before,
               d.anchor_basis + sum(days_at_rate(d.started_at, r.effective_at, r.until_at, d.anchor_days, d.day)
                   * amount_in_tier(d.principal, d.tier_offset, r.amount_from, r.amount_to) * r.apr) AS basis
          FROM due d
          JOIN rate r ON r.product_id = d.product_id AND r.locked_revision = d.locked_revision
         GROUP BY d.cell, d.position_id, d.product_id, d.reward_account, d.day, d.anchor_basis, r.unit
    )
    SELECT e.cell, e.position_id, e.product_id, e.reward_account, e.day, e.basis,
           paid_by(e.basis, e.unit) - paid_by(e.basis_before, e.unit)
      FROM earned e;
END;

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

GRANT SELECT, INSERT ON reward, forfeited_reward, run, run_plan, run_piece, run_total, parked_position TO staddle_app;
GRANT SELECT ON reward_piece TO staddle_app;
GRANT UPDATE (state, held_because, released_by, finished_at, planned_at) ON run TO staddle_app;
GRANT DELETE ON run_plan TO staddle_app;
GRANT UPDATE (amount, reason, parked_at, retried_at) ON parked_position TO staddle_app;
