-- What makes the daily run fast; decision 0018 has the figures.

-- The same sum as sum() gives, kept as a number instead of a ledger of digits: half the time where there are very many
-- groups of a few rows each.
CREATE AGGREGATE add_up(numeric) (SFUNC = numeric_add, STYPE = numeric, COMBINEFUNC = numeric_add, PARALLEL = SAFE);

-- How many rewards the plan worked out for each piece, and their sum, by product: what the payment of the piece is held
-- against before it is committed.
DROP TABLE run_due;
CREATE TABLE run_due (
    run_on date NOT NULL REFERENCES run,
    cell_from smallint NOT NULL,
    product_id integer NOT NULL REFERENCES product,
    reward_count bigint NOT NULL,
    amount numeric NOT NULL,
    PRIMARY KEY (run_on, cell_from, product_id)
);
GRANT SELECT, INSERT, DELETE ON run_due TO staddle_app;

-- A run that was interrupted before this migration goes on after it.
INSERT INTO run_due (run_on, cell_from, product_id, reward_count, amount)
SELECT p.run_on, p.cell_from, d.product_id, count(*), sum(d.amount)
  FROM run r
  JOIN reward_piece p ON p.run_on = r.run_on
  JOIN due_reward d ON d.cell BETWEEN p.cell_from AND p.cell_to
 WHERE r.state <> 'finished'
 GROUP BY p.run_on, p.cell_from, d.product_id;

-- Proves, in the transaction that filled the piece, that no position-day is paid twice (rule 19). The position comes
-- first in the index, for its id tells any two rows apart; sorting by cell first would compare every two rows twice.
CREATE OR REPLACE FUNCTION close_reward_piece(run_on date, cell_from smallint) RETURNS void
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
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (position_id, cell, run_on)', 'once_' || piece_name, piece_name);
END
$$;

-- The rewards that the distribution at `cutoff` owes to the open positions of some cells: of each, the one accrual
-- day that completed in the 24 hours up to it, if no act has settled that day already. The set-based twin of
-- earned_days, for the run: it reads positions and never writes them, and looks each up in `stretch` once, or twice if it
-- stands on older principal, however many revisions and tiers there are.
--
-- Days are counted back from the distribution: an instant x lies on day -1 in the 24 hours up to the cutoff, on day -2 in
-- the 24 hours before, and `phase`, from just over 0 to 24 hours, says where in its day. A position keeps its phase from
-- day to day; the last day it is paid for began on day -2, so its days are numbered from anchor_days - day - 1 to -2. A
-- revision rules the days from the one on which it took effect, for positions of a smaller phase from the next: so the
-- positions of a schedule fall into classes, from the phase of one revision to the next, and `stretch` has rows for each.
-- `apr_sum` is such that apr_sum + n * apr is the sum of the rates of all days before day n; what x coins earned on days
-- under more than one revision is then x * (apr_grown - n * first_apr), where n is the first of these days; and the same
-- for what a band adds (`base`, see rate_line). A position that began when the last rate was in force has only known
-- that one, which is settled without asking for its class.
--
-- OFFSET 0 keeps a step's figures from being worked out again in the next one.
CREATE OR REPLACE FUNCTION due_rewards(cutoff timestamptz, cell_from integer, cell_to integer)
    RETURNS TABLE (cell smallint, position_id bigint, product_id integer, credit_account bigint, day integer,
                   basis numeric, amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH line AS (
        SELECT l.product_id, l.locked_revision, l.effective_at, l.bound, l.apr, l.base,
               -1 - full_days(l.effective_at, $1) AS day,
               CASE WHEN l.effective_at = '0001-01-01T00:00:00Z'::timestamptz THEN make_interval()
                    ELSE make_interval(days => 1 + full_days(l.effective_at, $1)) - ($1 - l.effective_at) END AS phase
          FROM rate_line l
         WHERE l.effective_at <= $1 - make_interval(hours => 24)
    ), since AS (
        SELECT DISTINCT l.product_id, l.locked_revision, l.phase FROM line l
    ), begun AS (
        SELECT l.product_id, l.locked_revision, s.phase, l.effective_at, l.bound, l.apr, l.base,
               l.day + (l.phase > s.phase)::integer AS from_day
          FROM line l
          JOIN since s ON s.product_id = l.product_id AND s.locked_revision = l.locked_revision
    ), counted AS (
        SELECT b.*, lead(b.from_day) OVER (PARTITION BY b.product_id, b.locked_revision, b.phase, b.bound
                                               ORDER BY b.effective_at) - b.from_day AS days
          FROM begun b
    ), summed AS (
        SELECT c.*, coalesce(sum(c.days * c.apr) OVER earlier, 0) - c.from_day * c.apr AS apr_sum,
               coalesce(sum(c.days * c.base) OVER earlier, 0) - c.from_day * c.base AS base_sum
          FROM counted c
        WINDOW earlier AS (PARTITION BY c.product_id, c.locked_revision, c.phase, c.bound ORDER BY c.effective_at
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), last AS (
        SELECT DISTINCT ON (s.product_id, s.locked_revision, s.phase, s.bound) s.*
          FROM summed s
         WHERE s.from_day < -1
         ORDER BY s.product_id, s.locked_revision, s.phase, s.bound, s.effective_at DESC
    ), stretch AS MATERIALIZED (
        SELECT f.product_id, f.locked_revision, f.phase, f.effective_at, f.bound, l.apr, nullif(l.base, 0) AS base,
               CASE WHEN f.effective_at < l.effective_at THEN l.apr_sum - l.apr - f.apr_sum END AS apr_grown,
               l.base_sum - l.base - f.base_sum AS base_grown, f.apr AS first_apr, f.base AS first_base,
               (row_number() OVER (ORDER BY f.product_id, f.locked_revision, f.phase, f.effective_at, f.bound))::integer
                   AS number
          FROM summed f
          JOIN last l ON l.product_id = f.product_id AND l.locked_revision = f.locked_revision AND l.phase = f.phase
                     AND l.bound = f.bound
    ), schedule AS MATERIALIZED (
        SELECT s.product_id, s.locked_revision, a.unit, 365 * a.unit AS divisor, min(s.number) AS number,
               array_agg(DISTINCT s.phase) AS phases,
               array_agg(DISTINCT s.effective_at) AS effective_ats, count(DISTINCT s.effective_at)::integer AS rate_count,
               array_agg(DISTINCT s.bound) AS bounds, count(DISTINCT s.bound)::integer AS band_count,
               max(s.effective_at) AS settled_at, (max(s.number) - count(DISTINCT s.bound))::integer + 1 AS settled_number
          FROM stretch s
          JOIN product o ON o.product_id = s.product_id
          JOIN asset a ON a.asset_id = o.asset_id
         GROUP BY s.product_id, s.locked_revision, a.unit
    ), placed AS (
        SELECT d.cell, d.position_id, d.product_id, d.reward_account, full_days(d.started_at, $1) AS day, d.anchor_days,
               d.anchor_basis, d.tier_offset, s.unit, s.divisor,
               CASE WHEN d.started_at >= s.settled_at THEN s.settled_number
                    ELSE s.number + s.band_count * (
                        (width_bucket(make_interval(days => full_days(d.started_at, $1) + 1) - ($1 - d.started_at), s.phases) - 1)
                        * s.rate_count
                        + width_bucket(d.started_at + make_interval(hours => 24 * d.anchor_days), s.effective_ats) - 1)
               END AS number,
               CASE WHEN s.band_count = 1 OR d.tier_offset = 0 THEN d.principal ELSE d.tier_offset + d.principal END AS top,
               CASE WHEN s.band_count = 1 THEN 0 ELSE width_bucket(d.tier_offset + d.principal, s.bounds) - 1 END AS top_band,
               CASE WHEN s.band_count > 1 AND d.tier_offset > 0 THEN width_bucket(d.tier_offset, s.bounds) - 1
               END AS offset_band
          FROM position d
          JOIN schedule s ON s.product_id = d.product_id AND s.locked_revision = d.locked_revision
         WHERE d.cell BETWEEN $2 AND $3 AND d.ended_at IS NULL AND d.parked_days IS NULL
           AND CASE d.anchor_days WHEN 0 THEN d.started_at ELSE d.started_at + make_interval(hours => 24 * d.anchor_days) END
               <= $1 - make_interval(hours => 24)
           AND (d.matures_at IS NULL OR d.matures_at > $1 - make_interval(hours => 24))
        OFFSET 0
    ), rated AS (
        SELECT p.cell, p.position_id, p.product_id, p.reward_account, p.day, p.anchor_days, p.anchor_basis, p.unit, p.divisor,
               CASE WHEN p.offset_band IS NOT NULL
                    THEN p.top * h.apr + coalesce(h.base, 0) - (p.tier_offset * l.apr + coalesce(l.base, 0))
                    WHEN h.base IS NULL THEN p.top * h.apr
                    ELSE p.top * h.apr + h.base END AS day_basis,
               CASE WHEN h.apr_grown IS NOT NULL
                    THEN p.top * (h.apr_grown - (p.anchor_days - p.day - 1) * h.first_apr)
                         + h.base_grown - (p.anchor_days - p.day - 1) * h.first_base
                         - CASE WHEN p.offset_band IS NULL THEN 0
                                ELSE p.tier_offset * (l.apr_grown - (p.anchor_days - p.day - 1) * l.first_apr)
                                     + l.base_grown - (p.anchor_days - p.day - 1) * l.first_base END
               END AS days_basis
          FROM placed p
          JOIN stretch h ON h.number = p.number + p.top_band
          LEFT JOIN stretch l ON l.number = p.number + p.offset_band
        OFFSET 0
    ), earned AS (
        SELECT r.cell, r.position_id, r.product_id, r.reward_account, r.day, r.unit, r.divisor, r.day_basis,
               CASE r.anchor_days WHEN 0 THEN coalesce(r.days_basis, r.day * r.day_basis)
                    ELSE r.anchor_basis + coalesce(r.days_basis, (r.day - r.anchor_days) * r.day_basis) END AS basis
          FROM rated r
        OFFSET 0
    ), paid AS (
        SELECT e.cell, e.position_id, e.product_id, e.reward_account, e.day, e.basis,
               (div(e.basis, e.divisor) - div(e.basis - e.day_basis, e.divisor)) * e.unit AS amount
          FROM earned e
        OFFSET 0
    )
    SELECT p.cell, p.position_id, p.product_id, p.reward_account, p.day, p.basis, p.amount
      FROM paid p;
END;

DROP VIEW rate_stretch;
DROP FUNCTION basis_before(integer, numeric, integer, numeric, numeric, numeric, numeric);
DROP FUNCTION time_of_day(timestamptz);
DROP FUNCTION day_number(timestamptz);
