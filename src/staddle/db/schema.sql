-- The sum of the migrations, written by `make schema`. The role staddle_app must exist.
SET check_function_bodies = false;

CREATE TYPE public.transfer_kind AS ENUM (
    'deposit',
    'withdrawal',
    'transfer',
    'subscription',
    'redemption',
    'accrued_payout',
    'forfeiture',
    'pool_funding',
    'pool_withdrawal',
    'income_to_pool',
    'correction'
);

CREATE FUNCTION public.account_asset(account_id bigint) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((account_id >> 9) & (1023)::bigint))::smallint;

CREATE FUNCTION public.account_customer(account_id bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (account_id >> 19);

CREATE FUNCTION public.account_kind(account_id bigint) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((account_id & (15)::bigint))::integer;

CREATE FUNCTION public.account_of(customer_id bigint, asset_id smallint, scale smallint, kind integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ((((customer_id << 19) | ((asset_id)::bigint << 9)) | ((scale)::bigint << 4)) | (kind)::bigint);

CREATE FUNCTION public.account_scale(account_id bigint) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((account_id >> 4) & (31)::bigint))::integer;

CREATE FUNCTION public.amount_in_tier(principal numeric, tier_offset numeric, amount_from numeric, amount_to numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN GREATEST((0)::numeric, (LEAST((tier_offset + principal), amount_to) - GREATEST(tier_offset, amount_from)));

CREATE FUNCTION public.days_begun_before(started_at timestamp with time zone, instant timestamp with time zone) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (instant > started_at) THEN (date_part('day'::text, justify_hours(((instant - started_at) + '23:59:59.999999'::interval))))::integer ELSE 0 END;

CREATE FUNCTION public.days_at_rate(started_at timestamp with time zone, effective_at timestamp with time zone, until_at timestamp with time zone, first integer, last integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN GREATEST(0, (LEAST(last, public.days_begun_before(started_at, until_at)) - GREATEST(first, public.days_begun_before(started_at, effective_at))));

CREATE TABLE public.rate_revision (
    product_id integer NOT NULL,
    revision integer NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    published_at timestamp with time zone NOT NULL,
    proposed_by text NOT NULL,
    approved_by text NOT NULL,
    reading text,
    CONSTRAINT a_rate_is_approved_by_a_second_person CHECK ((approved_by <> proposed_by)),
    CONSTRAINT a_rate_is_never_backdated CHECK ((effective_at >= published_at)),
    CONSTRAINT rate_revision_revision_check CHECK ((revision > 0))
);

CREATE TABLE public.rate_tier (
    product_id integer NOT NULL,
    revision integer NOT NULL,
    amount_from numeric NOT NULL,
    amount_to numeric,
    apr numeric NOT NULL,
    CONSTRAINT rate_tier_amount_from_check CHECK ((amount_from >= (0)::numeric)),
    CONSTRAINT rate_tier_apr_check CHECK (((apr >= (0)::numeric) AND (apr <= (100)::numeric) AND (scale(apr) <= 12))),
    CONSTRAINT rate_tier_check CHECK ((amount_to > amount_from))
);

CREATE VIEW public.rate_span AS
 SELECT r.product_id,
    0 AS locked_revision,
    r.revision,
    r.effective_at,
    r.until_at,
    t.amount_from,
    t.amount_to,
    t.apr
   FROM (( SELECT rate_revision.product_id,
            rate_revision.revision,
            rate_revision.effective_at,
            lead(rate_revision.effective_at, 1, '9999-01-01 00:00:00+00'::timestamp with time zone) OVER (PARTITION BY rate_revision.product_id ORDER BY rate_revision.effective_at) AS until_at
           FROM public.rate_revision) r
     JOIN public.rate_tier t ON (((t.product_id = r.product_id) AND (t.revision = r.revision))))
UNION ALL
 SELECT r.product_id,
    r.revision AS locked_revision,
    r.revision,
    '0001-01-01 00:00:00+00'::timestamp with time zone AS effective_at,
    '9999-01-01 00:00:00+00'::timestamp with time zone AS until_at,
    t.amount_from,
    t.amount_to,
    t.apr
   FROM (public.rate_revision r
     JOIN public.rate_tier t ON (((t.product_id = r.product_id) AND (t.revision = r.revision))));

CREATE FUNCTION public.basis_after(product_id integer, locked_revision integer, started_at timestamp with time zone, principal numeric, tier_offset numeric, anchor_days integer, anchor_basis numeric, days integer) RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT (basis_after.anchor_basis + COALESCE(sum((((public.days_at_rate(basis_after.started_at, r.effective_at, r.until_at, basis_after.anchor_days, basis_after.days))::numeric * public.amount_in_tier(basis_after.principal, basis_after.tier_offset, r.amount_from, r.amount_to)) * r.apr)), (0)::numeric))
    FROM public.rate_span r
   WHERE ((r.product_id = basis_after.product_id) AND (r.locked_revision = basis_after.locked_revision));
END;

CREATE FUNCTION public.close_reward_piece(run_on date, cell_from smallint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.full_days(started_at timestamp with time zone, until timestamp with time zone) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (until > started_at) THEN (date_part('day'::text, (until - started_at)))::integer ELSE 0 END;

CREATE FUNCTION public.days_paid(started_at timestamp with time zone, term_days integer, anchor_days integer, parked_days integer, watermark_at timestamp with time zone) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE(parked_days, GREATEST(anchor_days, LEAST(public.full_days(started_at, watermark_at), term_days)));

CREATE TABLE public.asset (
    asset_id smallint NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    scale smallint NOT NULL,
    unit numeric NOT NULL,
    CONSTRAINT asset_asset_id_check CHECK (((asset_id >= 1) AND (asset_id <= 1023))),
    CONSTRAINT asset_check CHECK (((unit * power((10)::numeric, (scale)::numeric)) = (1)::numeric)),
    CONSTRAINT asset_code_check CHECK ((code ~ '^[A-Z0-9]{1,12}$'::text)),
    CONSTRAINT asset_name_check CHECK (((length(name) >= 1) AND (length(name) <= 80))),
    CONSTRAINT asset_scale_check CHECK (((scale >= 0) AND (scale <= 18)))
);

COMMENT ON COLUMN public.asset.unit IS 'the smallest amount of the asset: 10 ** -scale';

CREATE TABLE public."position" (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    product_id integer NOT NULL,
    version integer NOT NULL,
    request_key text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    term_days integer,
    matures_at timestamp with time zone,
    opened_principal numeric NOT NULL,
    opened_offset numeric NOT NULL,
    locked_revision integer NOT NULL,
    reward_account bigint NOT NULL,
    agreement_version integer NOT NULL,
    renewed_from bigint,
    principal numeric NOT NULL,
    tier_offset numeric NOT NULL,
    anchor_days integer NOT NULL,
    anchor_basis numeric NOT NULL,
    parked_days integer,
    at_maturity text NOT NULL,
    redeem_to text NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    CONSTRAINT a_position_lies_in_its_customers_cell CHECK ((((position_id & (255)::bigint) = cell) AND ((customer_id & (255)::bigint) = cell))),
    CONSTRAINT a_position_never_grows CHECK (((principal <= opened_principal) AND (opened_principal > (0)::numeric))),
    CONSTRAINT a_term_has_one_maturity CHECK ((((term_days IS NULL) = (matures_at IS NULL)) AND ((matures_at - started_at) = make_interval(days => term_days)))),
    CONSTRAINT an_ended_position_holds_nothing CHECK ((((ended_at IS NULL) = (principal > (0)::numeric)) AND (principal >= (0)::numeric))),
    CONSTRAINT an_ended_position_says_how CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
    CONSTRAINT position_anchor_basis_check CHECK ((anchor_basis >= (0)::numeric)),
    CONSTRAINT position_anchor_days_check CHECK ((anchor_days >= 0)),
    CONSTRAINT position_at_maturity_check CHECK ((at_maturity = ANY (ARRAY['redeem'::text, 'renew'::text, 'to_flexible'::text]))),
    CONSTRAINT position_ended_by_check CHECK ((ended_by = ANY (ARRAY['redemption'::text, 'early_redemption'::text, 'maturity'::text, 'renewal'::text, 'to_flexible'::text]))),
    CONSTRAINT position_parked_days_check CHECK ((parked_days >= 0)),
    CONSTRAINT position_redeem_to_check CHECK ((redeem_to = ANY (ARRAY['spot'::text, 'funding'::text]))),
    CONSTRAINT position_term_days_check CHECK ((term_days > 0)),
    CONSTRAINT position_tier_offset_check CHECK ((tier_offset >= (0)::numeric)),
    CONSTRAINT rewards_go_to_funding_or_accrued CHECK ((((reward_account & (15)::bigint) = ANY (ARRAY[(2)::bigint, (4)::bigint])) AND ((reward_account >> 19) = customer_id)))
)
WITH (fillfactor='80');

COMMENT ON COLUMN public."position".tier_offset IS 'principal of the older positions in the holding: they fill the lower tiers first (rule 6)';

COMMENT ON COLUMN public."position".anchor_days IS 'accrual days settled when what the position earns last changed (rule 7)';

COMMENT ON COLUMN public."position".anchor_basis IS 'the undivided sum S of the rules over those days (rule 3)';

COMMENT ON COLUMN public."position".parked_days IS 'set while rewards cannot be paid: the days that were paid until then (rule 19)';

CREATE TABLE public.product (
    product_id integer NOT NULL,
    code text NOT NULL,
    asset_id smallint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    state text NOT NULL,
    version integer,
    subscribe_halt text,
    redeem_halt text,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT a_product_on_sale_has_terms CHECK (((state = ANY (ARRAY['draft'::text, 'discarded'::text])) OR (version IS NOT NULL))),
    CONSTRAINT product_code_check CHECK ((code ~ '^[A-Z0-9][A-Z0-9._~-]{0,39}$'::text)),
    CONSTRAINT product_kind_check CHECK ((kind = ANY (ARRAY['flexible'::text, 'fixed'::text]))),
    CONSTRAINT product_name_check CHECK (((length(name) >= 1) AND (length(name) <= 80))),
    CONSTRAINT product_product_id_check CHECK ((product_id > 0)),
    CONSTRAINT product_redeem_halt_check CHECK (((length(redeem_halt) >= 1) AND (length(redeem_halt) <= 300))),
    CONSTRAINT product_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'discarded'::text, 'live'::text, 'closed'::text, 'retired'::text]))),
    CONSTRAINT product_subscribe_halt_check CHECK (((length(subscribe_halt) >= 1) AND (length(subscribe_halt) <= 300)))
);

COMMENT ON COLUMN public.product.version IS 'the terms in force for new positions';

CREATE VIEW public.rate_line AS
 WITH rate AS (
         SELECT DISTINCT rate_span.product_id,
            rate_span.locked_revision,
            rate_span.revision,
            rate_span.effective_at
           FROM public.rate_span
        UNION ALL
         SELECT DISTINCT rate_revision.product_id,
            0,
            0,
            '0001-01-01 00:00:00+00'::timestamp with time zone AS timestamptz
           FROM public.rate_revision
        ), bound AS (
         SELECT rate_tier.product_id,
            rate_tier.amount_from AS bound
           FROM public.rate_tier
        UNION
         SELECT rate_tier.product_id,
            rate_tier.amount_to
           FROM public.rate_tier
          WHERE (rate_tier.amount_to IS NOT NULL)
        UNION
         SELECT rate_tier.product_id,
            0
           FROM public.rate_tier
        ), step AS (
         SELECT r.product_id,
            r.locked_revision,
            r.effective_at,
            b.bound,
            COALESCE(t.apr, (0)::numeric) AS apr,
            lag(COALESCE(t.apr, (0)::numeric), 1, (0)::numeric) OVER (PARTITION BY r.product_id, r.locked_revision, r.effective_at ORDER BY b.bound) AS apr_below
           FROM ((rate r
             JOIN bound b ON ((b.product_id = r.product_id)))
             LEFT JOIN public.rate_tier t ON (((t.product_id = r.product_id) AND (t.revision = r.revision) AND (b.bound >= t.amount_from) AND ((t.amount_to IS NULL) OR (b.bound < t.amount_to)))))
        )
 SELECT product_id,
    locked_revision,
    effective_at,
    bound,
    apr,
    sum(((apr_below - apr) * bound)) OVER (PARTITION BY product_id, locked_revision, effective_at ORDER BY bound) AS base
   FROM step;

CREATE FUNCTION public.due_rewards(cutoff timestamp with time zone, cell_from integer, cell_to integer) RETURNS TABLE(cell smallint, position_id bigint, product_id integer, credit_account bigint, day integer, basis numeric, amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 WITH line AS (
          SELECT l.product_id,
             l.locked_revision,
             l.effective_at,
             l.bound,
             l.apr,
             l.base,
             ('-1'::integer - public.full_days(l.effective_at, due_rewards.cutoff)) AS day,
                 CASE
                     WHEN (l.effective_at = '0001-01-01 00:00:00+00'::timestamp with time zone) THEN make_interval()
                     ELSE (make_interval(days => (1 + public.full_days(l.effective_at, due_rewards.cutoff))) - (due_rewards.cutoff - l.effective_at))
                 END AS phase
            FROM public.rate_line l
           WHERE (l.effective_at <= (due_rewards.cutoff - make_interval(hours => 24)))
         ), since AS (
          SELECT DISTINCT l.product_id,
             l.locked_revision,
             l.phase
            FROM line l
         ), begun AS (
          SELECT l.product_id,
             l.locked_revision,
             s.phase,
             l.effective_at,
             l.bound,
             l.apr,
             l.base,
             (l.day + ((l.phase > s.phase))::integer) AS from_day
            FROM (line l
              JOIN since s ON (((s.product_id = l.product_id) AND (s.locked_revision = l.locked_revision))))
         ), counted AS (
          SELECT b.product_id,
             b.locked_revision,
             b.phase,
             b.effective_at,
             b.bound,
             b.apr,
             b.base,
             b.from_day,
             (lead(b.from_day) OVER (PARTITION BY b.product_id, b.locked_revision, b.phase, b.bound ORDER BY b.effective_at) - b.from_day) AS days
            FROM begun b
         ), summed AS (
          SELECT c.product_id,
             c.locked_revision,
             c.phase,
             c.effective_at,
             c.bound,
             c.apr,
             c.base,
             c.from_day,
             c.days,
             (COALESCE(sum(((c.days)::numeric * c.apr)) OVER earlier, (0)::numeric) - ((c.from_day)::numeric * c.apr)) AS apr_sum,
             (COALESCE(sum(((c.days)::numeric * c.base)) OVER earlier, (0)::numeric) - ((c.from_day)::numeric * c.base)) AS base_sum
            FROM counted c
           WINDOW earlier AS (PARTITION BY c.product_id, c.locked_revision, c.phase, c.bound ORDER BY c.effective_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
         ), last AS (
          SELECT DISTINCT ON (s.product_id, s.locked_revision, s.phase, s.bound) s.product_id,
             s.locked_revision,
             s.phase,
             s.effective_at,
             s.bound,
             s.apr,
             s.base,
             s.from_day,
             s.days,
             s.apr_sum,
             s.base_sum
            FROM summed s
           WHERE (s.from_day < '-1'::integer)
           ORDER BY s.product_id, s.locked_revision, s.phase, s.bound, s.effective_at DESC
         ), stretch AS MATERIALIZED (
          SELECT f.product_id,
             f.locked_revision,
             f.phase,
             f.effective_at,
             f.bound,
             l.apr,
             NULLIF(l.base, (0)::numeric) AS base,
                 CASE
                     WHEN (f.effective_at < l.effective_at) THEN ((l.apr_sum - l.apr) - f.apr_sum)
                     ELSE NULL::numeric
                 END AS apr_grown,
             ((l.base_sum - l.base) - f.base_sum) AS base_grown,
             f.apr AS first_apr,
             f.base AS first_base,
             (row_number() OVER (ORDER BY f.product_id, f.locked_revision, f.phase, f.effective_at, f.bound))::integer AS number
            FROM (summed f
              JOIN last l ON (((l.product_id = f.product_id) AND (l.locked_revision = f.locked_revision) AND (l.phase = f.phase) AND (l.bound = f.bound))))
         ), schedule AS MATERIALIZED (
          SELECT s.product_id,
             s.locked_revision,
             a.unit,
             ((365)::numeric * a.unit) AS divisor,
             min(s.number) AS number,
             array_agg(DISTINCT s.phase) AS phases,
             array_agg(DISTINCT s.effective_at) AS effective_ats,
             (count(DISTINCT s.effective_at))::integer AS rate_count,
             array_agg(DISTINCT s.bound) AS bounds,
             (count(DISTINCT s.bound))::integer AS band_count,
             max(s.effective_at) AS settled_at,
             (((max(s.number) - count(DISTINCT s.bound)))::integer + 1) AS settled_number
            FROM ((stretch s
              JOIN public.product o ON ((o.product_id = s.product_id)))
              JOIN public.asset a ON ((a.asset_id = o.asset_id)))
           GROUP BY s.product_id, s.locked_revision, a.unit
         ), placed AS (
          SELECT d.cell,
             d.position_id,
             d.product_id,
             d.reward_account,
             public.full_days(d.started_at, due_rewards.cutoff) AS day,
             d.anchor_days,
             d.anchor_basis,
             d.tier_offset,
             s.unit,
             s.divisor,
                 CASE
                     WHEN (d.started_at >= s.settled_at) THEN s.settled_number
                     ELSE (s.number + (s.band_count * ((((width_bucket((make_interval(days => (public.full_days(d.started_at, due_rewards.cutoff) + 1)) - (due_rewards.cutoff - d.started_at)), s.phases) - 1) * s.rate_count) + width_bucket((d.started_at + make_interval(hours => (24 * d.anchor_days))), s.effective_ats)) - 1)))
                 END AS number,
                 CASE
                     WHEN ((s.band_count = 1) OR (d.tier_offset = (0)::numeric)) THEN d.principal
                     ELSE (d.tier_offset + d.principal)
                 END AS top,
                 CASE
                     WHEN (s.band_count = 1) THEN 0
                     ELSE (width_bucket((d.tier_offset + d.principal), s.bounds) - 1)
                 END AS top_band,
                 CASE
                     WHEN ((s.band_count > 1) AND (d.tier_offset > (0)::numeric)) THEN (width_bucket(d.tier_offset, s.bounds) - 1)
                     ELSE NULL::integer
                 END AS offset_band
            FROM (public."position" d
              JOIN schedule s ON (((s.product_id = d.product_id) AND (s.locked_revision = d.locked_revision))))
           WHERE ((d.cell >= due_rewards.cell_from) AND (d.cell <= due_rewards.cell_to) AND (d.ended_at IS NULL) AND (d.parked_days IS NULL) AND (
                 CASE d.anchor_days
                     WHEN 0 THEN d.started_at
                     ELSE (d.started_at + make_interval(hours => (24 * d.anchor_days)))
                 END <= (due_rewards.cutoff - make_interval(hours => 24))) AND ((d.matures_at IS NULL) OR (d.matures_at > (due_rewards.cutoff - make_interval(hours => 24)))))
          OFFSET 0
         ), rated AS (
          SELECT p_1.cell,
             p_1.position_id,
             p_1.product_id,
             p_1.reward_account,
             p_1.day,
             p_1.anchor_days,
             p_1.anchor_basis,
             p_1.unit,
             p_1.divisor,
                 CASE
                     WHEN (p_1.offset_band IS NOT NULL) THEN (((p_1.top * h.apr) + COALESCE(h.base, (0)::numeric)) - ((p_1.tier_offset * l.apr) + COALESCE(l.base, (0)::numeric)))
                     WHEN (h.base IS NULL) THEN (p_1.top * h.apr)
                     ELSE ((p_1.top * h.apr) + h.base)
                 END AS day_basis,
                 CASE
                     WHEN (h.apr_grown IS NOT NULL) THEN ((((p_1.top * (h.apr_grown - ((((p_1.anchor_days - p_1.day) - 1))::numeric * h.first_apr))) + h.base_grown) - ((((p_1.anchor_days - p_1.day) - 1))::numeric * h.first_base)) -
                     CASE
                         WHEN (p_1.offset_band IS NULL) THEN (0)::numeric
                         ELSE (((p_1.tier_offset * (l.apr_grown - ((((p_1.anchor_days - p_1.day) - 1))::numeric * l.first_apr))) + l.base_grown) - ((((p_1.anchor_days - p_1.day) - 1))::numeric * l.first_base))
                     END)
                     ELSE NULL::numeric
                 END AS days_basis
            FROM ((placed p_1
              JOIN stretch h ON ((h.number = (p_1.number + p_1.top_band))))
              LEFT JOIN stretch l ON ((l.number = (p_1.number + p_1.offset_band))))
          OFFSET 0
         ), earned AS (
          SELECT r.cell,
             r.position_id,
             r.product_id,
             r.reward_account,
             r.day,
             r.unit,
             r.divisor,
             r.day_basis,
                 CASE r.anchor_days
                     WHEN 0 THEN COALESCE(r.days_basis, ((r.day)::numeric * r.day_basis))
                     ELSE (r.anchor_basis + COALESCE(r.days_basis, (((r.day - r.anchor_days))::numeric * r.day_basis)))
                 END AS basis
            FROM rated r
          OFFSET 0
         ), paid AS (
          SELECT e.cell,
             e.position_id,
             e.product_id,
             e.reward_account,
             e.day,
             e.basis,
             ((div(e.basis, e.divisor) - div((e.basis - e.day_basis), e.divisor)) * e.unit) AS amount
            FROM earned e
          OFFSET 0
         )
  SELECT p.cell,
     p.position_id,
     p.product_id,
     p.reward_account,
     p.day,
     p.basis,
     p.amount
    FROM paid p;
END;

CREATE FUNCTION public.paid_by(basis numeric, unit numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (div(basis, ((365)::numeric * unit)) * unit);

CREATE FUNCTION public.earned_days(product_id integer, locked_revision integer, started_at timestamp with time zone, principal numeric, tier_offset numeric, anchor_days integer, anchor_basis numeric, unit numeric, first integer, last integer) RETURNS TABLE(day integer, basis numeric, amount numeric)
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT b.day,
     b.basis,
     (public.paid_by(b.basis, earned_days.unit) - lag(public.paid_by(b.basis, earned_days.unit), 1, public.paid_by(b.basis, earned_days.unit)) OVER (ORDER BY b.day))
    FROM ( SELECT d.day,
             public.basis_after(earned_days.product_id, earned_days.locked_revision, earned_days.started_at, earned_days.principal, earned_days.tier_offset, earned_days.anchor_days, earned_days.anchor_basis, d.day) AS basis
            FROM generate_series(earned_days.first, earned_days.last) d(day)) b;
END;

CREATE TABLE public.desk_log (
    log_id integer NOT NULL,
    operator text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    details json NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL
);

CREATE FUNCTION public.log_line(l public.desk_log) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat_ws('|'::text, (l).log_id, length((l).operator), (l).operator, length((l).act), (l).act, length((l).subject), (l).subject, ((EXTRACT(epoch FROM (l).effective_at) * (1000000)::numeric))::bigint, (l).details);

CREATE FUNCTION public.log_seal_hash(previous_hash bytea, number integer, sealed_at timestamp with time zone, line text) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256((previous_hash || convert_to(((concat_ws('|'::text, number, ((EXTRACT(epoch FROM sealed_at) * (1000000)::numeric))::bigint) || chr(10)) || line), 'UTF8'::name)));

CREATE FUNCTION public.open_reward_day(run_on date, piece_count integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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
    EXECUTE format('CREATE TABLE %I (LIKE reward INCLUDING CONSTRAINTS INCLUDING DEFAULTS INCLUDING STORAGE) %s', day_name,
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

CREATE FUNCTION public.run_on_of(completed_at timestamp with time zone, distribution_time time without time zone) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (((((completed_at AT TIME ZONE 'UTC'::text) - (distribution_time)::interval) - '00:00:00.000001'::interval))::date + 1);

CREATE FUNCTION public.seal_hash(cell smallint, number integer, covers text, first_transfer bigint, last_transfer bigint, run_on date, late_positions bigint[], row_count integer, previous_hash bytea, sealed_at timestamp with time zone, lines text) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256((previous_hash || convert_to(((concat_ws('|'::text, cell, number, covers, COALESCE(first_transfer, (0)::bigint), COALESCE(last_transfer, (0)::bigint), COALESCE(to_char((run_on)::timestamp with time zone, 'YYYY-MM-DD'::text), ''::text), COALESCE(array_to_string(late_positions, ','::text), ''::text), row_count, ((EXTRACT(epoch FROM sealed_at) * (1000000)::numeric))::bigint) || chr(10)) || lines), 'UTF8'::name)));

CREATE TABLE public.reward (
    credit_account bigint NOT NULL,
    position_id bigint NOT NULL,
    run_on date NOT NULL,
    cell smallint NOT NULL,
    is_early boolean NOT NULL,
    is_late boolean DEFAULT false NOT NULL,
    amount numeric NOT NULL,
    basis numeric NOT NULL,
    CONSTRAINT a_reward_has_the_scale_of_its_asset CHECK ((scale(trim_scale(amount)) <= public.account_scale(credit_account))),
    CONSTRAINT a_reward_is_declared_in_the_chart CHECK ((public.account_kind(credit_account) = ANY (ARRAY[2, 4]))),
    CONSTRAINT a_reward_is_positive CHECK ((amount > (0)::numeric)),
    CONSTRAINT a_reward_lies_in_its_cell CHECK ((((position_id & (255)::bigint) = cell) AND ((public.account_customer(credit_account) & (255)::bigint) = cell))),
    CONSTRAINT only_an_act_pays_a_reward_late CHECK ((is_early OR (NOT is_late)))
)
PARTITION BY RANGE (run_on);
ALTER TABLE ONLY public.reward ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.reward ALTER COLUMN basis SET STORAGE PLAIN;

COMMENT ON COLUMN public.reward.is_early IS 'settled by an act (a redemption, a maturity) rather than by the run';

COMMENT ON COLUMN public.reward.is_late IS 'paid by an act after the run of its day had passed the cell by: the position was parked';

COMMENT ON COLUMN public.reward.basis IS 'the sum S of the rules through this day: amount = paid_by(S) less what was paid before';

CREATE FUNCTION public.sealed_line(r public.reward) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat_ws('|'::text, (r).position_id, (r).credit_account, (r).is_early, (r).is_late, trim_scale((r).amount), trim_scale((r).basis));

CREATE TABLE public.transfer (
    cell smallint NOT NULL,
    transfer_id bigint NOT NULL,
    act_id bigint NOT NULL,
    kind public.transfer_kind NOT NULL,
    customer_id bigint NOT NULL,
    debit_account bigint NOT NULL,
    credit_account bigint NOT NULL,
    amount numeric NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    request_key text NOT NULL,
    position_id bigint,
    corrects bigint,
    CONSTRAINT a_correction_names_what_it_corrects CHECK (((kind = 'correction'::public.transfer_kind) = (corrects IS NOT NULL))),
    CONSTRAINT a_transfer_has_the_scale_of_its_asset CHECK ((scale(trim_scale(amount)) <= ((debit_account >> 4) & (31)::bigint))),
    CONSTRAINT a_transfer_is_declared_in_the_chart CHECK (((((debit_account & (15)::bigint) * 100) + (credit_account & (15)::bigint)) = ANY (
CASE kind
    WHEN 'deposit'::public.transfer_kind THEN '{801,802}'::bigint[]
    WHEN 'withdrawal'::public.transfer_kind THEN '{108,208}'::bigint[]
    WHEN 'transfer'::public.transfer_kind THEN '{102,201}'::bigint[]
    WHEN 'subscription'::public.transfer_kind THEN '{103,203}'::bigint[]
    WHEN 'redemption'::public.transfer_kind THEN '{301,302}'::bigint[]
    WHEN 'accrued_payout'::public.transfer_kind THEN '{402}'::bigint[]
    WHEN 'forfeiture'::public.transfer_kind THEN '{311,411}'::bigint[]
    WHEN 'pool_funding'::public.transfer_kind THEN '{810}'::bigint[]
    WHEN 'pool_withdrawal'::public.transfer_kind THEN '{1008}'::bigint[]
    WHEN 'income_to_pool'::public.transfer_kind THEN '{1110}'::bigint[]
    WHEN 'correction'::public.transfer_kind THEN '{108,208,801,802,1008,810}'::bigint[]
    ELSE '{}'::bigint[]
END))),
    CONSTRAINT a_transfer_moves_a_positive_amount CHECK ((amount > (0)::numeric)),
    CONSTRAINT a_transfer_stays_within_its_cell CHECK ((((transfer_id & (255)::bigint) = cell) AND ((customer_id = 0) OR ((customer_id & (255)::bigint) = cell)))),
    CONSTRAINT a_transfer_stays_within_one_asset CHECK ((((debit_account # credit_account) & (524272)::bigint) = 0)),
    CONSTRAINT a_transfer_stays_within_one_customer_and_the_house CHECK (((((debit_account >> 19) = 0) OR ((debit_account >> 19) = customer_id)) AND (((credit_account >> 19) = 0) OR ((credit_account >> 19) = customer_id))))
);

CREATE FUNCTION public.sealed_line(t public.transfer) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN concat_ws('|'::text, (t).transfer_id, (t).act_id, (t).kind, (t).customer_id, (t).debit_account, (t).credit_account, trim_scale((t).amount), ((EXTRACT(epoch FROM (t).effective_at) * (1000000)::numeric))::bigint, COALESCE((t).position_id, (0)::bigint), COALESCE((t).corrects, (0)::bigint), length((t).request_key), (t).request_key);

CREATE AGGREGATE public.add_up(numeric) (
    SFUNC = numeric_add,
    STYPE = numeric,
    COMBINEFUNC = numeric_add,
    PARALLEL = safe
);

CREATE TABLE public.access_token (
    token_hash bytea NOT NULL,
    client_id text NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.agreement (
    version integer NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    published_by text NOT NULL,
    published_at timestamp with time zone NOT NULL,
    CONSTRAINT agreement_body_check CHECK ((length(body) > 0)),
    CONSTRAINT agreement_title_check CHECK (((length(title) >= 1) AND (length(title) <= 200))),
    CONSTRAINT agreement_version_check CHECK ((version > 0))
);

CREATE TABLE public.alarm (
    alarm_id integer NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    details json NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    cleared_at timestamp with time zone,
    cleared_by text,
    CONSTRAINT alarm_kind_check CHECK ((kind ~ '^[a-z][a-z_]{0,39}$'::text)),
    CONSTRAINT alarm_subject_check CHECK (((length(subject) >= 1) AND (length(subject) <= 200)))
);

COMMENT ON COLUMN public.alarm.cleared_by IS 'the operator who cleared it by hand; empty where the cause itself was found to be gone';

ALTER TABLE public.alarm ALTER COLUMN alarm_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alarm_alarm_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.announced (
    subject text NOT NULL,
    standing text NOT NULL,
    announced_at timestamp with time zone NOT NULL
);

CREATE TABLE public.api_key (
    api_key_id text NOT NULL,
    customer_id bigint NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    secret_hash bytea,
    public_key bytea,
    sealed_secret bytea,
    scopes text[] NOT NULL,
    addresses cidr[] NOT NULL,
    expires_at timestamp with time zone,
    added_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    last_used_from inet,
    revoked_at timestamp with time zone,
    agreement_version integer,
    CONSTRAINT an_api_key_has_known_scopes CHECK (((scopes <@ ARRAY['read'::text, 'subscribe'::text, 'redeem'::text, 'transfer'::text]) AND (cardinality(scopes) > 0))),
    CONSTRAINT an_api_key_keeps_what_its_kind_needs CHECK ((((kind = 'bearer'::text) = (secret_hash IS NOT NULL)) AND ((kind = ANY (ARRAY['rsa'::text, 'ed25519'::text])) = (public_key IS NOT NULL)) AND ((kind = 'hmac'::text) = (sealed_secret IS NOT NULL)))),
    CONSTRAINT api_key_kind_check CHECK ((kind = ANY (ARRAY['bearer'::text, 'hmac'::text, 'rsa'::text, 'ed25519'::text]))),
    CONSTRAINT api_key_name_check CHECK (((length(name) >= 1) AND (length(name) <= 80)))
);

COMMENT ON COLUMN public.api_key.agreement_version IS 'accepted for every subscription by this key that cannot name it itself';

CREATE TABLE public.approval (
    approval_id integer NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    request json NOT NULL,
    basis text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    decision text,
    CONSTRAINT a_decision_has_a_person_and_an_instant CHECK ((((decision IS NULL) = (decided_by IS NULL)) AND ((decision IS NULL) = (decided_at IS NULL)))),
    CONSTRAINT approval_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'declined'::text]))),
    CONSTRAINT nobody_approves_their_own_request CHECK (((decision <> 'approved'::text) OR (decided_by <> asked_by)))
);

COMMENT ON COLUMN public.approval.basis IS 'what the request was made upon; if it has changed, the request is stale';

ALTER TABLE public.approval ALTER COLUMN approval_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.approval_approval_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.approval_effect (
    approval_id integer NOT NULL,
    difference json NOT NULL,
    effect json NOT NULL
);

COMMENT ON COLUMN public.approval_effect.difference IS 'field by field, before and after';

COMMENT ON COLUMN public.approval_effect.effect IS 'figures before and after: cost per day, customers, principal, runway';

CREATE TABLE public.asset_price (
    asset_id smallint NOT NULL,
    quote text NOT NULL,
    price numeric NOT NULL,
    priced_at timestamp with time zone NOT NULL,
    set_by text NOT NULL,
    CONSTRAINT asset_price_price_check CHECK (((price > (0)::numeric) AND (price < ('1000000000000'::bigint)::numeric))),
    CONSTRAINT asset_price_quote_check CHECK ((quote ~ '^[A-Z]{3,10}$'::text))
);

COMMENT ON TABLE public.asset_price IS 'what a coin is worth in a quote currency; an estimate that is only shown';

COMMENT ON COLUMN public.asset_price.price IS 'how much of the quote currency one whole coin is worth';

COMMENT ON COLUMN public.asset_price.priced_at IS 'when the coin had this price, on the desk''s clock';

CREATE TABLE public.auto_subscription (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    asset_id smallint NOT NULL,
    product_id integer NOT NULL,
    source text NOT NULL,
    floor numeric NOT NULL,
    agreement_version integer NOT NULL,
    is_on boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT auto_subscription_floor_check CHECK ((floor >= (0)::numeric)),
    CONSTRAINT auto_subscription_source_check CHECK ((source = ANY (ARRAY['spot'::text, 'funding'::text])))
);

CREATE TABLE public.balance (
    cell smallint NOT NULL,
    account_id bigint NOT NULL,
    amount numeric NOT NULL,
    CONSTRAINT a_balance_has_the_scale_of_its_asset CHECK ((scale(trim_scale(amount)) <= ((account_id >> 4) & (31)::bigint))),
    CONSTRAINT a_balance_is_never_below_zero CHECK (((amount >= (0)::numeric) OR ((account_id & (15)::bigint) = ANY (ARRAY[(8)::bigint, (9)::bigint])))),
    CONSTRAINT a_balance_lies_in_its_customers_cell CHECK ((((account_id >> 19) = 0) OR (((account_id >> 19) & (255)::bigint) = cell))),
    CONSTRAINT a_house_account_has_no_customer CHECK ((((account_id & (15)::bigint) >= 8) = ((account_id >> 19) = 0)))
)
WITH (fillfactor='50');

CREATE TABLE public.cell (
    cell smallint NOT NULL,
    watermark_at timestamp with time zone NOT NULL,
    clock_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    customer_count bigint DEFAULT 0 NOT NULL,
    transfer_count bigint DEFAULT 0 NOT NULL,
    position_count bigint DEFAULT 0 NOT NULL,
    quote_count bigint DEFAULT 0 NOT NULL,
    notice_count bigint DEFAULT 0 NOT NULL,
    CONSTRAINT cell_cell_check CHECK (((cell >= 0) AND (cell <= 255)))
)
WITH (fillfactor='20');

COMMENT ON COLUMN public.cell.watermark_at IS 'distribution instant of the last reward run that paid this cell';

COMMENT ON COLUMN public.cell.clock_at IS 'the latest instant at which something happened in the cell: nothing happens in it before that any more';

COMMENT ON COLUMN public.cell.transfer_count IS 'transfers ever posted; the ids of a cell are gapless';

CREATE TABLE public.challenge (
    challenge_id text NOT NULL,
    purpose text NOT NULL,
    login_id text,
    secret bytea NOT NULL,
    details json NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT challenge_purpose_check CHECK ((purpose = ANY (ARRAY['add_passkey'::text, 'sign_in'::text, 'step_up'::text, 'external'::text])))
);

CREATE TABLE public.client (
    client_id text NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    added_by text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    CONSTRAINT a_client_has_known_scopes CHECK (((scopes <@ ARRAY['customers'::text, 'deposits'::text, 'withdrawals'::text, 'webhooks'::text, 'events'::text, 'act_for_customers'::text]) AND (cardinality(scopes) > 0))),
    CONSTRAINT client_name_check CHECK (((length(name) >= 1) AND (length(name) <= 80)))
);

CREATE TABLE public.closing (
    closed_on date NOT NULL,
    closed_at timestamp with time zone NOT NULL
);

CREATE TABLE public.closing_balance (
    closed_on date NOT NULL,
    asset_id smallint NOT NULL,
    account_kind smallint NOT NULL,
    amount numeric NOT NULL
);

CREATE TABLE public.closing_cut (
    cell smallint NOT NULL,
    closed_on date NOT NULL,
    through_transfer bigint NOT NULL,
    CONSTRAINT closing_cut_check CHECK (((through_transfer & (255)::bigint) = cell))
);

COMMENT ON COLUMN public.closing_cut.through_transfer IS 'the last transfer of the cell that the closing covers; the number of the cell where there is none';

CREATE TABLE public.closing_late_reward (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    run_on date NOT NULL,
    closed_on date NOT NULL
);

CREATE TABLE public.closing_movement (
    closed_on date NOT NULL,
    asset_id smallint NOT NULL,
    kind text NOT NULL,
    debit_kind smallint NOT NULL,
    credit_kind smallint NOT NULL,
    move_count bigint NOT NULL,
    amount numeric NOT NULL,
    CONSTRAINT closing_movement_amount_check CHECK ((amount > (0)::numeric)),
    CONSTRAINT closing_movement_move_count_check CHECK ((move_count > 0))
);

CREATE TABLE public.consent (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    version integer NOT NULL,
    accepted_at timestamp with time zone NOT NULL,
    accepted_from text NOT NULL
);

CREATE TABLE public.counted_cost (
    product_id integer NOT NULL,
    positions bigint NOT NULL,
    principal numeric NOT NULL,
    day_basis numeric NOT NULL,
    counted_at timestamp with time zone NOT NULL
);

COMMENT ON COLUMN public.counted_cost.day_basis IS 'what a day costs at the rates in force, undivided by 365';

COMMENT ON COLUMN public.counted_cost.counted_at IS 'by the machine''s clock';

CREATE TABLE public.counted_foresight (
    is_the_only_one boolean DEFAULT true NOT NULL,
    body text NOT NULL,
    counted_at timestamp with time zone NOT NULL,
    CONSTRAINT counted_foresight_is_the_only_one_check CHECK (is_the_only_one)
);

COMMENT ON COLUMN public.counted_foresight.body IS 'JSON: positions in groups that earn alike, and the liquidity ladder of each coin';

CREATE TABLE public.customer (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    reference text NOT NULL,
    name text NOT NULL,
    country text,
    vip_level smallint NOT NULL,
    joined_at timestamp with time zone NOT NULL,
    CONSTRAINT a_customer_lies_in_their_cell CHECK (((customer_id & (255)::bigint) = cell)),
    CONSTRAINT customer_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
    CONSTRAINT customer_customer_id_check CHECK (((customer_id > 255) AND (customer_id < ((1)::bigint << 44)))),
    CONSTRAINT customer_name_check CHECK ((length(name) <= 200)),
    CONSTRAINT customer_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 100))),
    CONSTRAINT customer_vip_level_check CHECK ((vip_level >= 0))
);

CREATE TABLE public.desk (
    is_the_only_one boolean DEFAULT true NOT NULL,
    name text NOT NULL,
    is_sandbox boolean NOT NULL,
    clock_at timestamp with time zone,
    distribution_time time without time zone NOT NULL,
    run_change_max numeric NOT NULL,
    runway_days_min integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    redemptions_times_max numeric DEFAULT 5 NOT NULL,
    redemptions_share_max numeric DEFAULT 0.1 NOT NULL,
    CONSTRAINT desk_is_the_only_one_check CHECK (is_the_only_one),
    CONSTRAINT desk_name_check CHECK (((length(name) >= 1) AND (length(name) <= 80))),
    CONSTRAINT desk_redemptions_share_max_check CHECK (((redemptions_share_max > (0)::numeric) AND (redemptions_share_max <= (1)::numeric))),
    CONSTRAINT desk_redemptions_times_max_check CHECK ((redemptions_times_max > (1)::numeric)),
    CONSTRAINT desk_run_change_max_check CHECK ((run_change_max > (0)::numeric)),
    CONSTRAINT desk_runway_days_min_check CHECK ((runway_days_min >= 0)),
    CONSTRAINT only_a_sandbox_has_a_clock_of_its_own CHECK ((is_sandbox = (clock_at IS NOT NULL)))
);

COMMENT ON COLUMN public.desk.run_change_max IS 'a run whose total differs from the last by more than this fraction waits for a second person';

COMMENT ON COLUMN public.desk.redemptions_times_max IS 'more redemptions in 24 hours than so many times the average of the 30 days before are unusual';

COMMENT ON COLUMN public.desk.redemptions_share_max IS 'more redemptions in 24 hours than this fraction of what is staked are unusual';

ALTER TABLE public.desk_log ALTER COLUMN log_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.desk_log_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.desk_log_seal (
    number integer NOT NULL,
    log_id integer NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    CONSTRAINT desk_log_seal_number_check CHECK ((number > 0))
);

CREATE TABLE public.due_reward (
    credit_account bigint NOT NULL,
    position_id bigint NOT NULL,
    product_id integer NOT NULL,
    cell smallint NOT NULL,
    amount numeric NOT NULL,
    basis numeric NOT NULL
)
PARTITION BY RANGE (cell);
ALTER TABLE ONLY public.due_reward ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_0 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_0 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_0 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_1 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_1 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_1 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_10 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_10 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_10 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_11 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_11 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_11 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_12 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_12 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_12 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_13 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_13 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_13 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_14 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_14 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_14 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_15 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_15 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_15 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_2 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_2 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_2 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_3 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_3 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_3 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_4 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_4 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_4 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_5 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_5 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_5 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_6 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_6 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_6 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_7 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_7 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_7 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_8 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_8 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_8 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE UNLOGGED TABLE public.due_reward_9 (
    credit_account bigint CONSTRAINT due_reward_credit_account_not_null NOT NULL,
    position_id bigint CONSTRAINT due_reward_position_id_not_null NOT NULL,
    product_id integer CONSTRAINT due_reward_product_id_not_null NOT NULL,
    cell smallint CONSTRAINT due_reward_cell_not_null NOT NULL,
    amount numeric CONSTRAINT due_reward_amount_not_null NOT NULL,
    basis numeric CONSTRAINT due_reward_basis_not_null NOT NULL
);
ALTER TABLE ONLY public.due_reward_9 ALTER COLUMN amount SET STORAGE PLAIN;
ALTER TABLE ONLY public.due_reward_9 ALTER COLUMN basis SET STORAGE PLAIN;

CREATE TABLE public.email_link (
    token_hash bytea NOT NULL,
    purpose text NOT NULL,
    email text NOT NULL,
    login_id text,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT a_link_recovers_a_login CHECK (((purpose = 'recover'::text) = (login_id IS NOT NULL))),
    CONSTRAINT email_link_email_check CHECK (((email = lower(email)) AND ((length(email) >= 3) AND (length(email) <= 254)))),
    CONSTRAINT email_link_purpose_check CHECK ((purpose = ANY (ARRAY['sign_up'::text, 'recover'::text])))
);

COMMENT ON COLUMN public.email_link.login_id IS 'whose password it sets; whoever signs up has none yet';

CREATE TABLE public.external_account (
    issuer text NOT NULL,
    subject text NOT NULL,
    login_id text NOT NULL,
    linked_at timestamp with time zone NOT NULL,
    CONSTRAINT external_account_subject_check CHECK (((length(subject) >= 1) AND (length(subject) <= 255)))
);

CREATE TABLE public.forfeited_reward (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    run_on date NOT NULL,
    transfer_id bigint NOT NULL,
    amount numeric NOT NULL,
    CONSTRAINT forfeited_reward_amount_check CHECK ((amount > (0)::numeric))
);

CREATE TABLE public.job (
    name text NOT NULL,
    done_at timestamp with time zone,
    done_by text,
    failed_at timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    error text,
    mark text,
    CONSTRAINT job_failures_check CHECK ((failures >= 0)),
    CONSTRAINT job_name_check CHECK ((name ~ '^[a-z][a-z_]{0,39}$'::text))
);

CREATE TABLE public.leader (
    is_the_only_one boolean DEFAULT true NOT NULL,
    holder text NOT NULL,
    beat bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT leader_is_the_only_one_check CHECK (is_the_only_one)
)
WITH (fillfactor='20');

CREATE TABLE public.login (
    login_id text NOT NULL,
    kind text NOT NULL,
    email text,
    customer_id bigint,
    operator text,
    password_hash text,
    is_active boolean DEFAULT true NOT NULL,
    totp_secret bytea,
    totp_proposed bytea,
    totp_last_step bigint,
    added_at timestamp with time zone NOT NULL,
    CONSTRAINT a_login_is_a_customers_or_an_operators CHECK ((((kind = 'customer'::text) = (customer_id IS NOT NULL)) AND ((kind = 'operator'::text) = (operator IS NOT NULL)))),
    CONSTRAINT login_email_check CHECK (((email = lower(email)) AND ((length(email) >= 3) AND (length(email) <= 254)))),
    CONSTRAINT login_kind_check CHECK ((kind = ANY (ARRAY['customer'::text, 'operator'::text])))
);

COMMENT ON COLUMN public.login.email IS 'none for a customer who signs in with another account only';

COMMENT ON COLUMN public.login.totp_last_step IS 'the 30-second step of the last code that was used: no code is good twice';

CREATE TABLE public.notice (
    cell smallint NOT NULL,
    notice_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    kind text NOT NULL,
    body json NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    CONSTRAINT a_notice_lies_in_its_cell CHECK (((notice_id & (255)::bigint) = cell))
);

CREATE TABLE public.operator (
    name text NOT NULL,
    added_at timestamp with time zone NOT NULL,
    roles text[] DEFAULT ARRAY['viewer'::text] NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    CONSTRAINT an_operator_has_known_roles CHECK (((roles <@ ARRAY['viewer'::text, 'support'::text, 'product'::text, 'treasury'::text, 'admin'::text]) AND ('viewer'::text = ANY (roles)))),
    CONSTRAINT operator_name_check CHECK ((name ~ '^[a-z][a-z0-9._-]{0,39}$'::text)),
    CONSTRAINT the_rate_source_is_no_person CHECK (((name <> 'rate-source'::text) OR (NOT is_active)))
);

CREATE TABLE public.parked_position (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    run_on date NOT NULL,
    amount numeric NOT NULL,
    reason text NOT NULL,
    parked_at timestamp with time zone NOT NULL,
    retried_at timestamp with time zone
);

CREATE TABLE public.passkey (
    passkey_id text NOT NULL,
    login_id text NOT NULL,
    name text NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    added_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    CONSTRAINT passkey_name_check CHECK (((length(name) >= 1) AND (length(name) <= 80)))
);

CREATE TABLE public.pool_move (
    approval_id integer NOT NULL,
    asset_id smallint NOT NULL,
    move text NOT NULL,
    amount numeric NOT NULL,
    reference text,
    act_id bigint NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    CONSTRAINT pool_move_amount_check CHECK ((amount > (0)::numeric)),
    CONSTRAINT pool_move_move_check CHECK ((move = ANY (ARRAY['funding'::text, 'withdrawal'::text, 'income'::text]))),
    CONSTRAINT pool_move_reference_check CHECK (((length(reference) >= 1) AND (length(reference) <= 200)))
);

COMMENT ON COLUMN public.pool_move.reference IS 'what the operator who asked wrote down for it, such as custody''s own reference';

CREATE TABLE public.position_past (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    from_days integer NOT NULL,
    from_basis numeric NOT NULL,
    to_days integer NOT NULL,
    principal numeric NOT NULL,
    tier_offset numeric NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    change integer NOT NULL,
    CONSTRAINT days_of_a_past_run_forward CHECK (((to_days >= from_days) AND (from_days >= 0))),
    CONSTRAINT position_past_change_check CHECK ((change > 0))
);

CREATE VIEW public.position_span AS
 SELECT p.cell,
    p.position_id,
    p.product_id,
    p.locked_revision,
    p.started_at,
    p.reward_account,
    h.from_days,
    h.from_basis,
    h.to_days,
    h.principal,
    h.tier_offset
   FROM (public.position_past h
     JOIN public."position" p ON (((p.cell = h.cell) AND (p.position_id = h.position_id))))
UNION ALL
 SELECT p.cell,
    p.position_id,
    p.product_id,
    p.locked_revision,
    p.started_at,
    p.reward_account,
    p.anchor_days AS from_days,
    p.anchor_basis AS from_basis,
    public.days_paid(p.started_at, p.term_days, p.anchor_days, p.parked_days, c.watermark_at) AS to_days,
    p.principal,
    p.tier_offset
   FROM (public."position" p
     JOIN public.cell c ON ((c.cell = p.cell)))
  WHERE (p.ended_at IS NULL);

CREATE TABLE public.preference (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    language text DEFAULT 'en'::text NOT NULL,
    theme text DEFAULT 'system'::text NOT NULL,
    zone text DEFAULT 'UTC'::text NOT NULL,
    muted text[] DEFAULT '{}'::text[] NOT NULL,
    read_notice_id bigint DEFAULT 0 NOT NULL,
    read_announcement_id bigint DEFAULT 0 NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT preference_language_check CHECK (((length(language) >= 2) AND (length(language) <= 12))),
    CONSTRAINT preference_theme_check CHECK ((theme = ANY (ARRAY['system'::text, 'light'::text, 'dark'::text]))),
    CONSTRAINT preference_zone_check CHECK (((length(zone) >= 1) AND (length(zone) <= 64)))
);

COMMENT ON COLUMN public.preference.muted IS 'kinds of messages that the customer does not want to be told of';

COMMENT ON COLUMN public.preference.read_notice_id IS 'the newest message of their own that they have seen; announcements are numbered apart';

CREATE TABLE public.quota (
    product_id integer NOT NULL,
    used numeric NOT NULL,
    total numeric,
    ceiling numeric,
    CONSTRAINT a_quota_has_a_ceiling_where_it_has_a_total CHECK ((((total IS NULL) = (ceiling IS NULL)) AND (ceiling >= total))),
    CONSTRAINT a_quota_is_never_oversold CHECK ((used <= ceiling)),
    CONSTRAINT a_quota_is_never_released_twice CHECK ((used >= (0)::numeric))
)
WITH (fillfactor='20');

COMMENT ON COLUMN public.quota.total IS 'the quota in the terms in force, which may be lower than what was sold under earlier ones';

COMMENT ON COLUMN public.quota.ceiling IS 'the total or, where the total was lowered below it, what was used then; it sinks with redemptions';

CREATE TABLE public.quote (
    cell smallint NOT NULL,
    quote_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    position_id bigint NOT NULL,
    figures json NOT NULL,
    fingerprint bytea NOT NULL,
    quoted_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT quote_check CHECK ((expires_at > quoted_at))
);

CREATE TABLE public.rate_announcement (
    product_id integer NOT NULL,
    revision integer NOT NULL,
    holders bigint NOT NULL,
    announced_at timestamp with time zone NOT NULL,
    CONSTRAINT rate_announcement_holders_check CHECK ((holders >= 0))
);

CREATE TABLE public.rate_guard (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    product_id integer NOT NULL,
    apr_min numeric NOT NULL,
    action text NOT NULL,
    is_on boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT rate_guard_action_check CHECK ((action = ANY (ARRAY['redeem'::text, 'stop'::text]))),
    CONSTRAINT rate_guard_apr_min_check CHECK ((apr_min >= (0)::numeric))
);

CREATE TABLE public.rate_reading (
    reading_id integer NOT NULL,
    source_id integer NOT NULL,
    product_id integer NOT NULL,
    distributed_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone NOT NULL,
    figure_at timestamp with time zone,
    figures text NOT NULL,
    network_apr numeric NOT NULL,
    apr numeric NOT NULL,
    document_hash bytea NOT NULL,
    outcome text NOT NULL,
    held_because text,
    CONSTRAINT a_held_reading_says_why CHECK (((outcome = 'held'::text) = (held_because IS NOT NULL))),
    CONSTRAINT rate_reading_apr_check CHECK (((apr >= (0)::numeric) AND (scale(apr) <= 6))),
    CONSTRAINT rate_reading_document_hash_check CHECK ((length(document_hash) = 32)),
    CONSTRAINT rate_reading_figures_check CHECK (((length(figures) >= 1) AND (length(figures) <= 1000))),
    CONSTRAINT rate_reading_network_apr_check CHECK ((network_apr >= (0)::numeric)),
    CONSTRAINT rate_reading_outcome_check CHECK ((outcome = ANY (ARRAY['published'::text, 'unchanged'::text, 'held'::text])))
);

COMMENT ON COLUMN public.rate_reading.distributed_at IS 'the distribution from which on the rate is to be in force';

COMMENT ON COLUMN public.rate_reading.figure_at IS 'of when the network''s figures are, by the source''s own word';

COMMENT ON COLUMN public.rate_reading.document_hash IS 'SHA-256 of all that the source answered';

ALTER TABLE public.rate_reading ALTER COLUMN reading_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rate_reading_reading_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.rate_source (
    source_id integer NOT NULL,
    product_id integer NOT NULL,
    kind text NOT NULL,
    url text NOT NULL,
    figure_path text,
    time_path text,
    is_percent boolean NOT NULL,
    desk_share numeric NOT NULL,
    apr_min numeric NOT NULL,
    apr_max numeric NOT NULL,
    step_max numeric NOT NULL,
    stale_hours integer NOT NULL,
    set_by text NOT NULL,
    approved_by text NOT NULL,
    approved_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    CONSTRAINT a_path_goes_with_a_feed CHECK ((((kind = 'json'::text) = (figure_path IS NOT NULL)) AND ((kind = 'json'::text) OR ((time_path IS NULL) AND (NOT is_percent))))),
    CONSTRAINT a_rate_source_has_bounds CHECK ((apr_min <= apr_max)),
    CONSTRAINT a_rate_source_is_approved_by_a_second_person CHECK ((approved_by <> set_by)),
    CONSTRAINT an_ended_source_says_by_whom CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
    CONSTRAINT rate_source_apr_max_check CHECK ((apr_max <= (100)::numeric)),
    CONSTRAINT rate_source_apr_min_check CHECK ((apr_min >= (0)::numeric)),
    CONSTRAINT rate_source_desk_share_check CHECK (((desk_share >= (0)::numeric) AND (desk_share <= (1)::numeric))),
    CONSTRAINT rate_source_kind_check CHECK ((kind = ANY (ARRAY['json'::text, 'solana'::text, 'ethereum_beacon'::text, 'cosmos'::text]))),
    CONSTRAINT rate_source_stale_hours_check CHECK (((stale_hours >= 1) AND (stale_hours <= 8760))),
    CONSTRAINT rate_source_step_max_check CHECK ((step_max > (0)::numeric)),
    CONSTRAINT rate_source_url_check CHECK (((length(url) >= 1) AND (length(url) <= 500)))
);

COMMENT ON COLUMN public.rate_source.desk_share IS 'the part of the network''s rate that the desk keeps';

COMMENT ON COLUMN public.rate_source.step_max IS 'the most that a rate may change by itself from one day to the next, as an APR';

ALTER TABLE public.rate_source ALTER COLUMN source_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rate_source_source_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.recovery_code (
    login_id text NOT NULL,
    code_hash bytea NOT NULL
);

CREATE TABLE public.redeem_preference (
    cell smallint NOT NULL,
    position_id bigint NOT NULL,
    is_flexible boolean NOT NULL
);

COMMENT ON TABLE public.redeem_preference IS 'whether principal goes to flexible once a position is not renewed any more';

CREATE TABLE public.request (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    request_key text NOT NULL,
    act text NOT NULL,
    fingerprint bytea NOT NULL,
    answer json NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT request_request_key_check CHECK (((length(request_key) >= 1) AND (length(request_key) <= 200)))
);

CREATE UNLOGGED TABLE public.request_turn (
    customer_id bigint NOT NULL,
    endpoint text NOT NULL,
    request_key text NOT NULL,
    taken_at timestamp with time zone NOT NULL
)
WITH (fillfactor='50');

COMMENT ON TABLE public.request_turn IS 'when a customer last asked for what may be asked once in some seconds';

CREATE UNLOGGED TABLE public.request_weight (
    address text NOT NULL,
    endpoint text NOT NULL,
    minute timestamp with time zone NOT NULL,
    weight integer NOT NULL,
    CONSTRAINT request_weight_weight_check CHECK ((weight > 0))
)
WITH (fillfactor='50');

COMMENT ON TABLE public.request_weight IS 'what an address has spent on an endpoint in a minute';

CREATE TABLE public.reward_piece (
    run_on date NOT NULL,
    cell_from smallint NOT NULL,
    cell_to smallint NOT NULL,
    name text NOT NULL,
    is_filled boolean DEFAULT false NOT NULL,
    CONSTRAINT a_piece_has_cells CHECK (((cell_from >= 0) AND (cell_from <= 255) AND ((cell_to >= cell_from) AND (cell_to <= 255))))
);

CREATE TABLE public.run (
    run_on date NOT NULL,
    distributed_at timestamp with time zone NOT NULL,
    state text NOT NULL,
    held_because text,
    started_by text NOT NULL,
    released_by text,
    planned_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    paused_by text,
    paused_because text,
    paused_at timestamp with time zone,
    limits json,
    CONSTRAINT a_held_run_says_why CHECK (((state <> 'held'::text) OR (held_because IS NOT NULL))),
    CONSTRAINT a_paused_run_says_by_whom_and_why CHECK ((((state = 'paused'::text) = (paused_by IS NOT NULL)) AND ((paused_by IS NULL) = (paused_because IS NULL)) AND ((paused_by IS NULL) = (paused_at IS NULL)))),
    CONSTRAINT a_run_is_released_by_a_second_person CHECK ((released_by <> started_by)),
    CONSTRAINT run_state_check CHECK ((state = ANY (ARRAY['held'::text, 'released'::text, 'executing'::text, 'paused'::text, 'finished'::text])))
);

COMMENT ON COLUMN public.run.limits IS 'each limit with its figures, as they stood when the run was planned';

CREATE TABLE public.run_attempt (
    run_on date NOT NULL,
    attempt integer NOT NULL,
    process text NOT NULL,
    started_by text NOT NULL,
    recorded_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT run_attempt_attempt_check CHECK ((attempt > 0))
);

CREATE TABLE public.run_attempt_end (
    run_on date NOT NULL,
    attempt integer NOT NULL,
    outcome text NOT NULL,
    pieces_paid integer NOT NULL,
    pieces integer NOT NULL,
    details text,
    recorded_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL,
    CONSTRAINT run_attempt_end_outcome_check CHECK ((outcome = ANY (ARRAY['finished'::text, 'held'::text, 'paused'::text, 'stopped'::text, 'failed'::text, 'interrupted'::text])))
);

COMMENT ON COLUMN public.run_attempt_end.pieces_paid IS 'pieces of the run that were paid when the attempt ended, those of earlier attempts too';

CREATE TABLE public.run_due (
    run_on date NOT NULL,
    cell_from smallint NOT NULL,
    product_id integer NOT NULL,
    reward_count bigint NOT NULL,
    amount numeric NOT NULL
);

CREATE TABLE public.run_piece (
    run_on date NOT NULL,
    cell_from smallint NOT NULL,
    cell_to smallint NOT NULL,
    reward_count bigint NOT NULL,
    parked_count bigint NOT NULL
);

CREATE TABLE public.run_plan (
    run_on date NOT NULL,
    product_id integer NOT NULL,
    reward_count bigint NOT NULL,
    amount numeric NOT NULL
);

CREATE TABLE public.run_total (
    run_on date NOT NULL,
    cell_from smallint NOT NULL,
    product_id integer NOT NULL,
    reward_count bigint NOT NULL,
    amount numeric NOT NULL
);

CREATE TABLE public.seal (
    cell smallint NOT NULL,
    number integer NOT NULL,
    covers text NOT NULL,
    first_transfer bigint,
    last_transfer bigint,
    run_on date,
    late_positions bigint[],
    row_count integer NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    sealed_at timestamp with time zone NOT NULL,
    CONSTRAINT a_seal_names_what_it_covers CHECK ((((covers = 'transfers'::text) = (first_transfer IS NOT NULL)) AND ((covers = 'transfers'::text) = (last_transfer IS NOT NULL)) AND ((covers = 'transfers'::text) = (run_on IS NULL)) AND ((covers = 'late_rewards'::text) = (late_positions IS NOT NULL)))),
    CONSTRAINT seal_covers_check CHECK ((covers = ANY (ARRAY['transfers'::text, 'rewards'::text, 'late_rewards'::text]))),
    CONSTRAINT seal_number_check CHECK ((number > 0))
);

CREATE TABLE public.security_log (
    log_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    act text NOT NULL,
    details json NOT NULL,
    address inet,
    agent text NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT statement_timestamp() NOT NULL
);

ALTER TABLE public.security_log ALTER COLUMN log_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.security_log_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.session (
    session_id text NOT NULL,
    token_hash bytea NOT NULL,
    login_id text NOT NULL,
    opened_by text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    stepped_up_at timestamp with time zone,
    ended_at timestamp with time zone,
    address inet,
    agent text NOT NULL,
    CONSTRAINT session_opened_by_check CHECK ((opened_by = ANY (ARRAY['password'::text, 'code'::text, 'recovery_code'::text, 'passkey'::text, 'external'::text])))
);

CREATE TABLE public.sign_in_provider (
    is_the_only_one boolean DEFAULT true NOT NULL,
    issuer text NOT NULL,
    client_id text NOT NULL,
    sealed_secret bytea NOT NULL,
    reference_claim text,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT sign_in_provider_is_the_only_one_check CHECK (is_the_only_one)
);

COMMENT ON COLUMN public.sign_in_provider.reference_claim IS 'the claim that holds our reference of the customer; without it, a verified e-mail address that is a login''s';

CREATE TABLE public.step_up_limit (
    asset_id smallint NOT NULL,
    amount numeric NOT NULL,
    CONSTRAINT step_up_limit_amount_check CHECK ((amount > (0)::numeric))
);

CREATE TABLE public.task (
    task_id integer NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    begun_by text,
    begun_at timestamp with time zone,
    begun_count integer DEFAULT 0 NOT NULL,
    progress json,
    finished_at timestamp with time zone,
    outcome text,
    result json,
    CONSTRAINT a_finished_task_has_an_outcome CHECK (((finished_at IS NULL) = (outcome IS NULL))),
    CONSTRAINT task_begun_count_check CHECK ((begun_count >= 0)),
    CONSTRAINT task_kind_check CHECK ((kind = ANY (ARRAY['run'::text, 'catch_up'::text, 'audit'::text, 'plan'::text]))),
    CONSTRAINT task_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'waits'::text, 'failed'::text]))),
    CONSTRAINT task_subject_check CHECK ((length(subject) <= 40))
)
WITH (fillfactor='50');

ALTER TABLE public.task ALTER COLUMN task_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.task_task_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.terms (
    product_id integer NOT NULL,
    version integer NOT NULL,
    term_days integer,
    amount_min numeric NOT NULL,
    amount_max numeric,
    step numeric NOT NULL,
    personal_cap numeric,
    quota numeric,
    opens_at timestamp with time zone NOT NULL,
    closes_at timestamp with time zone,
    new_customer_days integer,
    vip_level_min smallint NOT NULL,
    countries_allowed text[],
    countries_excluded text[] NOT NULL,
    rate_policy text NOT NULL,
    payout text NOT NULL,
    early_redemption text NOT NULL,
    kept_fraction numeric,
    reduced_apr numeric,
    reduced_apr_days_min integer,
    at_maturity text NOT NULL,
    flexible_product_id integer,
    drafted_by text NOT NULL,
    drafted_at timestamp with time zone NOT NULL,
    approved_by text,
    approved_at timestamp with time zone,
    discarded_by text,
    discarded_at timestamp with time zone,
    CONSTRAINT approved_terms_are_never_discarded CHECK (((approved_by IS NULL) OR (discarded_by IS NULL))),
    CONSTRAINT approved_terms_have_an_instant CHECK (((approved_by IS NULL) = (approved_at IS NULL))),
    CONSTRAINT discarded_terms_have_an_instant CHECK (((discarded_by IS NULL) = (discarded_at IS NULL))),
    CONSTRAINT flexible_terms_are_daily_and_endless CHECK (((term_days IS NOT NULL) OR ((payout = 'daily'::text) AND (at_maturity = 'redeem'::text)))),
    CONSTRAINT kept_fraction_goes_with_its_policy CHECK (((early_redemption = 'keep_fraction'::text) = (kept_fraction IS NOT NULL))),
    CONSTRAINT reduced_apr_goes_with_its_policy CHECK ((((early_redemption = 'reduced_apr'::text) = (reduced_apr IS NOT NULL)) AND ((reduced_apr IS NULL) = (reduced_apr_days_min IS NULL)))),
    CONSTRAINT terms_amount_min_check CHECK ((amount_min > (0)::numeric)),
    CONSTRAINT terms_are_approved_by_a_second_person CHECK ((approved_by <> drafted_by)),
    CONSTRAINT terms_at_maturity_check CHECK ((at_maturity = ANY (ARRAY['redeem'::text, 'renew'::text, 'to_flexible'::text]))),
    CONSTRAINT terms_check CHECK ((amount_max >= amount_min)),
    CONSTRAINT terms_check1 CHECK ((personal_cap >= amount_min)),
    CONSTRAINT terms_check2 CHECK ((closes_at > opens_at)),
    CONSTRAINT terms_early_redemption_check CHECK ((early_redemption = ANY (ARRAY['forfeit_all'::text, 'not_allowed'::text, 'keep_fraction'::text, 'reduced_apr'::text]))),
    CONSTRAINT terms_kept_fraction_check CHECK (((kept_fraction >= (0)::numeric) AND (kept_fraction <= (1)::numeric))),
    CONSTRAINT terms_new_customer_days_check CHECK ((new_customer_days > 0)),
    CONSTRAINT terms_payout_check CHECK ((payout = ANY (ARRAY['daily'::text, 'at_maturity'::text]))),
    CONSTRAINT terms_quota_check CHECK ((quota >= (0)::numeric)),
    CONSTRAINT terms_rate_policy_check CHECK ((rate_policy = ANY (ARRAY['floating'::text, 'locked'::text]))),
    CONSTRAINT terms_reduced_apr_check CHECK ((reduced_apr >= (0)::numeric)),
    CONSTRAINT terms_reduced_apr_days_min_check CHECK ((reduced_apr_days_min >= 0)),
    CONSTRAINT terms_step_check CHECK ((step > (0)::numeric)),
    CONSTRAINT terms_term_days_check CHECK (((term_days >= 1) AND (term_days <= 3650))),
    CONSTRAINT terms_version_check CHECK ((version > 0)),
    CONSTRAINT terms_vip_level_min_check CHECK ((vip_level_min >= 0))
);

CREATE TABLE public.throttle (
    subject text NOT NULL,
    failure_count integer NOT NULL,
    last_failure_at timestamp with time zone NOT NULL,
    blocked_until timestamp with time zone NOT NULL,
    CONSTRAINT throttle_failure_count_check CHECK ((failure_count >= 0))
);

CREATE TABLE public.webhook_attempt (
    endpoint_id integer NOT NULL,
    notice_id bigint NOT NULL,
    number integer NOT NULL,
    started_at timestamp with time zone NOT NULL,
    milliseconds integer NOT NULL,
    status integer,
    failure text,
    answer text NOT NULL,
    CONSTRAINT webhook_attempt_answer_check CHECK ((length(answer) <= 500)),
    CONSTRAINT webhook_attempt_milliseconds_check CHECK ((milliseconds >= 0)),
    CONSTRAINT webhook_attempt_number_check CHECK ((number > 0))
);

CREATE TABLE public.webhook_cursor (
    endpoint_id integer NOT NULL,
    cell smallint NOT NULL,
    notice_count bigint NOT NULL,
    CONSTRAINT webhook_cursor_notice_count_check CHECK ((notice_count >= 0))
)
WITH (fillfactor='50');

CREATE TABLE public.webhook_delivery (
    endpoint_id integer NOT NULL,
    notice_id bigint NOT NULL,
    customer_id bigint NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    attempt_count integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT a_delivery_that_has_ended_says_when CHECK (((state = 'pending'::text) = (ended_at IS NULL))),
    CONSTRAINT webhook_delivery_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'dead'::text, 'cancelled'::text])))
)
WITH (fillfactor='80');

COMMENT ON COLUMN public.webhook_delivery.failing_since IS 'its first failure since it was made or replayed: three days later it is dead';

CREATE TABLE public.webhook_endpoint (
    endpoint_id integer NOT NULL,
    client_id text NOT NULL,
    url text NOT NULL,
    kinds text[],
    description text NOT NULL,
    state text NOT NULL,
    disabled_because text,
    secret bytea NOT NULL,
    secret_before bytea,
    secret_before_until timestamp with time zone,
    failing_since timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT a_disabled_endpoint_says_why CHECK (((state = 'disabled'::text) = (disabled_because IS NOT NULL))),
    CONSTRAINT a_secret_before_has_an_end CHECK (((secret_before IS NULL) = (secret_before_until IS NULL))),
    CONSTRAINT webhook_endpoint_client_id_check CHECK (((length(client_id) >= 1) AND (length(client_id) <= 100))),
    CONSTRAINT webhook_endpoint_description_check CHECK ((length(description) <= 200)),
    CONSTRAINT webhook_endpoint_disabled_because_check CHECK ((disabled_because = ANY (ARRAY['by_owner'::text, 'gone'::text, 'failing'::text]))),
    CONSTRAINT webhook_endpoint_state_check CHECK ((state = ANY (ARRAY['enabled'::text, 'disabled'::text, 'revoked'::text]))),
    CONSTRAINT webhook_endpoint_url_check CHECK ((length(url) <= 2000))
);

COMMENT ON COLUMN public.webhook_endpoint.kinds IS 'the kinds of notices wanted; null: all';

COMMENT ON COLUMN public.webhook_endpoint.secret IS 'what deliveries are signed with, sealed by STADDLE_SECRET_KEY';

COMMENT ON COLUMN public.webhook_endpoint.failing_since IS 'the first failure after the last success';

ALTER TABLE public.webhook_endpoint ALTER COLUMN endpoint_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.webhook_endpoint_endpoint_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.webhook_lane (
    endpoint_id integer NOT NULL,
    customer_id bigint NOT NULL,
    due_at timestamp with time zone NOT NULL,
    claim text
)
WITH (fillfactor='70');

COMMENT ON COLUMN public.webhook_lane.due_at IS 'when its first delivery is to be tried; while it is claimed, when the claim ends';

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_0 FOR VALUES FROM ('0') TO ('16');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_1 FOR VALUES FROM ('16') TO ('32');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_10 FOR VALUES FROM ('160') TO ('176');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_11 FOR VALUES FROM ('176') TO ('192');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_12 FOR VALUES FROM ('192') TO ('208');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_13 FOR VALUES FROM ('208') TO ('224');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_14 FOR VALUES FROM ('224') TO ('240');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_15 FOR VALUES FROM ('240') TO ('256');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_2 FOR VALUES FROM ('32') TO ('48');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_3 FOR VALUES FROM ('48') TO ('64');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_4 FOR VALUES FROM ('64') TO ('80');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_5 FOR VALUES FROM ('80') TO ('96');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_6 FOR VALUES FROM ('96') TO ('112');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_7 FOR VALUES FROM ('112') TO ('128');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_8 FOR VALUES FROM ('128') TO ('144');

ALTER TABLE ONLY public.due_reward ATTACH PARTITION public.due_reward_9 FOR VALUES FROM ('144') TO ('160');

ALTER TABLE ONLY public.login
    ADD CONSTRAINT a_customer_has_one_login UNIQUE (customer_id);

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT a_customer_reference_is_used_once UNIQUE (cell, reference);

ALTER TABLE ONLY public.closing_late_reward
    ADD CONSTRAINT a_late_reward_is_closed_once PRIMARY KEY (cell, position_id, run_on);

ALTER TABLE ONLY public.desk_log_seal
    ADD CONSTRAINT a_log_entry_is_sealed_once UNIQUE (log_id);

ALTER TABLE ONLY public.external_account
    ADD CONSTRAINT a_login_has_one_account_at_a_provider UNIQUE (login_id, issuer);

ALTER TABLE ONLY public.run_piece
    ADD CONSTRAINT a_piece_is_paid_once PRIMARY KEY (run_on, cell_from);

ALTER TABLE ONLY public.pool_move
    ADD CONSTRAINT a_pool_move_has_a_reference_of_its_own UNIQUE (asset_id, reference);

ALTER TABLE ONLY public.request
    ADD CONSTRAINT a_request_key_is_used_once PRIMARY KEY (cell, customer_id, request_key);

ALTER TABLE ONLY public.forfeited_reward
    ADD CONSTRAINT a_reward_is_forfeited_once PRIMARY KEY (cell, position_id, run_on);

ALTER TABLE ONLY public.access_token
    ADD CONSTRAINT access_token_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.agreement
    ADD CONSTRAINT agreement_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.alarm
    ADD CONSTRAINT alarm_pkey PRIMARY KEY (alarm_id);

ALTER TABLE ONLY public.login
    ADD CONSTRAINT an_email_address_signs_in_one_login UNIQUE (kind, email);

ALTER TABLE ONLY public.login
    ADD CONSTRAINT an_operator_has_one_login UNIQUE (operator);

ALTER TABLE ONLY public.announced
    ADD CONSTRAINT announced_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_pkey PRIMARY KEY (api_key_id);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_secret_hash_key UNIQUE (secret_hash);

ALTER TABLE ONLY public.approval_effect
    ADD CONSTRAINT approval_effect_pkey PRIMARY KEY (approval_id);

ALTER TABLE ONLY public.approval
    ADD CONSTRAINT approval_pkey PRIMARY KEY (approval_id);

ALTER TABLE ONLY public.asset
    ADD CONSTRAINT asset_code_key UNIQUE (code);

ALTER TABLE ONLY public.asset
    ADD CONSTRAINT asset_pkey PRIMARY KEY (asset_id);

ALTER TABLE ONLY public.asset_price
    ADD CONSTRAINT asset_price_pkey PRIMARY KEY (asset_id, quote);

ALTER TABLE ONLY public.auto_subscription
    ADD CONSTRAINT auto_subscription_pkey PRIMARY KEY (cell, customer_id, asset_id);

ALTER TABLE ONLY public.balance
    ADD CONSTRAINT balance_pkey PRIMARY KEY (cell, account_id);

ALTER TABLE ONLY public.cell
    ADD CONSTRAINT cell_pkey PRIMARY KEY (cell);

ALTER TABLE ONLY public.challenge
    ADD CONSTRAINT challenge_pkey PRIMARY KEY (challenge_id);

ALTER TABLE ONLY public.client
    ADD CONSTRAINT client_pkey PRIMARY KEY (client_id);

ALTER TABLE ONLY public.closing_balance
    ADD CONSTRAINT closing_balance_pkey PRIMARY KEY (closed_on, asset_id, account_kind);

ALTER TABLE ONLY public.closing_cut
    ADD CONSTRAINT closing_cut_pkey PRIMARY KEY (cell, closed_on);

ALTER TABLE ONLY public.closing_movement
    ADD CONSTRAINT closing_movement_pkey PRIMARY KEY (closed_on, asset_id, kind, debit_kind, credit_kind);

ALTER TABLE ONLY public.closing
    ADD CONSTRAINT closing_pkey PRIMARY KEY (closed_on);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_pkey PRIMARY KEY (cell, customer_id, version);

ALTER TABLE ONLY public.counted_cost
    ADD CONSTRAINT counted_cost_pkey PRIMARY KEY (product_id);

ALTER TABLE ONLY public.counted_foresight
    ADD CONSTRAINT counted_foresight_pkey PRIMARY KEY (is_the_only_one);

ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (cell, customer_id);

ALTER TABLE ONLY public.desk_log
    ADD CONSTRAINT desk_log_pkey PRIMARY KEY (log_id);

ALTER TABLE ONLY public.desk_log_seal
    ADD CONSTRAINT desk_log_seal_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.desk
    ADD CONSTRAINT desk_pkey PRIMARY KEY (is_the_only_one);

ALTER TABLE ONLY public.email_link
    ADD CONSTRAINT email_link_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.external_account
    ADD CONSTRAINT external_account_pkey PRIMARY KEY (issuer, subject);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.leader
    ADD CONSTRAINT leader_pkey PRIMARY KEY (is_the_only_one);

ALTER TABLE ONLY public.login
    ADD CONSTRAINT login_pkey PRIMARY KEY (login_id);

ALTER TABLE ONLY public.notice
    ADD CONSTRAINT notice_pkey PRIMARY KEY (cell, notice_id);

ALTER TABLE ONLY public.rate_revision
    ADD CONSTRAINT one_rate_at_an_instant UNIQUE (product_id, effective_at);

ALTER TABLE ONLY public.operator
    ADD CONSTRAINT operator_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.parked_position
    ADD CONSTRAINT parked_position_pkey PRIMARY KEY (cell, position_id, run_on);

ALTER TABLE ONLY public.passkey
    ADD CONSTRAINT passkey_pkey PRIMARY KEY (passkey_id);

ALTER TABLE ONLY public.pool_move
    ADD CONSTRAINT pool_move_act_id_key UNIQUE (act_id);

ALTER TABLE ONLY public.pool_move
    ADD CONSTRAINT pool_move_pkey PRIMARY KEY (approval_id);

ALTER TABLE ONLY public.position_past
    ADD CONSTRAINT position_past_pkey PRIMARY KEY (cell, position_id, change);

ALTER TABLE ONLY public."position"
    ADD CONSTRAINT position_pkey PRIMARY KEY (cell, position_id);

ALTER TABLE ONLY public.preference
    ADD CONSTRAINT preference_pkey PRIMARY KEY (cell, customer_id);

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_code_key UNIQUE (code);

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (product_id);

ALTER TABLE ONLY public.quota
    ADD CONSTRAINT quota_pkey PRIMARY KEY (product_id);

ALTER TABLE ONLY public.quote
    ADD CONSTRAINT quote_pkey PRIMARY KEY (cell, quote_id);

ALTER TABLE ONLY public.rate_announcement
    ADD CONSTRAINT rate_announcement_pkey PRIMARY KEY (product_id, revision);

ALTER TABLE ONLY public.rate_guard
    ADD CONSTRAINT rate_guard_pkey PRIMARY KEY (cell, customer_id, product_id);

ALTER TABLE ONLY public.rate_reading
    ADD CONSTRAINT rate_reading_pkey PRIMARY KEY (reading_id);

ALTER TABLE ONLY public.rate_revision
    ADD CONSTRAINT rate_revision_pkey PRIMARY KEY (product_id, revision);

ALTER TABLE ONLY public.rate_source
    ADD CONSTRAINT rate_source_pkey PRIMARY KEY (source_id);

ALTER TABLE ONLY public.rate_tier
    ADD CONSTRAINT rate_tier_pkey PRIMARY KEY (product_id, revision, amount_from);

ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT recovery_code_pkey PRIMARY KEY (login_id, code_hash);

ALTER TABLE ONLY public.redeem_preference
    ADD CONSTRAINT redeem_preference_pkey PRIMARY KEY (cell, position_id);

ALTER TABLE ONLY public.request_turn
    ADD CONSTRAINT request_turn_pkey PRIMARY KEY (customer_id, endpoint);

ALTER TABLE ONLY public.request_weight
    ADD CONSTRAINT request_weight_pkey PRIMARY KEY (address, endpoint);

ALTER TABLE ONLY public.reward_piece
    ADD CONSTRAINT reward_piece_name_key UNIQUE (name);

ALTER TABLE ONLY public.reward_piece
    ADD CONSTRAINT reward_piece_pkey PRIMARY KEY (run_on, cell_from);

ALTER TABLE ONLY public.run_attempt_end
    ADD CONSTRAINT run_attempt_end_pkey PRIMARY KEY (run_on, attempt);

ALTER TABLE ONLY public.run_attempt
    ADD CONSTRAINT run_attempt_pkey PRIMARY KEY (run_on, attempt);

ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_distributed_at_key UNIQUE (distributed_at);

ALTER TABLE ONLY public.run_due
    ADD CONSTRAINT run_due_pkey PRIMARY KEY (run_on, cell_from, product_id);

ALTER TABLE ONLY public.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_on);

ALTER TABLE ONLY public.run_plan
    ADD CONSTRAINT run_plan_pkey PRIMARY KEY (run_on, product_id);

ALTER TABLE ONLY public.run_total
    ADD CONSTRAINT run_total_pkey PRIMARY KEY (run_on, cell_from, product_id);

ALTER TABLE ONLY public.seal
    ADD CONSTRAINT seal_pkey PRIMARY KEY (cell, number);

ALTER TABLE ONLY public.security_log
    ADD CONSTRAINT security_log_pkey PRIMARY KEY (log_id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.sign_in_provider
    ADD CONSTRAINT sign_in_provider_pkey PRIMARY KEY (is_the_only_one);

ALTER TABLE ONLY public.step_up_limit
    ADD CONSTRAINT step_up_limit_pkey PRIMARY KEY (asset_id);

ALTER TABLE ONLY public.task
    ADD CONSTRAINT task_pkey PRIMARY KEY (task_id);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_pkey PRIMARY KEY (product_id, version);

ALTER TABLE ONLY public.throttle
    ADD CONSTRAINT throttle_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.transfer
    ADD CONSTRAINT transfer_pkey PRIMARY KEY (cell, transfer_id);

ALTER TABLE ONLY public.webhook_attempt
    ADD CONSTRAINT webhook_attempt_pkey PRIMARY KEY (endpoint_id, notice_id, number);

ALTER TABLE ONLY public.webhook_cursor
    ADD CONSTRAINT webhook_cursor_pkey PRIMARY KEY (endpoint_id, cell);

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_pkey PRIMARY KEY (endpoint_id, notice_id);

ALTER TABLE ONLY public.webhook_endpoint
    ADD CONSTRAINT webhook_endpoint_pkey PRIMARY KEY (endpoint_id);

ALTER TABLE ONLY public.webhook_lane
    ADD CONSTRAINT webhook_lane_pkey PRIMARY KEY (endpoint_id, customer_id);

CREATE UNIQUE INDEX a_product_follows_one_source ON public.rate_source USING btree (product_id) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX a_source_revises_a_rate_once_a_day ON public.rate_reading USING btree (product_id, distributed_at) WHERE (outcome = 'published'::text);

CREATE UNIQUE INDEX a_transfer_is_corrected_once ON public.transfer USING btree (cell, corrects) WHERE (corrects IS NOT NULL);

CREATE UNIQUE INDEX a_transfer_is_sealed_once ON public.seal USING btree (cell, first_transfer) WHERE (covers = 'transfers'::text);

CREATE INDEX access_token_of_client ON public.access_token USING btree (client_id);

CREATE UNIQUE INDEX an_alarm_is_open_once ON public.alarm USING btree (kind, subject) WHERE (cleared_at IS NULL);

CREATE INDEX api_key_of_customer ON public.api_key USING btree (customer_id);

CREATE INDEX approval_waiting ON public.approval USING btree (act, subject) WHERE (decision IS NULL);

CREATE INDEX challenge_by_expiry ON public.challenge USING btree (expires_at);

CREATE INDEX customer_by_country ON public.customer USING btree (country, joined_at, customer_id) WHERE (country IS NOT NULL);

CREATE INDEX customer_by_joining ON public.customer USING btree (joined_at, customer_id);

CREATE INDEX customer_by_name ON public.customer USING btree (lower(name) COLLATE "C", customer_id) WHERE (name <> ''::text);

CREATE INDEX customer_by_reference ON public.customer USING btree (reference COLLATE "C");

CREATE INDEX customer_by_vip_level ON public.customer USING btree (vip_level, joined_at, customer_id) WHERE (vip_level > 0);

CREATE INDEX customer_login_by_email ON public.login USING btree (email COLLATE "C") WHERE (kind = 'customer'::text);

CREATE INDEX desk_log_by_instant ON public.desk_log USING btree (effective_at, log_id);

CREATE INDEX desk_log_of_act ON public.desk_log USING btree (act, log_id);

CREATE INDEX desk_log_of_operator ON public.desk_log USING btree (operator, log_id);

CREATE INDEX desk_log_of_subject ON public.desk_log USING btree (subject, log_id);

CREATE INDEX email_link_by_expiry ON public.email_link USING btree (expires_at);

CREATE INDEX email_link_of_login ON public.email_link USING btree (login_id) WHERE (login_id IS NOT NULL);

CREATE INDEX ended_position_by_start ON public."position" USING btree (product_id, started_at, position_id) WHERE (ended_at IS NOT NULL);

CREATE INDEX forfeiture_by_instant ON public.transfer USING btree (effective_at) INCLUDE (debit_account, amount) WHERE (kind = 'forfeiture'::public.transfer_kind);

CREATE INDEX holding ON public."position" USING btree (cell, customer_id, product_id, started_at, position_id) WHERE (ended_at IS NULL);

CREATE INDEX login_of_kind ON public.login USING btree (kind, login_id);

CREATE INDEX notice_by_instant ON public.notice USING brin (effective_at) WITH (autosummarize='on');

CREATE INDEX notice_of_customer ON public.notice USING btree (cell, customer_id, notice_id);

CREATE INDEX open_position_by_product_and_maturity ON public."position" USING btree (product_id, matures_at, position_id) WHERE ((ended_at IS NULL) AND (term_days IS NOT NULL));

CREATE INDEX open_position_by_start ON public."position" USING btree (product_id, started_at, position_id) WHERE (ended_at IS NULL);

CREATE INDEX passkey_of_login ON public.passkey USING btree (login_id);

CREATE INDEX position_by_maturity ON public."position" USING btree (cell, matures_at) WHERE ((ended_at IS NULL) AND (term_days IS NOT NULL));

CREATE INDEX position_of_customer ON public."position" USING btree (cell, customer_id, position_id);

CREATE INDEX rare_transfer_by_kind ON public.transfer USING btree (kind, effective_at, transfer_id) WHERE (kind = ANY (ARRAY['accrued_payout'::public.transfer_kind, 'pool_funding'::public.transfer_kind, 'pool_withdrawal'::public.transfer_kind, 'income_to_pool'::public.transfer_kind, 'correction'::public.transfer_kind]));

CREATE INDEX reading_of_product ON public.rate_reading USING btree (product_id, reading_id);

CREATE INDEX redemption_by_instant ON public.transfer USING btree (effective_at) INCLUDE (debit_account, amount) WHERE ((kind = 'redemption'::public.transfer_kind) AND (request_key !~~ 'maturity:%'::text));

CREATE INDEX security_log_of_customer ON public.security_log USING btree (customer_id, log_id);

CREATE INDEX session_of_login ON public.session USING btree (login_id) WHERE (ended_at IS NULL);

CREATE INDEX task_of_kind ON public.task USING btree (kind, task_id);

CREATE UNIQUE INDEX the_rewards_of_a_day_are_sealed_once ON public.seal USING btree (cell, run_on) WHERE (covers = 'rewards'::text);

CREATE UNIQUE INDEX the_same_work_is_asked_for_once ON public.task USING btree (kind, subject) WHERE (finished_at IS NULL);

CREATE INDEX transfer_by_instant ON public.transfer USING brin (effective_at) WITH (autosummarize='on');

CREATE INDEX transfer_of_customer ON public.transfer USING btree (cell, customer_id, transfer_id);

CREATE INDEX webhook_delivery_dead ON public.webhook_delivery USING btree (endpoint_id, notice_id) WHERE (state = 'dead'::text);

CREATE INDEX webhook_delivery_ended ON public.webhook_delivery USING btree (ended_at) WHERE (state = ANY (ARRAY['delivered'::text, 'cancelled'::text]));

CREATE INDEX webhook_delivery_pending ON public.webhook_delivery USING btree (endpoint_id, customer_id, notice_id) WHERE (state = 'pending'::text);

CREATE INDEX webhook_endpoint_of_client ON public.webhook_endpoint USING btree (client_id, endpoint_id);

CREATE INDEX webhook_lane_due ON public.webhook_lane USING btree (endpoint_id, due_at);

ALTER TABLE ONLY public.access_token
    ADD CONSTRAINT access_token_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.client(client_id);

ALTER TABLE ONLY public.agreement
    ADD CONSTRAINT agreement_published_by_fkey FOREIGN KEY (published_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.api_key
    ADD CONSTRAINT api_key_agreement_version_fkey FOREIGN KEY (agreement_version) REFERENCES public.agreement(version);

ALTER TABLE ONLY public.approval
    ADD CONSTRAINT approval_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.approval
    ADD CONSTRAINT approval_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.approval_effect
    ADD CONSTRAINT approval_effect_approval_id_fkey FOREIGN KEY (approval_id) REFERENCES public.approval(approval_id);

ALTER TABLE ONLY public.asset_price
    ADD CONSTRAINT asset_price_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES public.asset(asset_id);

ALTER TABLE ONLY public.asset_price
    ADD CONSTRAINT asset_price_set_by_fkey FOREIGN KEY (set_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.challenge
    ADD CONSTRAINT challenge_login_id_fkey FOREIGN KEY (login_id) REFERENCES public.login(login_id);

ALTER TABLE ONLY public.client
    ADD CONSTRAINT client_added_by_fkey FOREIGN KEY (added_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.closing_balance
    ADD CONSTRAINT closing_balance_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES public.asset(asset_id);

ALTER TABLE ONLY public.closing_balance
    ADD CONSTRAINT closing_balance_closed_on_fkey FOREIGN KEY (closed_on) REFERENCES public.closing(closed_on);

ALTER TABLE ONLY public.closing
    ADD CONSTRAINT closing_closed_on_fkey FOREIGN KEY (closed_on) REFERENCES public.run(run_on);

ALTER TABLE ONLY public.closing_cut
    ADD CONSTRAINT closing_cut_closed_on_fkey FOREIGN KEY (closed_on) REFERENCES public.closing(closed_on);

ALTER TABLE ONLY public.closing_late_reward
    ADD CONSTRAINT closing_late_reward_closed_on_fkey FOREIGN KEY (closed_on) REFERENCES public.closing(closed_on);

ALTER TABLE ONLY public.closing_movement
    ADD CONSTRAINT closing_movement_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES public.asset(asset_id);

ALTER TABLE ONLY public.closing_movement
    ADD CONSTRAINT closing_movement_closed_on_fkey FOREIGN KEY (closed_on) REFERENCES public.closing(closed_on);

ALTER TABLE ONLY public.counted_cost
    ADD CONSTRAINT counted_cost_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(product_id);

ALTER TABLE ONLY public.email_link
    ADD CONSTRAINT email_link_login_id_fkey FOREIGN KEY (login_id) REFERENCES public.login(login_id);

ALTER TABLE ONLY public.external_account
    ADD CONSTRAINT external_account_login_id_fkey FOREIGN KEY (login_id) REFERENCES public.login(login_id);

ALTER TABLE ONLY public.login
    ADD CONSTRAINT login_operator_fkey FOREIGN KEY (operator) REFERENCES public.operator(name);

ALTER TABLE ONLY public.passkey
    ADD CONSTRAINT passkey_login_id_fkey FOREIGN KEY (login_id) REFERENCES public.login(login_id);

ALTER TABLE ONLY public.pool_move
    ADD CONSTRAINT pool_move_approval_id_fkey FOREIGN KEY (approval_id) REFERENCES public.approval(approval_id);

ALTER TABLE ONLY public.pool_move
    ADD CONSTRAINT pool_move_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES public.asset(asset_id);

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES public.asset(asset_id);

ALTER TABLE ONLY public.quota
    ADD CONSTRAINT quota_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(product_id);

ALTER TABLE ONLY public.rate_announcement
    ADD CONSTRAINT rate_announcement_product_id_revision_fkey FOREIGN KEY (product_id, revision) REFERENCES public.rate_revision(product_id, revision);

ALTER TABLE ONLY public.rate_reading
    ADD CONSTRAINT rate_reading_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(product_id);

ALTER TABLE ONLY public.rate_reading
    ADD CONSTRAINT rate_reading_source_id_fkey FOREIGN KEY (source_id) REFERENCES public.rate_source(source_id);

ALTER TABLE ONLY public.rate_revision
    ADD CONSTRAINT rate_revision_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.rate_revision
    ADD CONSTRAINT rate_revision_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(product_id);

ALTER TABLE ONLY public.rate_revision
    ADD CONSTRAINT rate_revision_proposed_by_fkey FOREIGN KEY (proposed_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.rate_source
    ADD CONSTRAINT rate_source_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.rate_source
    ADD CONSTRAINT rate_source_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.rate_source
    ADD CONSTRAINT rate_source_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(product_id);

ALTER TABLE ONLY public.rate_source
    ADD CONSTRAINT rate_source_set_by_fkey FOREIGN KEY (set_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.rate_tier
    ADD CONSTRAINT rate_tier_product_id_revision_fkey FOREIGN KEY (product_id, revision) REFERENCES public.rate_revision(product_id, revision);

ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT recovery_code_login_id_fkey FOREIGN KEY (login_id) REFERENCES public.login(login_id);

ALTER TABLE ONLY public.run_attempt_end
    ADD CONSTRAINT run_attempt_end_run_on_attempt_fkey FOREIGN KEY (run_on, attempt) REFERENCES public.run_attempt(run_on, attempt);

ALTER TABLE ONLY public.run_due
    ADD CONSTRAINT run_due_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(product_id);

ALTER TABLE ONLY public.run_due
    ADD CONSTRAINT run_due_run_on_fkey FOREIGN KEY (run_on) REFERENCES public.run(run_on);

ALTER TABLE ONLY public.run_piece
    ADD CONSTRAINT run_piece_run_on_fkey FOREIGN KEY (run_on) REFERENCES public.run(run_on);

ALTER TABLE ONLY public.run_plan
    ADD CONSTRAINT run_plan_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(product_id);

ALTER TABLE ONLY public.run_plan
    ADD CONSTRAINT run_plan_run_on_fkey FOREIGN KEY (run_on) REFERENCES public.run(run_on);

ALTER TABLE ONLY public.run_total
    ADD CONSTRAINT run_total_run_on_cell_from_fkey FOREIGN KEY (run_on, cell_from) REFERENCES public.run_piece(run_on, cell_from);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_login_id_fkey FOREIGN KEY (login_id) REFERENCES public.login(login_id);

ALTER TABLE ONLY public.sign_in_provider
    ADD CONSTRAINT sign_in_provider_set_by_fkey FOREIGN KEY (set_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.step_up_limit
    ADD CONSTRAINT step_up_limit_asset_id_fkey FOREIGN KEY (asset_id) REFERENCES public.asset(asset_id);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_discarded_by_fkey FOREIGN KEY (discarded_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_drafted_by_fkey FOREIGN KEY (drafted_by) REFERENCES public.operator(name);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_flexible_product_id_fkey FOREIGN KEY (flexible_product_id) REFERENCES public.product(product_id);

ALTER TABLE ONLY public.terms
    ADD CONSTRAINT terms_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(product_id);

ALTER TABLE ONLY public.webhook_attempt
    ADD CONSTRAINT webhook_attempt_endpoint_id_notice_id_fkey FOREIGN KEY (endpoint_id, notice_id) REFERENCES public.webhook_delivery(endpoint_id, notice_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.webhook_cursor
    ADD CONSTRAINT webhook_cursor_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES public.webhook_endpoint(endpoint_id);

ALTER TABLE ONLY public.webhook_delivery
    ADD CONSTRAINT webhook_delivery_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES public.webhook_endpoint(endpoint_id);

ALTER TABLE ONLY public.webhook_lane
    ADD CONSTRAINT webhook_lane_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES public.webhook_endpoint(endpoint_id);

GRANT SELECT,INSERT ON TABLE public.rate_revision TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.rate_tier TO staddle_app;

GRANT SELECT ON TABLE public.rate_span TO staddle_app;

REVOKE ALL ON FUNCTION public.close_reward_piece(run_on date, cell_from smallint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.close_reward_piece(run_on date, cell_from smallint) TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.asset TO staddle_app;

GRANT SELECT,INSERT ON TABLE public."position" TO staddle_app;

GRANT UPDATE(principal) ON TABLE public."position" TO staddle_app;

GRANT UPDATE(tier_offset) ON TABLE public."position" TO staddle_app;

GRANT UPDATE(anchor_days) ON TABLE public."position" TO staddle_app;

GRANT UPDATE(anchor_basis) ON TABLE public."position" TO staddle_app;

GRANT UPDATE(parked_days) ON TABLE public."position" TO staddle_app;

GRANT UPDATE(at_maturity) ON TABLE public."position" TO staddle_app;

GRANT UPDATE(redeem_to) ON TABLE public."position" TO staddle_app;

GRANT UPDATE(ended_at) ON TABLE public."position" TO staddle_app;

GRANT UPDATE(ended_by) ON TABLE public."position" TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.product TO staddle_app;

GRANT UPDATE(name) ON TABLE public.product TO staddle_app;

GRANT UPDATE(state) ON TABLE public.product TO staddle_app;

GRANT UPDATE(version) ON TABLE public.product TO staddle_app;

GRANT UPDATE(subscribe_halt) ON TABLE public.product TO staddle_app;

GRANT UPDATE(redeem_halt) ON TABLE public.product TO staddle_app;

GRANT SELECT ON TABLE public.rate_line TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.desk_log TO staddle_app;

REVOKE ALL ON FUNCTION public.open_reward_day(run_on date, piece_count integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.open_reward_day(run_on date, piece_count integer) TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.reward TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.transfer TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.access_token TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.agreement TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.alarm TO staddle_app;

GRANT UPDATE(details) ON TABLE public.alarm TO staddle_app;

GRANT UPDATE(cleared_at) ON TABLE public.alarm TO staddle_app;

GRANT UPDATE(cleared_by) ON TABLE public.alarm TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.announced TO staddle_app;

GRANT UPDATE(standing) ON TABLE public.announced TO staddle_app;

GRANT UPDATE(announced_at) ON TABLE public.announced TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.api_key TO staddle_app;

GRANT UPDATE(last_used_at) ON TABLE public.api_key TO staddle_app;

GRANT UPDATE(last_used_from) ON TABLE public.api_key TO staddle_app;

GRANT UPDATE(revoked_at) ON TABLE public.api_key TO staddle_app;

GRANT UPDATE(agreement_version) ON TABLE public.api_key TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.approval TO staddle_app;

GRANT UPDATE(decided_by) ON TABLE public.approval TO staddle_app;

GRANT UPDATE(decided_at) ON TABLE public.approval TO staddle_app;

GRANT UPDATE(decision) ON TABLE public.approval TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.approval_effect TO staddle_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.asset_price TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.auto_subscription TO staddle_app;

GRANT UPDATE(product_id) ON TABLE public.auto_subscription TO staddle_app;

GRANT UPDATE(source) ON TABLE public.auto_subscription TO staddle_app;

GRANT UPDATE(floor) ON TABLE public.auto_subscription TO staddle_app;

GRANT UPDATE(agreement_version) ON TABLE public.auto_subscription TO staddle_app;

GRANT UPDATE(is_on) ON TABLE public.auto_subscription TO staddle_app;

GRANT UPDATE(changed_at) ON TABLE public.auto_subscription TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.balance TO staddle_app;

GRANT UPDATE(amount) ON TABLE public.balance TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.cell TO staddle_app;

GRANT UPDATE(watermark_at) ON TABLE public.cell TO staddle_app;

GRANT UPDATE(clock_at) ON TABLE public.cell TO staddle_app;

GRANT UPDATE(customer_count) ON TABLE public.cell TO staddle_app;

GRANT UPDATE(transfer_count) ON TABLE public.cell TO staddle_app;

GRANT UPDATE(position_count) ON TABLE public.cell TO staddle_app;

GRANT UPDATE(quote_count) ON TABLE public.cell TO staddle_app;

GRANT UPDATE(notice_count) ON TABLE public.cell TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.challenge TO staddle_app;

GRANT UPDATE(expires_at) ON TABLE public.challenge TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.client TO staddle_app;

GRANT UPDATE(secret_hash) ON TABLE public.client TO staddle_app;

GRANT UPDATE(revoked_at) ON TABLE public.client TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.closing TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.closing_balance TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.closing_cut TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.closing_late_reward TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.closing_movement TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.consent TO staddle_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.counted_cost TO staddle_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.counted_foresight TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.customer TO staddle_app;

GRANT UPDATE(name) ON TABLE public.customer TO staddle_app;

GRANT UPDATE(country) ON TABLE public.customer TO staddle_app;

GRANT UPDATE(vip_level) ON TABLE public.customer TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.desk TO staddle_app;

GRANT UPDATE(clock_at) ON TABLE public.desk TO staddle_app;

GRANT UPDATE(run_change_max) ON TABLE public.desk TO staddle_app;

GRANT UPDATE(runway_days_min) ON TABLE public.desk TO staddle_app;

GRANT UPDATE(redemptions_times_max) ON TABLE public.desk TO staddle_app;

GRANT UPDATE(redemptions_share_max) ON TABLE public.desk TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.desk_log_seal TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_0 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_1 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_10 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_11 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_12 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_13 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_14 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_15 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_2 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_3 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_4 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_5 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_6 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_7 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_8 TO staddle_app;

GRANT SELECT,INSERT,TRUNCATE ON TABLE public.due_reward_9 TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.email_link TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.external_account TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.forfeited_reward TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.job TO staddle_app;

GRANT UPDATE(done_at) ON TABLE public.job TO staddle_app;

GRANT UPDATE(done_by) ON TABLE public.job TO staddle_app;

GRANT UPDATE(failed_at) ON TABLE public.job TO staddle_app;

GRANT UPDATE(failures) ON TABLE public.job TO staddle_app;

GRANT UPDATE(error) ON TABLE public.job TO staddle_app;

GRANT UPDATE(mark) ON TABLE public.job TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.leader TO staddle_app;

GRANT UPDATE(holder) ON TABLE public.leader TO staddle_app;

GRANT UPDATE(beat) ON TABLE public.leader TO staddle_app;

GRANT UPDATE(recorded_at) ON TABLE public.leader TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.login TO staddle_app;

GRANT UPDATE(email) ON TABLE public.login TO staddle_app;

GRANT UPDATE(password_hash) ON TABLE public.login TO staddle_app;

GRANT UPDATE(is_active) ON TABLE public.login TO staddle_app;

GRANT UPDATE(totp_secret) ON TABLE public.login TO staddle_app;

GRANT UPDATE(totp_proposed) ON TABLE public.login TO staddle_app;

GRANT UPDATE(totp_last_step) ON TABLE public.login TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.notice TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.operator TO staddle_app;

GRANT UPDATE(roles) ON TABLE public.operator TO staddle_app;

GRANT UPDATE(is_active) ON TABLE public.operator TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.parked_position TO staddle_app;

GRANT UPDATE(amount) ON TABLE public.parked_position TO staddle_app;

GRANT UPDATE(reason) ON TABLE public.parked_position TO staddle_app;

GRANT UPDATE(parked_at) ON TABLE public.parked_position TO staddle_app;

GRANT UPDATE(retried_at) ON TABLE public.parked_position TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.passkey TO staddle_app;

GRANT UPDATE(sign_count) ON TABLE public.passkey TO staddle_app;

GRANT UPDATE(last_used_at) ON TABLE public.passkey TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.pool_move TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.position_past TO staddle_app;

GRANT SELECT ON TABLE public.position_span TO staddle_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.preference TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.quota TO staddle_app;

GRANT UPDATE(used) ON TABLE public.quota TO staddle_app;

GRANT UPDATE(total) ON TABLE public.quota TO staddle_app;

GRANT UPDATE(ceiling) ON TABLE public.quota TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.quote TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.rate_announcement TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.rate_guard TO staddle_app;

GRANT UPDATE(apr_min) ON TABLE public.rate_guard TO staddle_app;

GRANT UPDATE(action) ON TABLE public.rate_guard TO staddle_app;

GRANT UPDATE(is_on) ON TABLE public.rate_guard TO staddle_app;

GRANT UPDATE(changed_at) ON TABLE public.rate_guard TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.rate_reading TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.rate_source TO staddle_app;

GRANT UPDATE(ended_at) ON TABLE public.rate_source TO staddle_app;

GRANT UPDATE(ended_by) ON TABLE public.rate_source TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.recovery_code TO staddle_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.redeem_preference TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.request TO staddle_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.request_turn TO staddle_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.request_weight TO staddle_app;

GRANT SELECT ON TABLE public.reward_piece TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.run TO staddle_app;

GRANT UPDATE(state) ON TABLE public.run TO staddle_app;

GRANT UPDATE(held_because) ON TABLE public.run TO staddle_app;

GRANT UPDATE(released_by) ON TABLE public.run TO staddle_app;

GRANT UPDATE(planned_at) ON TABLE public.run TO staddle_app;

GRANT UPDATE(finished_at) ON TABLE public.run TO staddle_app;

GRANT UPDATE(paused_by) ON TABLE public.run TO staddle_app;

GRANT UPDATE(paused_because) ON TABLE public.run TO staddle_app;

GRANT UPDATE(paused_at) ON TABLE public.run TO staddle_app;

GRANT UPDATE(limits) ON TABLE public.run TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.run_attempt TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.run_attempt_end TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.run_due TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.run_piece TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.run_plan TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.run_total TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.seal TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.security_log TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.session TO staddle_app;

GRANT UPDATE(last_used_at) ON TABLE public.session TO staddle_app;

GRANT UPDATE(stepped_up_at) ON TABLE public.session TO staddle_app;

GRANT UPDATE(ended_at) ON TABLE public.session TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.sign_in_provider TO staddle_app;

GRANT UPDATE(issuer) ON TABLE public.sign_in_provider TO staddle_app;

GRANT UPDATE(client_id) ON TABLE public.sign_in_provider TO staddle_app;

GRANT UPDATE(sealed_secret) ON TABLE public.sign_in_provider TO staddle_app;

GRANT UPDATE(reference_claim) ON TABLE public.sign_in_provider TO staddle_app;

GRANT UPDATE(set_by) ON TABLE public.sign_in_provider TO staddle_app;

GRANT UPDATE(set_at) ON TABLE public.sign_in_provider TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.step_up_limit TO staddle_app;

GRANT UPDATE(amount) ON TABLE public.step_up_limit TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.task TO staddle_app;

GRANT UPDATE(begun_by) ON TABLE public.task TO staddle_app;

GRANT UPDATE(begun_at) ON TABLE public.task TO staddle_app;

GRANT UPDATE(begun_count) ON TABLE public.task TO staddle_app;

GRANT UPDATE(progress) ON TABLE public.task TO staddle_app;

GRANT UPDATE(finished_at) ON TABLE public.task TO staddle_app;

GRANT UPDATE(outcome) ON TABLE public.task TO staddle_app;

GRANT UPDATE(result) ON TABLE public.task TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.terms TO staddle_app;

GRANT UPDATE(approved_by) ON TABLE public.terms TO staddle_app;

GRANT UPDATE(approved_at) ON TABLE public.terms TO staddle_app;

GRANT UPDATE(discarded_by) ON TABLE public.terms TO staddle_app;

GRANT UPDATE(discarded_at) ON TABLE public.terms TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.throttle TO staddle_app;

GRANT UPDATE(failure_count) ON TABLE public.throttle TO staddle_app;

GRANT UPDATE(last_failure_at) ON TABLE public.throttle TO staddle_app;

GRANT UPDATE(blocked_until) ON TABLE public.throttle TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.webhook_attempt TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.webhook_cursor TO staddle_app;

GRANT UPDATE(notice_count) ON TABLE public.webhook_cursor TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.webhook_delivery TO staddle_app;

GRANT UPDATE(state) ON TABLE public.webhook_delivery TO staddle_app;

GRANT UPDATE(due_at) ON TABLE public.webhook_delivery TO staddle_app;

GRANT UPDATE(attempt_count) ON TABLE public.webhook_delivery TO staddle_app;

GRANT UPDATE(failing_since) ON TABLE public.webhook_delivery TO staddle_app;

GRANT UPDATE(ended_at) ON TABLE public.webhook_delivery TO staddle_app;

GRANT SELECT,INSERT ON TABLE public.webhook_endpoint TO staddle_app;

GRANT UPDATE(url) ON TABLE public.webhook_endpoint TO staddle_app;

GRANT UPDATE(kinds) ON TABLE public.webhook_endpoint TO staddle_app;

GRANT UPDATE(description) ON TABLE public.webhook_endpoint TO staddle_app;

GRANT UPDATE(state) ON TABLE public.webhook_endpoint TO staddle_app;

GRANT UPDATE(disabled_because) ON TABLE public.webhook_endpoint TO staddle_app;

GRANT UPDATE(secret) ON TABLE public.webhook_endpoint TO staddle_app;

GRANT UPDATE(secret_before) ON TABLE public.webhook_endpoint TO staddle_app;

GRANT UPDATE(secret_before_until) ON TABLE public.webhook_endpoint TO staddle_app;

GRANT UPDATE(failing_since) ON TABLE public.webhook_endpoint TO staddle_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.webhook_lane TO staddle_app;

GRANT UPDATE(due_at) ON TABLE public.webhook_lane TO staddle_app;

GRANT UPDATE(claim) ON TABLE public.webhook_lane TO staddle_app;
