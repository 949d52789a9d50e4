-- name: lock_audit
-- Be the one who audits until the transaction ends; says whether nobody else is.
SELECT pg_try_advisory_xact_lock(hashtext('staddle.audit')) AS is_alone;

-- name: share_snapshot
-- Let the other connections of the audit see exactly what this one sees.
SELECT pg_export_snapshot() AS snapshot;

-- name: size_of_books
-- Say how large the books are, to decide how much one statement looks at.
SELECT (SELECT coalesce(sum(position_count), 0) FROM cell)::bigint AS positions,
       (SELECT min(run_on) FROM reward_piece) AS first_on, (SELECT max(run_on) FROM reward_piece) AS last_on;

-- name: balances
-- Find balances that are not the sum of their transfers and rewards, balances that are missing, and those too many.
WITH reward_sum AS MATERIALIZED (
    SELECT cell, credit_account, sum(amount) AS amount
      FROM reward
     WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s
     GROUP BY cell, credit_account
), moved AS (
    SELECT cell, account_id, sum(amount) AS amount
      FROM (SELECT cell, debit_account AS account_id, -amount AS amount
              FROM transfer WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s
            UNION ALL
            SELECT cell, credit_account, amount
              FROM transfer WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s
            UNION ALL
            SELECT cell, credit_account, amount FROM reward_sum
            UNION ALL
            SELECT cell, (credit_account & 524272) | 9, -amount FROM reward_sum) side
     GROUP BY cell, account_id
)
SELECT cell, 'balance' AS table_name, 'account_id ' || account_id AS row_name,
       CASE WHEN b.amount IS NULL THEN 'it is missing; its transfers and rewards add up to ' || trim_scale(m.amount)
            ELSE 'it says ' || trim_scale(b.amount) || '; its transfers and rewards add up to '
                 || coalesce(trim_scale(m.amount), 0) END AS message
  FROM (SELECT * FROM balance WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s) b
  FULL JOIN moved m USING (cell, account_id)
 WHERE coalesce(b.amount, 0) <> coalesce(m.amount, 0) OR b.amount IS NULL
 LIMIT %(most)s;

-- name: earn_balances
-- Find Earn balances that are not the sum of the customer's open principals in the asset.
SELECT cell, 'balance' AS table_name, 'account_id ' || account_id AS row_name,
       'Earn holds ' || coalesce(trim_scale(b.amount), 0) || '; the open positions hold '
           || coalesce(trim_scale(p.principal), 0) AS message
  FROM (SELECT cell, account_id, amount FROM balance
         WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s AND account_kind(account_id) = 3) b
  FULL JOIN (SELECT cell, (reward_account & ~15::bigint) | 3 AS account_id, sum(principal) AS principal
               FROM position
              WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s AND ended_at IS NULL
              GROUP BY 1, 2) p USING (cell, account_id)
 WHERE coalesce(b.amount, 0) <> coalesce(p.principal, 0)
 LIMIT %(most)s;

-- name: accrued_balances
-- Find accrued balances that are not the sum of the rewards of the customer's open at-maturity positions.
SELECT cell, 'balance' AS table_name, 'account_id ' || account_id AS row_name,
       'accrued are ' || coalesce(trim_scale(b.amount), 0) || '; the rewards of its open positions add up to '
           || coalesce(trim_scale(p.amount), 0) AS message
  FROM (SELECT cell, account_id, amount FROM balance
         WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s AND account_kind(account_id) = 4) b
  FULL JOIN (SELECT p.cell, p.reward_account AS account_id, sum(r.amount) AS amount
               FROM position p
               JOIN reward r ON r.cell = p.cell AND r.position_id = p.position_id
              WHERE p.cell BETWEEN %(cell_from)s AND %(cell_to)s AND r.cell BETWEEN %(cell_from)s AND %(cell_to)s
                AND p.ended_at IS NULL AND account_kind(p.reward_account) = 4
              GROUP BY 1, 2) p USING (cell, account_id)
 WHERE coalesce(b.amount, 0) <> coalesce(p.amount, 0)
 LIMIT %(most)s;

-- name: requests
-- Find transfers of customers that nobody asked for: without a request of that key, answered at that instant.
SELECT t.cell, 'transfer' AS table_name, 'transfer_id ' || t.transfer_id AS row_name,
       CASE WHEN p.position_id IS NOT NULL THEN 'its position did not mature at its instant'
            WHEN r.request_key IS NULL THEN 'there is no request with its key ' || quote_literal(t.request_key)
            WHEN r.effective_at <> t.effective_at THEN 'its request was answered at another instant'
            ELSE 'its request was refused' END AS message
  FROM transfer t
  LEFT JOIN request r ON r.cell = t.cell AND r.customer_id = t.customer_id AND r.request_key = t.request_key
  LEFT JOIN position p ON p.cell = t.cell AND p.position_id = t.position_id
                      AND t.request_key = 'maturity:' || p.position_id AND t.kind IN ('redemption', 'accrued_payout')
  LEFT JOIN LATERAL (SELECT max(h.changed_at) AS changed_at FROM position_past h
                      WHERE h.cell = p.cell AND h.position_id = p.position_id) h ON true
 WHERE t.cell BETWEEN %(cell_from)s AND %(cell_to)s AND t.customer_id > 0 AND t.kind <> 'correction'
   AND CASE WHEN p.position_id IS NOT NULL
            THEN h.changed_at IS DISTINCT FROM t.effective_at OR p.ended_by NOT IN ('maturity', 'renewal', 'to_flexible')
            ELSE r.request_key IS NULL OR r.effective_at <> t.effective_at OR r.answer -> 'error' IS NOT NULL END
 LIMIT %(most)s;

-- name: position_ids
-- Find gaps between the positions of a cell, and counters that are not their number.
(SELECT p.cell, 'position' AS table_name, 'position_id ' || p.before + 256 AS row_name, 'it is missing' AS message
   FROM (SELECT cell, position_id, lag(position_id, 1, cell::bigint) OVER (PARTITION BY cell ORDER BY position_id) AS before
           FROM position
          WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s) p
  WHERE p.position_id - p.before <> 256
  LIMIT %(most)s)
UNION ALL
(SELECT c.cell, 'cell', 'cell ' || c.cell,
        'it has counted ' || c.position_count || ' positions; the last one there is number ' || coalesce(l.position_id / 256, 0)
   FROM cell c
   LEFT JOIN LATERAL (SELECT max(p.position_id) AS position_id FROM position p WHERE p.cell = c.cell) l ON true
  WHERE c.cell BETWEEN %(cell_from)s AND %(cell_to)s AND c.position_count <> coalesce(l.position_id / 256, 0));

-- name: position_terms
-- Find positions that are not as their customer, product and terms have them.
SELECT * FROM (
    SELECT p.cell, 'position' AS table_name, 'position_id ' || p.position_id AS row_name,
           CASE WHEN c.customer_id IS NULL THEN 'its customer is not there'
                WHEN t.product_id IS NULL THEN 'its terms are not there'
                WHEN t.approved_at IS NULL THEN 'its terms were never approved'
                WHEN p.term_days IS DISTINCT FROM t.term_days THEN 'its term is not that of its terms'
                WHEN p.matures_at IS DISTINCT FROM p.started_at + make_interval(hours => 24 * p.term_days)
                THEN 'it does not mature at the end of its term'
                WHEN a.asset_id IS NULL OR account_customer(p.reward_account) <> p.customer_id
                     OR account_kind(p.reward_account) <> CASE t.payout WHEN 'daily' THEN 2 ELSE 4 END
                THEN 'its rewards go to an account that is not the one of its terms'
                WHEN p.locked_revision <> CASE WHEN t.rate_policy = 'floating' THEN 0 ELSE coalesce(v.revision, -1) END
                THEN 'its rate is not the one that was in force when it started'
                WHEN (p.ended_at IS NULL) <> (p.principal > 0) OR (p.ended_at IS NULL) <> (p.ended_by IS NULL)
                THEN 'it has ended and holds a principal, or is open and holds none'
                WHEN p.ended_at IS NOT NULL AND p.parked_days IS NOT NULL THEN 'it has ended and is parked'
                WHEN p.ended_at IS NULL AND p.parked_days IS NULL AND p.matures_at <= w.watermark_at
                THEN 'it has matured and is still open'
                END AS message
      FROM position p
      JOIN cell w ON w.cell = p.cell
      LEFT JOIN customer c ON c.cell = p.cell AND c.customer_id = p.customer_id
      LEFT JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
      LEFT JOIN product o ON o.product_id = p.product_id
      LEFT JOIN asset a ON a.asset_id = o.asset_id AND a.asset_id = account_asset(p.reward_account)
                       AND a.scale = account_scale(p.reward_account)
      LEFT JOIN (SELECT DISTINCT product_id, revision, effective_at, until_at
                   FROM rate_span WHERE locked_revision = 0) v
             ON v.product_id = p.product_id AND p.started_at >= v.effective_at AND p.started_at < v.until_at
     WHERE p.cell BETWEEN %(cell_from)s AND %(cell_to)s) p
 WHERE p.message IS NOT NULL
 LIMIT %(most)s;

-- name: consents
-- Find positions whose customer had not accepted their version of the agreement when they were opened.
SELECT p.cell, 'position' AS table_name, 'position_id ' || p.position_id AS row_name,
       'there is no consent to version ' || p.agreement_version || ' of the agreement from before it started' AS message
  FROM position p
  LEFT JOIN consent c ON c.cell = p.cell AND c.customer_id = p.customer_id AND c.version = p.agreement_version
                     AND c.accepted_at <= p.started_at
 WHERE p.cell BETWEEN %(cell_from)s AND %(cell_to)s AND c.version IS NULL
 LIMIT %(most)s;

-- name: openings
-- Find positions that were not opened by one subscription of their principal (one transfer from each account that paid), or by the maturity of another position.
SELECT * FROM (
    SELECT p.cell, 'position' AS table_name, 'position_id ' || p.position_id AS row_name,
           CASE WHEN p.renewed_from IS NULL AND coalesce(s.acts, 0) + coalesce(s.number - s.accounts, 0) <> 1
                THEN 'it was opened by ' || coalesce(s.number, 0) || ' subscriptions'
                WHEN p.renewed_from IS NULL AND (s.amount <> p.opened_principal OR s.effective_at <> p.started_at
                     OR s.request_key <> p.request_key OR s.customer_id <> p.customer_id
                     OR s.credit_account <> (p.reward_account & ~15::bigint) | 3)
                THEN 'its subscription is of another amount, instant, key or account'
                WHEN p.renewed_from IS NOT NULL AND s.number IS NOT NULL THEN 'it is a renewal, and was subscribed to as well'
                WHEN p.renewed_from IS NOT NULL AND (q.ended_at IS NULL OR q.ended_at <> p.started_at
                     OR q.ended_by NOT IN ('renewal', 'to_flexible') OR q.customer_id <> p.customer_id
                     OR h.principal IS DISTINCT FROM p.opened_principal)
                THEN 'the position it was renewed from did not end so' END AS message
      FROM position p
      LEFT JOIN (SELECT cell, position_id, count(*) AS number, count(DISTINCT act_id) AS acts,
                        count(DISTINCT debit_account) AS accounts, sum(amount) AS amount, min(effective_at) AS effective_at,
                        min(request_key) AS request_key, min(customer_id) AS customer_id, min(credit_account) AS credit_account
                   FROM transfer
                  WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s AND kind = 'subscription'
                  GROUP BY cell, position_id) s ON s.cell = p.cell AND s.position_id = p.position_id
      LEFT JOIN position q ON q.cell = p.cell AND q.position_id = p.renewed_from
      LEFT JOIN LATERAL (SELECT principal FROM position_past h
                          WHERE h.cell = q.cell AND h.position_id = q.position_id
                          ORDER BY h.change DESC LIMIT 1) h ON true
     WHERE p.cell BETWEEN %(cell_from)s AND %(cell_to)s) p
 WHERE p.message IS NOT NULL
 LIMIT %(most)s;

-- name: histories
-- Find positions whose past does not lead, change by change, from what they were opened with to what they hold.
SELECT * FROM (
    SELECT n.cell, n.table_name, n.row_name,
           CASE WHEN n.change <> n.change_expected THEN 'change ' || n.change_expected || ' of it is missing'
                WHEN n.from_days <> n.days_before OR n.from_basis <> n.basis_before
                THEN 'it goes on from day ' || n.from_days || ' with ' || trim_scale(n.from_basis)
                     || '; the change before ends at day ' || n.days_before
                WHEN n.principal > n.principal_before OR (n.change_expected = 1 AND n.principal <> n.principal_before)
                THEN 'it holds ' || trim_scale(n.principal) || ' after ' || trim_scale(n.principal_before)
                WHEN n.change_expected = 1 AND n.tier_offset <> n.offset_before
                THEN 'its place in the tiers is not the one it was opened in'
                WHEN n.changed_at < n.changed_before THEN 'it was changed before the change before'
                END AS message
      FROM (SELECT x.cell, x.table_name, x.row_name, x.change, x.from_days, x.from_basis, x.principal, x.tier_offset, x.changed_at,
                   row_number() OVER w AS change_expected,
                   lag(x.to_days, 1, 0) OVER w AS days_before,
                   lag(x.basis_after, 1, 0::numeric) OVER w AS basis_before,
                   lag(x.principal, 1, x.opened_principal) OVER w AS principal_before,
                   lag(x.tier_offset, 1, x.opened_offset) OVER w AS offset_before,
                   lag(x.changed_at, 1, '-infinity') OVER w AS changed_before
              FROM (SELECT h.cell, h.position_id, 'position_past' AS table_name,
                           'position_id ' || h.position_id || ', change ' || h.change AS row_name, h.change, h.from_days,
                           h.from_basis, h.to_days, h.principal, h.tier_offset, h.changed_at,
                           p.opened_principal, p.opened_offset,
                           basis_after(p.product_id, p.locked_revision, p.started_at, h.principal, h.tier_offset, h.from_days,
                                       h.from_basis, h.to_days) AS basis_after
                      FROM position_past h
                      JOIN position p ON p.cell = h.cell AND p.position_id = h.position_id
                     WHERE h.cell BETWEEN %(cell_from)s AND %(cell_to)s
                    UNION ALL
                    SELECT p.cell, p.position_id, 'position', 'position_id ' || p.position_id,
                           1 + (SELECT count(*) FROM position_past h WHERE h.cell = p.cell AND h.position_id = p.position_id)::integer,
                           p.anchor_days, p.anchor_basis, p.anchor_days, p.principal, p.tier_offset, 'infinity',
                           p.opened_principal, p.opened_offset, p.anchor_basis
                      FROM position p
                     WHERE p.cell BETWEEN %(cell_from)s AND %(cell_to)s) x
            WINDOW w AS (PARTITION BY x.cell, x.position_id ORDER BY x.change, x.table_name DESC)) n) m
 WHERE m.message IS NOT NULL
 LIMIT %(most)s;

-- name: principals
-- Find changes of a principal that are not what was moved out of Earn for the position at that instant.
SELECT cell, 'position' AS table_name, 'position_id ' || position_id AS row_name,
       'at ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' its principal fell by '
           || coalesce(trim_scale(c.amount), 0) || '; moved out of Earn were ' || coalesce(trim_scale(t.amount), 0) AS message
  FROM (SELECT h.cell, h.position_id, h.changed_at AS at, sum(h.principal - h.principal_after) AS amount
          FROM (SELECT h.cell, h.position_id, h.changed_at, h.principal,
                       lead(h.principal, 1, CASE WHEN p.ended_by IN ('renewal', 'to_flexible')
                                                 THEN h.principal ELSE p.principal END)
                           OVER (PARTITION BY h.cell, h.position_id ORDER BY h.change) AS principal_after
                  FROM position_past h
                  JOIN position p ON p.cell = h.cell AND p.position_id = h.position_id
                 WHERE h.cell BETWEEN %(cell_from)s AND %(cell_to)s) h
         GROUP BY h.cell, h.position_id, h.changed_at
        HAVING sum(h.principal - h.principal_after) <> 0) c
  FULL JOIN (SELECT cell, position_id, effective_at AS at, sum(amount) AS amount
               FROM transfer
              WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s AND kind IN ('redemption', 'forfeiture')
                AND account_kind(debit_account) = 3
              GROUP BY cell, position_id, effective_at) t USING (cell, position_id, at)
 WHERE coalesce(c.amount, 0) <> coalesce(t.amount, 0)
 LIMIT %(most)s;

-- name: tier_offsets
-- Find open positions that do not stand in the tiers above the older ones of their holding.
SELECT p.cell, 'position' AS table_name, 'position_id ' || p.position_id AS row_name,
       'it fills the tiers from ' || trim_scale(p.tier_offset) || '; the older positions of the holding hold '
           || trim_scale(p.older) AS message
  FROM (SELECT cell, position_id, tier_offset,
               coalesce(sum(principal) OVER (PARTITION BY cell, customer_id, product_id ORDER BY started_at, position_id
                                             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS older
          FROM position
         WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s AND ended_at IS NULL) p
 WHERE p.tier_offset <> p.older
 LIMIT %(most)s;

-- name: rewards
-- Compute every reward of some days anew, from what each position held and the rates, and find those that differ.
WITH rate AS MATERIALIZED (
    SELECT r.product_id, r.locked_revision, r.effective_at, r.until_at, r.amount_from, r.amount_to, r.apr
      FROM rate_span r
), stretch AS (
    SELECT s.cell, s.position_id, s.reward_account, s.started_at, s.from_days, s.from_basis,
           greatest(s.from_days, days_begun_before(s.started_at, r.effective_at)) AS first,
           least(s.to_days, days_begun_before(s.started_at, r.until_at)) AS last,
           sum(amount_in_tier(s.principal, s.tier_offset, r.amount_from, r.amount_to) * r.apr) AS day_basis
      FROM position_span s
      JOIN rate r ON r.product_id = s.product_id AND r.locked_revision = s.locked_revision
     WHERE s.cell BETWEEN %(cell_from)s AND %(cell_to)s AND s.to_days > s.from_days
       AND days_at_rate(s.started_at, r.effective_at, r.until_at, s.from_days, s.to_days) > 0
     GROUP BY s.cell, s.position_id, s.reward_account, s.started_at, s.from_days, s.from_basis, s.to_days,
              r.effective_at, r.until_at
), behind AS (
    SELECT t.*, t.from_basis + coalesce(sum(t.day_basis * (t.last - t.first))
                    OVER (PARTITION BY t.cell, t.position_id, t.from_days ORDER BY t.first
                          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS basis_before,
           run_on_of(t.started_at, (SELECT distribution_time FROM desk)) AS start_on
      FROM stretch t
), earned AS (
    SELECT b.cell, b.position_id, b.reward_account, b.start_on + d.day AS run_on,
           b.basis_before + b.day_basis * (d.day - b.first) AS basis, b.day_basis, a.unit
      FROM behind b
      JOIN asset a ON a.asset_id = account_asset(b.reward_account)
     CROSS JOIN LATERAL generate_series(greatest(b.first + 1, %(from_on)s - b.start_on),
                                        least(b.last, %(to_on)s - b.start_on)) AS d (day)
), expected AS (
    SELECT e.cell, e.position_id, e.run_on, e.reward_account, e.basis,
           (div(e.basis, 365 * e.unit) - div(e.basis - e.day_basis, 365 * e.unit)) * e.unit AS amount
      FROM earned e
)
SELECT cell, 'reward' AS table_name, 'position_id ' || position_id || ', run_on ' || to_char(run_on, 'YYYY-MM-DD') AS row_name,
       CASE WHEN e.amount IS NULL THEN 'it is there, and nothing was earned that day'
            WHEN r.amount IS NULL THEN 'it is missing; ' || trim_scale(e.amount) || ' was earned'
            WHEN r.amount <> e.amount THEN 'it is ' || trim_scale(r.amount) || '; earned was ' || trim_scale(e.amount)
            WHEN r.basis <> e.basis THEN 'its basis is ' || trim_scale(r.basis) || '; it should be ' || trim_scale(e.basis)
            ELSE 'it went to account ' || r.credit_account || ' instead of ' || e.reward_account END AS message
  FROM (SELECT * FROM expected WHERE amount > 0) e
  FULL JOIN (SELECT cell, position_id, run_on, credit_account, amount, basis
               FROM reward
              WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s AND run_on BETWEEN %(from_on)s AND %(to_on)s) r
      USING (cell, position_id, run_on)
 WHERE e.amount IS DISTINCT FROM r.amount OR e.basis <> r.basis OR e.reward_account <> r.credit_account
 LIMIT %(most)s;

-- name: rewards_once
-- Find pieces of a day without the index that keeps position-days from being paid twice, and what was paid twice in them.
WITH unproved AS MATERIALIZED (
    SELECT p.run_on, p.cell_from, p.cell_to, p.name, p.is_filled
      FROM reward_piece p
     WHERE NOT EXISTS (
           SELECT FROM pg_index i
            WHERE i.indrelid = to_regclass(quote_ident(p.name)) AND i.indisunique AND i.indisvalid
              AND pg_get_indexdef(i.indexrelid) LIKE ANY (
                  CASE WHEN p.is_filled THEN ARRAY['%%(position_id, cell, run_on)', '%%(cell, position_id, run_on)']
                       ELSE ARRAY['%%(cell, position_id, run_on) WHERE is_early'] END))
), doubled AS (
    SELECT d.cell, d.position_id, u.run_on, d.number
      FROM unproved u
     CROSS JOIN LATERAL (SELECT r.cell, r.position_id, count(*) AS number
                           FROM reward r
                          WHERE r.run_on = u.run_on AND r.cell BETWEEN u.cell_from AND u.cell_to
                          GROUP BY r.cell, r.position_id
                         HAVING count(*) > 1) d
)
(SELECT d.cell, 'reward' AS table_name,
        'position_id ' || d.position_id || ', run_on ' || to_char(d.run_on, 'YYYY-MM-DD') AS row_name,
        'it was paid ' || d.number || ' times' AS message
   FROM doubled d
  LIMIT %(most)s)
UNION ALL
(SELECT u.cell_from, 'reward_piece', 'name ' || u.name, 'it lacks the unique index that proves each position-day paid once'
   FROM unproved u
  LIMIT %(most)s);

-- name: ended_days
-- Find ended positions that were not settled through the last accrual day that they had earned; an act that waited for
-- the run at a distribution time finds one day more, paid by that run.
SELECT * FROM (
    SELECT p.cell, 'position' AS table_name, 'position_id ' || p.position_id AS row_name,
           CASE WHEN h.to_days IS DISTINCT FROM p.anchor_days THEN 'its past does not end where it ended'
                WHEN p.ended_by IN ('maturity', 'renewal', 'to_flexible')
                     AND (p.anchor_days <> p.term_days OR p.ended_at < p.matures_at)
                THEN 'it matured after ' || p.anchor_days || ' of ' || p.term_days || ' days'
                WHEN p.ended_by IN ('redemption', 'early_redemption')
                     AND p.anchor_days <> least(greatest(h.from_days, full_days(p.started_at, l.through)), p.term_days)
                     AND NOT EXISTS (SELECT FROM reward r
                                      WHERE r.cell = p.cell AND r.position_id = p.position_id AND NOT r.is_early
                                        AND p.anchor_days = 1 + full_days(p.started_at, l.through)
                                        AND r.run_on = run_on_of(p.started_at, d.distribution_time) + p.anchor_days)
                THEN 'it was settled through day ' || p.anchor_days || ', not day ' || full_days(p.started_at, l.through)
                END AS message
      FROM position p
      JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
     CROSS JOIN desk d
     CROSS JOIN LATERAL (SELECT CASE WHEN p.ended_by = 'early_redemption' AND t.early_redemption <> 'reduced_apr'
                                     THEN ((p.ended_at AT TIME ZONE 'UTC' - d.distribution_time::interval)::date
                                           + d.distribution_time) AT TIME ZONE 'UTC'
                                     ELSE p.ended_at END AS through) l
      LEFT JOIN LATERAL (SELECT h.from_days, h.to_days FROM position_past h
                          WHERE h.cell = p.cell AND h.position_id = p.position_id
                          ORDER BY h.change DESC LIMIT 1) h ON true
     WHERE p.cell BETWEEN %(cell_from)s AND %(cell_to)s AND p.ended_at IS NOT NULL) p
 WHERE p.message IS NOT NULL
 LIMIT %(most)s;

-- name: forfeitures
-- Find early redemptions that did not take back what the position's terms say, no more and no less.
WITH taken AS (
    SELECT cell, position_id, sum(amount) AS amount
      FROM transfer
     WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s AND kind = 'forfeiture'
     GROUP BY cell, position_id
), ended AS (
    SELECT p.cell, p.position_id, t.payout, h.principal, e.rewards,
           CASE t.early_redemption
           WHEN 'keep_fraction' THEN div(t.kept_fraction * e.rewards, a.unit) * a.unit
           WHEN 'reduced_apr'
           THEN CASE WHEN e.days_held < t.reduced_apr_days_min THEN 0
                     ELSE least(e.rewards, paid_by(h.principal * t.reduced_apr * e.days_held, a.unit)) END
           ELSE 0 END AS kept
      FROM position p
      JOIN terms t ON t.product_id = p.product_id AND t.version = p.version
      JOIN asset a ON a.asset_id = account_asset(p.reward_account)
     CROSS JOIN LATERAL (SELECT paid_by(p.anchor_basis, a.unit) AS rewards, full_days(p.started_at, p.ended_at) AS days_held) e
      JOIN LATERAL (SELECT h.principal FROM position_past h
                     WHERE h.cell = p.cell AND h.position_id = p.position_id
                     ORDER BY h.change DESC LIMIT 1) h ON true
     WHERE p.cell BETWEEN %(cell_from)s AND %(cell_to)s AND p.ended_by = 'early_redemption'
), due AS (
    SELECT cell, position_id,
           CASE payout WHEN 'at_maturity' THEN rewards - kept ELSE least(rewards - kept, principal) END AS amount
      FROM ended
)
SELECT cell, 'position' AS table_name, 'position_id ' || position_id AS row_name,
       'forfeited were ' || coalesce(trim_scale(t.amount), 0) || '; its terms say ' || coalesce(trim_scale(d.amount), 0) AS message
  FROM taken t
  FULL JOIN due d USING (cell, position_id)
 WHERE coalesce(t.amount, 0) <> coalesce(d.amount, 0)
 LIMIT %(most)s;

-- name: forfeited_rewards
-- Find forfeitures whose links to rewards do not add up, and links that take back more than the reward.
(SELECT t.cell, 'transfer' AS table_name, 'transfer_id ' || t.transfer_id AS row_name,
        'it forfeits ' || trim_scale(t.amount) || '; its links to rewards add up to '
            || coalesce(trim_scale(f.amount), 0) AS message
   FROM transfer t
   LEFT JOIN (SELECT cell, transfer_id, position_id, sum(amount) AS amount
                FROM forfeited_reward
               WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s
               GROUP BY cell, transfer_id, position_id) f
          ON f.cell = t.cell AND f.transfer_id = t.transfer_id AND f.position_id = t.position_id
  WHERE t.cell BETWEEN %(cell_from)s AND %(cell_to)s AND t.kind = 'forfeiture' AND t.amount <> coalesce(f.amount, 0)
  LIMIT %(most)s)
UNION ALL
(SELECT f.cell, 'forfeited_reward', 'position_id ' || f.position_id || ', run_on ' || to_char(f.run_on, 'YYYY-MM-DD'),
        CASE WHEN t.transfer_id IS NULL THEN 'it names no forfeiture of its position'
             WHEN r.amount IS NULL THEN 'it takes back a reward that is not there'
             ELSE 'it takes back ' || trim_scale(f.amount) || ' of a reward of ' || trim_scale(r.amount) END
   FROM forfeited_reward f
   LEFT JOIN transfer t ON t.cell = f.cell AND t.transfer_id = f.transfer_id AND t.kind = 'forfeiture'
                       AND t.position_id = f.position_id
   LEFT JOIN reward r ON r.cell = f.cell AND r.position_id = f.position_id AND r.run_on = f.run_on
  WHERE f.cell BETWEEN %(cell_from)s AND %(cell_to)s
    AND (t.transfer_id IS NULL OR r.amount IS NULL OR f.amount > r.amount)
  LIMIT %(most)s);

-- name: run_totals
-- Find totals of a run's pieces, by product, that are not the sum of the rewards it paid.
SELECT coalesce(t.cell_from, -1)::smallint AS cell, 'run_total' AS table_name,
       'run_on ' || to_char(run_on, 'YYYY-MM-DD') || ', cell_from ' || cell_from || ', product_id ' || product_id AS row_name,
       'it says ' || coalesce(t.reward_count, 0) || ' rewards of ' || coalesce(trim_scale(t.amount), 0) || '; there are '
           || coalesce(r.reward_count, 0) || ' of ' || coalesce(trim_scale(r.amount), 0) AS message
  FROM (SELECT * FROM run_total WHERE run_on BETWEEN %(from_on)s AND %(to_on)s) t
  FULL JOIN (SELECT r.run_on, i.cell_from, p.product_id, count(*) AS reward_count, sum(r.amount) AS amount
               FROM reward r
               JOIN position p ON p.cell = r.cell AND p.position_id = r.position_id
               JOIN reward_piece i ON i.run_on = r.run_on AND r.cell BETWEEN i.cell_from AND i.cell_to
              WHERE r.run_on BETWEEN %(from_on)s AND %(to_on)s AND NOT r.is_early
              GROUP BY r.run_on, i.cell_from, p.product_id) r USING (run_on, cell_from, product_id)
 WHERE t.amount IS DISTINCT FROM r.amount OR t.reward_count IS DISTINCT FROM r.reward_count
 LIMIT %(most)s;

-- name: run_plans
-- Find finished runs whose plan, by product, is not what was paid for the day and what was parked.
SELECT -1::smallint AS cell, 'run_plan' AS table_name,
       'run_on ' || to_char(run_on, 'YYYY-MM-DD') || ', product_id ' || product_id AS row_name,
       'planned were ' || coalesce(l.reward_count, 0) || ' rewards of ' || coalesce(trim_scale(l.amount), 0)
           || '; paid and parked were ' || coalesce(r.reward_count, 0) || ' of ' || coalesce(trim_scale(r.amount), 0) AS message
  FROM (SELECT l.* FROM run_plan l JOIN run n ON n.run_on = l.run_on AND n.state = 'finished'
         WHERE l.run_on BETWEEN %(from_on)s AND %(to_on)s AND l.amount > 0) l
  FULL JOIN (SELECT x.run_on, p.product_id, sum(x.reward_count) AS reward_count, sum(x.amount) AS amount
               FROM (SELECT run_on, cell, position_id, 1 AS reward_count, amount FROM reward
                      WHERE run_on BETWEEN %(from_on)s AND %(to_on)s AND NOT is_late
                     UNION ALL
                     SELECT run_on, cell, position_id, 1, amount FROM parked_position
                      WHERE run_on BETWEEN %(from_on)s AND %(to_on)s AND amount > 0) x
               JOIN run n ON n.run_on = x.run_on AND n.state = 'finished'
               JOIN position p ON p.cell = x.cell AND p.position_id = x.position_id
              GROUP BY x.run_on, p.product_id) r USING (run_on, product_id)
 WHERE l.amount IS DISTINCT FROM r.amount OR l.reward_count IS DISTINCT FROM r.reward_count
 LIMIT %(most)s;

-- name: runs
-- Find runs that are not of consecutive days and complete, and pieces that do not agree with what they paid.
(SELECT -1::smallint AS cell, 'run' AS table_name, 'run_on ' || to_char(r.run_on, 'YYYY-MM-DD') AS row_name,
        CASE WHEN r.run_on <> r.expected_on THEN 'the run of ' || to_char(r.expected_on, 'YYYY-MM-DD') || ' is missing before it'
             WHEN r.distributed_at <> r.due_at THEN 'its instant is not the distribution time of its date'
             ELSE 'it is finished and has paid ' || r.cells || ' of 256 cells' END AS message
   FROM (SELECT r.run_on, r.state, r.distributed_at, (r.run_on + d.distribution_time) AT TIME ZONE 'UTC' AS due_at,
                lag(r.run_on, 1, r.run_on - 1) OVER (ORDER BY r.run_on) + 1 AS expected_on,
                (SELECT coalesce(sum(p.cell_to - p.cell_from + 1), 0) FROM run_piece p WHERE p.run_on = r.run_on) AS cells
           FROM run r
          CROSS JOIN desk d) r
  WHERE r.run_on <> r.expected_on OR r.distributed_at <> r.due_at OR (r.state = 'finished' AND r.cells <> 256)
  LIMIT %(most)s)
UNION ALL
(SELECT coalesce(p.cell_from, i.cell_from), 'run_piece',
        'run_on ' || to_char(run_on, 'YYYY-MM-DD') || ', cell_from ' || cell_from,
        CASE WHEN i.name IS NULL OR p.cell_to <> i.cell_to THEN 'its day is not cut so'
             WHEN i.is_filled <> (p.run_on IS NOT NULL) THEN 'it is filled without having been paid, or paid without being filled'
             ELSE 'it says ' || p.reward_count || ' rewards; its totals say ' || coalesce(t.reward_count, 0) END
   FROM run_piece p
   FULL JOIN reward_piece i USING (run_on, cell_from)
   LEFT JOIN (SELECT run_on, cell_from, sum(reward_count) AS reward_count
                FROM run_total GROUP BY run_on, cell_from) t USING (run_on, cell_from)
  WHERE i.name IS NULL OR p.cell_to <> i.cell_to OR i.is_filled <> (p.run_on IS NOT NULL)
     OR p.reward_count <> coalesce(t.reward_count, 0)
  LIMIT %(most)s);

-- name: watermarks
-- Find cells whose watermark is not the instant of the last run that paid them.
SELECT w.cell, 'cell' AS table_name, 'cell ' || w.cell AS row_name,
       'its watermark is ' || to_char(w.watermark_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || '; it was last paid at '
           || to_char(w.paid_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS message
  FROM (SELECT c.cell, c.watermark_at,
               coalesce((SELECT max(r.distributed_at) FROM run_piece p JOIN run r ON r.run_on = p.run_on
                          WHERE c.cell BETWEEN p.cell_from AND p.cell_to),
                        ((d.created_at AT TIME ZONE 'UTC' - d.distribution_time::interval)::date + d.distribution_time)
                            AT TIME ZONE 'UTC') AS paid_at
          FROM cell c
         CROSS JOIN desk d) w
 WHERE w.watermark_at <> w.paid_at
 LIMIT %(most)s;

-- name: quotas
-- Find quotas whose use is not the sum of the product's open principals.
SELECT -1::smallint AS cell, 'quota' AS table_name, 'product_id ' || product_id AS row_name,
       CASE WHEN q.used IS NULL THEN 'it is missing; the open positions hold ' || trim_scale(p.principal)
            ELSE 'it says ' || trim_scale(q.used) || '; the open positions hold ' || coalesce(trim_scale(p.principal), 0)
            END AS message
  FROM quota q
  FULL JOIN (SELECT product_id, sum(principal) AS principal FROM position WHERE ended_at IS NULL GROUP BY product_id) p
      USING (product_id)
 WHERE coalesce(q.used, 0) <> coalesce(p.principal, 0) OR q.used IS NULL
 LIMIT %(most)s;

-- name: rates
-- Find rate revisions that are out of order, back-dated, or without tiers that cover every amount.
SELECT * FROM (
    SELECT -1::smallint AS cell, 'rate_revision' AS table_name,
           'product_id ' || r.product_id || ', revision ' || r.revision AS row_name,
           CASE WHEN r.revision <> r.expected THEN 'revision ' || r.expected || ' is missing or out of order'
                WHEN r.effective_at < r.published_at THEN 'it takes effect before it was published'
                WHEN r.approved_by = r.proposed_by THEN 'it was approved by whom it was proposed'
                WHEN t.number IS NULL OR t.first <> 0 OR t.gaps > 0 OR t.endless <> 1
                THEN 'its tiers do not cover every amount once' END AS message
      FROM (SELECT *, row_number() OVER (PARTITION BY product_id ORDER BY effective_at) AS expected
              FROM rate_revision) r
      LEFT JOIN (SELECT product_id, revision, count(*) AS number, min(amount_from) AS first,
                        count(*) FILTER (WHERE amount_to IS DISTINCT FROM amount_next) AS gaps,
                        count(*) FILTER (WHERE amount_to IS NULL) AS endless
                   FROM (SELECT *, lead(amount_from) OVER (PARTITION BY product_id, revision ORDER BY amount_from) AS amount_next
                           FROM rate_tier) t
                  GROUP BY product_id, revision) t ON t.product_id = r.product_id AND t.revision = r.revision) r
 WHERE r.message IS NOT NULL
 LIMIT %(most)s;

-- name: sealed_rewards
-- Find run dates of a cell whose rewards no longer have the hash they were sealed with.
SELECT s.cell, 'seal' AS table_name, 'number ' || s.number AS row_name,
       'the rewards of ' || to_char(s.run_on, 'YYYY-MM-DD') || ' (' || coalesce(b.row_count, 0) || ' of ' || s.row_count
           || ') do not have the hash they were sealed with' AS message
  FROM seal s
  LEFT JOIN (SELECT r.cell, r.run_on, count(*) AS row_count, string_agg(sealed_line(r), chr(10) ORDER BY r.position_id) AS lines
               FROM reward r
              WHERE r.cell BETWEEN %(cell_from)s AND %(cell_to)s AND r.run_on BETWEEN %(from_on)s AND %(to_on)s
                AND NOT r.is_late
              GROUP BY r.cell, r.run_on) b ON b.cell = s.cell AND b.run_on = s.run_on
 WHERE s.cell BETWEEN %(cell_from)s AND %(cell_to)s AND s.run_on BETWEEN %(from_on)s AND %(to_on)s AND s.covers = 'rewards'
   AND s.hash IS DISTINCT FROM seal_hash(s.cell, s.number, s.covers, s.first_transfer, s.last_transfer, s.run_on,
                                         s.late_positions, s.row_count, s.previous_hash, s.sealed_at, coalesce(b.lines, ''))
 LIMIT %(most)s;

-- name: sealed_late_rewards
-- Find seals of rewards that were paid late which those rewards no longer have the hash of.
SELECT s.cell, 'seal' AS table_name, 'number ' || s.number AS row_name,
       'the late rewards of ' || to_char(s.run_on, 'YYYY-MM-DD') || ' do not have the hash they were sealed with' AS message
  FROM seal s
 CROSS JOIN LATERAL (SELECT string_agg(sealed_line(r), chr(10) ORDER BY r.position_id) AS lines
                       FROM reward r
                      WHERE r.cell = s.cell AND r.run_on = s.run_on AND r.position_id = ANY(s.late_positions)
                        AND r.is_early AND r.is_late) b
 WHERE s.cell BETWEEN %(cell_from)s AND %(cell_to)s AND s.covers = 'late_rewards'
   AND s.hash IS DISTINCT FROM seal_hash(s.cell, s.number, s.covers, s.first_transfer, s.last_transfer, s.run_on,
                                         s.late_positions, s.row_count, s.previous_hash, s.sealed_at, coalesce(b.lines, ''))
 LIMIT %(most)s;

-- name: unsealed_rewards
-- Say which finished runs are not sealed in every cell yet.
SELECT -1::smallint AS cell, 'run' AS table_name, 'run_on ' || to_char(r.run_on, 'YYYY-MM-DD') AS row_name,
       'its rewards are sealed in ' || coalesce(s.cells, 0) || ' of 256 cells' AS message
  FROM run r
  LEFT JOIN (SELECT run_on, count(*) AS cells FROM seal WHERE covers = 'rewards' GROUP BY run_on) s ON s.run_on = r.run_on
 WHERE r.state = 'finished' AND coalesce(s.cells, 0) < 256
 ORDER BY r.run_on
 LIMIT %(most)s;

-- name: parked
-- Say which positions are parked.
SELECT p.cell, 'position' AS table_name, 'position_id ' || p.position_id AS row_name,
       'it is parked after day ' || p.parked_days || ': ' || coalesce(k.reason, 'nobody has said why') AS message
  FROM position p
  LEFT JOIN LATERAL (SELECT k.reason FROM parked_position k
                      WHERE k.cell = p.cell AND k.position_id = p.position_id AND k.retried_at IS NULL
                      ORDER BY k.run_on DESC LIMIT 1) k ON true
 WHERE p.cell BETWEEN %(cell_from)s AND %(cell_to)s AND p.parked_days IS NOT NULL
 ORDER BY p.position_id
 LIMIT %(most)s;

-- name: closings
-- Find closings that are not of the next finished run, do not cut every cell further on, do not add up to zero, or do not
-- carry each balance on from the closing before by what moved.
WITH day AS (
    SELECT c.closed_on, lag(c.closed_on) OVER (ORDER BY c.closed_on) AS closed_before FROM closing c
), carried AS (
    SELECT s.closed_on, s.asset_id, s.account_kind, sum(s.amount) AS amount
      FROM (SELECT d.closed_on, b.asset_id, b.account_kind, b.amount
              FROM day d JOIN closing_balance b ON b.closed_on = d.closed_before
            UNION ALL
            SELECT m.closed_on, m.asset_id, m.debit_kind, -m.amount FROM closing_movement m
            UNION ALL
            SELECT m.closed_on, m.asset_id, m.credit_kind, m.amount FROM closing_movement m) s
     GROUP BY s.closed_on, s.asset_id, s.account_kind
)
(SELECT -1 AS cell, 'closing' AS table_name, 'closed_on ' || to_char(d.closed_on, 'YYYY-MM-DD') AS row_name,
        CASE WHEN r.state IS DISTINCT FROM 'finished' THEN 'its run is not finished'
             ELSE 'the day before it is not closed' END AS message
   FROM day d
   LEFT JOIN run r ON r.run_on = d.closed_on
  WHERE r.state IS DISTINCT FROM 'finished'
     OR d.closed_before IS DISTINCT FROM (SELECT max(x.run_on) FROM run x WHERE x.run_on < d.closed_on)
  LIMIT %(most)s)
UNION ALL
(SELECT c.cell, 'closing_cut', 'closed_on ' || to_char(d.closed_on, 'YYYY-MM-DD') || ', cell ' || c.cell,
        CASE WHEN k.through_transfer IS NULL THEN 'it is missing'
             ELSE 'it cuts at transfer ' || k.through_transfer || ', the one before at ' || b.through_transfer END
   FROM day d
  CROSS JOIN cell c
   LEFT JOIN closing_cut k ON k.cell = c.cell AND k.closed_on = d.closed_on
   LEFT JOIN closing_cut b ON b.cell = c.cell AND b.closed_on = d.closed_before
  WHERE k.through_transfer IS NULL OR k.through_transfer < b.through_transfer
  LIMIT %(most)s)
UNION ALL
(SELECT -1, 'closing_balance', 'closed_on ' || to_char(b.closed_on, 'YYYY-MM-DD') || ', asset_id ' || b.asset_id,
        'the balances of the closing add up to ' || trim_scale(sum(b.amount)) || ', not to 0'
   FROM closing_balance b
  GROUP BY b.closed_on, b.asset_id
 HAVING sum(b.amount) <> 0
  LIMIT %(most)s)
UNION ALL
(SELECT -1, 'closing_balance',
        'closed_on ' || to_char(closed_on, 'YYYY-MM-DD') || ', asset_id ' || asset_id || ', account_kind ' || account_kind,
        'it says ' || coalesce(trim_scale(b.amount), 0) || '; the closing before and what moved since add up to '
            || coalesce(trim_scale(c.amount), 0)
   FROM closing_balance b
   FULL JOIN carried c USING (closed_on, asset_id, account_kind)
  WHERE coalesce(b.amount, 0) <> coalesce(c.amount, 0)
  LIMIT %(most)s);

-- name: closing_movements
-- Add up anew what moved between the closings of some days, from the transfers between their cuts and the rewards, and
-- find what differs.
WITH day AS MATERIALIZED (
    SELECT d.closed_on, d.closed_before
      FROM (SELECT c.closed_on, lag(c.closed_on) OVER (ORDER BY c.closed_on) AS closed_before FROM closing c) d
     WHERE d.closed_on BETWEEN %(from_on)s AND %(to_on)s
), rewarded AS (
    SELECT r.run_on, account_asset(r.credit_account) AS asset_id, account_kind(r.credit_account) AS credit_kind,
           count(*) AS move_count, sum(r.amount) AS amount
      FROM reward r
     WHERE NOT r.is_late AND r.run_on <= %(to_on)s
       AND r.run_on > coalesce((SELECT max(c.closed_on) FROM closing c WHERE c.closed_on < %(from_on)s), '-infinity')
     GROUP BY 1, 2, 3
), expected AS (
    SELECT m.closed_on, m.asset_id, m.kind, m.debit_kind, m.credit_kind, sum(m.move_count) AS move_count,
           sum(m.amount) AS amount
      FROM (SELECT d.closed_on, account_asset(t.credit_account) AS asset_id, t.kind::text AS kind,
                   account_kind(t.debit_account) AS debit_kind, account_kind(t.credit_account) AS credit_kind,
                   count(*) AS move_count, sum(t.amount) AS amount
              FROM day d
              JOIN closing_cut k ON k.closed_on = d.closed_on
              LEFT JOIN closing_cut b ON b.cell = k.cell AND b.closed_on = d.closed_before
              JOIN transfer t ON t.cell = k.cell AND t.transfer_id > coalesce(b.through_transfer, 0)
                             AND t.transfer_id <= k.through_transfer
             GROUP BY 1, 2, 3, 4, 5
            UNION ALL
            SELECT d.closed_on, r.asset_id, 'reward', 9, r.credit_kind, r.move_count, r.amount
              FROM day d
              JOIN rewarded r ON r.run_on > coalesce(d.closed_before, '-infinity') AND r.run_on <= d.closed_on
            UNION ALL
            SELECT d.closed_on, account_asset(r.credit_account), 'reward', 9, account_kind(r.credit_account), 1, r.amount
              FROM day d
              JOIN closing_late_reward l ON l.closed_on = d.closed_on
              JOIN reward r ON r.cell = l.cell AND r.position_id = l.position_id AND r.run_on = l.run_on AND r.is_late) m
     GROUP BY 1, 2, 3, 4, 5
)
SELECT -1 AS cell, 'closing_movement' AS table_name,
       'closed_on ' || to_char(closed_on, 'YYYY-MM-DD') || ', asset_id ' || asset_id || ', ' || kind || ' from ' || debit_kind
           || ' to ' || credit_kind AS row_name,
       'it says ' || coalesce(trim_scale(m.amount), 0) || ' in ' || coalesce(m.move_count, 0) || '; in the books are '
           || coalesce(trim_scale(e.amount), 0) || ' in ' || coalesce(e.move_count, 0) AS message
  FROM (SELECT m.* FROM closing_movement m JOIN day d ON d.closed_on = m.closed_on) m
  FULL JOIN expected e USING (closed_on, asset_id, kind, debit_kind, credit_kind)
 WHERE (coalesce(m.amount, 0), coalesce(m.move_count, 0)) <> (coalesce(e.amount, 0), coalesce(e.move_count, 0))
 LIMIT %(most)s;

-- name: newest_closing
-- Hold the newest closing, and what the books say has moved since, against what all accounts hold.
WITH newest AS MATERIALIZED (
    SELECT max(closed_on) AS closed_on FROM closing
), since AS (
    SELECT t.debit_account, t.credit_account, t.amount
      FROM newest n
      JOIN closing_cut k ON k.closed_on = n.closed_on
      JOIN transfer t ON t.cell = k.cell AND t.transfer_id > k.through_transfer
    UNION ALL
    SELECT (r.credit_account & 524272) | 9, r.credit_account, r.amount
      FROM reward r
     WHERE NOT r.is_late AND r.run_on > (SELECT n.closed_on FROM newest n)
    UNION ALL
    SELECT (r.credit_account & 524272) | 9, r.credit_account, r.amount
      FROM (SELECT DISTINCT cell, position_id FROM parked_position) p
      JOIN reward r ON r.cell = p.cell AND r.position_id = p.position_id AND r.is_early AND r.is_late
     WHERE NOT EXISTS (SELECT FROM closing_late_reward l
                        WHERE l.cell = r.cell AND l.position_id = r.position_id AND l.run_on = r.run_on)
), expected AS (
    SELECT s.asset_id, s.account_kind, sum(s.amount) AS amount
      FROM (SELECT b.asset_id, b.account_kind::integer, b.amount
              FROM newest n JOIN closing_balance b ON b.closed_on = n.closed_on
            UNION ALL
            SELECT account_asset(debit_account), account_kind(debit_account), -amount FROM since
            UNION ALL
            SELECT account_asset(credit_account), account_kind(credit_account), amount FROM since) s
     GROUP BY 1, 2
), held AS (
    SELECT account_asset(b.account_id) AS asset_id, account_kind(b.account_id) AS account_kind, sum(b.amount) AS amount
      FROM balance b
     GROUP BY 1, 2
)
SELECT -1 AS cell, 'closing_balance' AS table_name,
       'closed_on ' || to_char(n.closed_on, 'YYYY-MM-DD') || ', asset_id ' || asset_id || ', account_kind ' || account_kind AS row_name,
       'with what moved since it makes ' || coalesce(trim_scale(e.amount), 0) || '; the accounts hold '
           || coalesce(trim_scale(h.amount), 0) AS message
  FROM newest n
 CROSS JOIN (expected e FULL JOIN held h USING (asset_id, account_kind))
 WHERE n.closed_on IS NOT NULL AND coalesce(e.amount, 0) <> coalesce(h.amount, 0)
 LIMIT %(most)s;
