-- name: lock_cells
-- Hold the rows of some cells until the transaction ends, in order of cell.
SELECT cell, watermark_at, clock_at, customer_count, transfer_count, position_count, quote_count, notice_count
  FROM cell
 WHERE cell = ANY(%(cells)s::smallint[])
 ORDER BY cell
   FOR UPDATE;

-- name: save_cells
-- Write back the counters that ids were made from, and the cells' clocks.
UPDATE cell c
   SET clock_at = n.clock_at, customer_count = n.customers, transfer_count = n.transfers, position_count = n.positions,
       quote_count = n.quotes, notice_count = n.notices
  FROM unnest(%(cells)s::smallint[], %(clocks)s::timestamptz[], %(customers)s::bigint[], %(transfers)s::bigint[], %(positions)s::bigint[],
              %(quotes)s::bigint[], %(notices)s::bigint[])
       AS n (cell, clock_at, customers, transfers, positions, quotes, notices)
 WHERE c.cell = n.cell;

-- name: bring_forward
-- Let nothing happen in some cells before an instant any more.
UPDATE cell SET clock_at = %(instant)s WHERE cell = ANY(%(cells)s::smallint[]) AND clock_at < %(instant)s;

-- name: open_balances
-- Make sure that every account named has a row.
INSERT INTO balance (cell, account_id, amount)
SELECT a.cell, a.account_id, 0
  FROM unnest(%(cells)s::smallint[], %(account_ids)s::bigint[]) AS a (cell, account_id)
 WHERE NOT EXISTS (SELECT FROM balance b WHERE b.cell = a.cell AND b.account_id = a.account_id)
    ON CONFLICT (cell, account_id) DO NOTHING;

-- name: post_transfers
-- Insert transfers and move the balances by exactly what was inserted; an account without a row gets one with what it holds.
WITH posted AS (
    INSERT INTO transfer (cell, transfer_id, act_id, kind, customer_id, debit_account, credit_account, amount,
                          effective_at, request_key, position_id, corrects)
    SELECT (t.transfer_id & 255)::smallint, t.transfer_id, t.act_id, t.kind::transfer_kind, t.customer_id,
           t.debit_account, t.credit_account, t.amount, %(now)s, t.request_key, t.position_id, t.corrects
      FROM unnest(%(transfer_id)s::bigint[], %(act_id)s::bigint[], %(kind)s::text[], %(customer_id)s::bigint[],
                  %(debit_account)s::bigint[], %(credit_account)s::bigint[], %(amount)s::numeric[],
                  %(request_key)s::text[], %(position_id)s::bigint[], %(corrects)s::bigint[])
           AS t (transfer_id, act_id, kind, customer_id, debit_account, credit_account, amount, request_key,
                 position_id, corrects)
    RETURNING cell, debit_account, credit_account, amount
), change AS (
    SELECT cell, account_id, sum(amount) AS amount
      FROM (SELECT cell, debit_account AS account_id, -amount AS amount FROM posted
            UNION ALL
            SELECT cell, credit_account, amount FROM posted) side
     GROUP BY cell, account_id
), moved AS (
    UPDATE balance b
       SET amount = b.amount + c.amount
      FROM change c
     WHERE b.cell = c.cell AND b.account_id = c.account_id
    RETURNING b.cell, b.account_id
)
INSERT INTO balance (cell, account_id, amount)
SELECT c.cell, c.account_id, c.amount
  FROM change c
 WHERE NOT EXISTS (SELECT FROM moved m WHERE m.cell = c.cell AND m.account_id = c.account_id);

-- name: stored_requests
-- Find the stored answers of some keys.
SELECT r.customer_id, r.request_key, r.act, r.fingerprint, r.answer
  FROM unnest(%(customer_ids)s::bigint[], %(request_keys)s::text[]) AS k (customer_id, request_key)
  JOIN request r ON r.cell = (k.customer_id & 255)::smallint AND r.customer_id = k.customer_id
                AND r.request_key = k.request_key;

-- name: store_requests
-- Keep the answers of some keys for ever.
INSERT INTO request (cell, customer_id, request_key, act, fingerprint, answer, effective_at)
SELECT (r.customer_id & 255)::smallint, r.customer_id, r.request_key, %(act)s, r.fingerprint, r.answer, %(now)s
  FROM ROWS FROM (unnest(%(customer_id)s::bigint[], %(request_key)s::text[], %(fingerprint)s::bytea[]),
                  json_array_elements(%(answers)s::json)) AS r (customer_id, request_key, fingerprint, answer);

-- name: add_asset
-- Add a coin.
INSERT INTO asset (asset_id, code, name, scale, unit)
SELECT coalesce(max(asset_id), 0) + 1, %(code)s, %(name)s, %(scale)s, %(unit)s FROM asset
RETURNING asset_id, code, name, scale, unit;

-- name: lock_assets
-- Let one process at a time add coins.
SELECT pg_advisory_xact_lock(hashtext('asset'));

-- name: assets
-- Read all coins.
SELECT asset_id, code, name, scale, unit FROM asset ORDER BY asset_id;

-- name: balances_of
-- Read the balances of some accounts.
SELECT b.account_id, b.amount
  FROM balance b
  JOIN unnest(%(cells)s::smallint[], %(account_ids)s::bigint[]) AS a (cell, account_id)
    ON b.cell = a.cell AND b.account_id = a.account_id;

-- name: balances_of_customer
-- Read all balances of one customer.
SELECT account_id, amount
  FROM balance
 WHERE cell = %(cell)s AND account_id >= %(customer_id)s::bigint << 19 AND account_id < (%(customer_id)s::bigint + 1) << 19
 ORDER BY account_id;

-- name: house_balances
-- Add up the house accounts over all cells.
SELECT b.account_id, sum(b.amount) AS amount
  FROM cell c
  JOIN balance b ON b.cell = c.cell AND b.account_id < 1::bigint << 19
 GROUP BY b.account_id
 ORDER BY b.account_id;

-- name: lock_seals
-- Let one process at a time seal some cells; customers never wait for it.
SELECT pg_advisory_xact_lock(hashtext('seal'), cell)
  FROM generate_series(%(cell_from)s::integer, %(cell_to)s::integer) AS cell
 ORDER BY cell;

-- name: seal_transfers
-- Seal the next block of transfers of each of some cells, in order of their ids.
WITH block AS (
    SELECT c.cell, coalesce(l.number, 0) + 1 AS number, min(t.transfer_id) AS first_transfer,
           max(t.transfer_id) AS last_transfer, count(*)::integer AS row_count, coalesce(l.hash, '') AS previous_hash,
           string_agg(sealed_line(t), chr(10) ORDER BY t.transfer_id) AS lines
      FROM cell c
      LEFT JOIN LATERAL (SELECT s.number, s.hash FROM seal s
                          WHERE s.cell = c.cell ORDER BY s.number DESC LIMIT 1) l ON true
      LEFT JOIN LATERAL (SELECT s.last_transfer FROM seal s
                          WHERE s.cell = c.cell AND s.covers = 'transfers'
                          ORDER BY s.first_transfer DESC LIMIT 1) b ON true
      JOIN transfer t ON t.cell = c.cell AND t.transfer_id > coalesce(b.last_transfer, 0)
                     AND t.transfer_id <= coalesce(b.last_transfer, c.cell) + 256 * %(block)s
     WHERE c.cell BETWEEN %(cell_from)s AND %(cell_to)s
     GROUP BY c.cell, l.number, l.hash
)
INSERT INTO seal (cell, number, covers, first_transfer, last_transfer, row_count, previous_hash, hash, sealed_at)
SELECT cell, number, 'transfers', first_transfer, last_transfer, row_count, previous_hash,
       seal_hash(cell, number, 'transfers', first_transfer, last_transfer, NULL, NULL, row_count, previous_hash, %(now)s, lines),
       %(now)s
  FROM block;

-- name: audit_trial_balance
-- Find cells whose balances in an asset do not add up to zero.
SELECT b.cell, 'balance' AS table_name, 'asset_id ' || account_asset(b.account_id) AS row_name,
       'the balances of the cell add up to ' || trim_scale(sum(b.amount)) || ', not to 0' AS message
  FROM balance b
 WHERE b.cell BETWEEN %(cell_from)s AND %(cell_to)s
 GROUP BY b.cell, account_asset(b.account_id)
HAVING sum(b.amount) <> 0
 LIMIT %(most)s;

-- name: audit_accounts
-- Find balances that no account can have: of an asset or scale that is not there, in a foreign cell, below zero.
SELECT b.cell, 'balance' AS table_name, 'account_id ' || b.account_id AS row_name,
       CASE WHEN a.asset_id IS NULL THEN 'there is no asset with this id and scale'
            WHEN NOT account_kind(b.account_id) = ANY(%(kinds)s::integer[]) THEN 'the chart has no such kind of account'
            WHEN b.amount < 0 AND NOT account_kind(b.account_id) IN (8, 9) THEN 'it is below zero: ' || b.amount
            WHEN scale(trim_scale(b.amount)) > a.scale THEN 'it is finer than the asset: ' || b.amount
            ELSE 'it lies in a cell that is not its customer''s' END AS message
  FROM balance b
  LEFT JOIN asset a ON a.asset_id = account_asset(b.account_id) AND a.scale = account_scale(b.account_id)
 WHERE b.cell BETWEEN %(cell_from)s AND %(cell_to)s
   AND (a.asset_id IS NULL OR NOT account_kind(b.account_id) = ANY(%(kinds)s::integer[])
        OR (b.amount < 0 AND NOT account_kind(b.account_id) IN (8, 9)) OR scale(trim_scale(b.amount)) > a.scale
        OR (account_kind(b.account_id) >= 8) <> (account_customer(b.account_id) = 0)
        OR (account_customer(b.account_id) > 0 AND (account_customer(b.account_id) & 255) <> b.cell))
 LIMIT %(most)s;

-- name: audit_transfer_ids
-- Find gaps between the transfers of a cell, and counters that are not their number.
(SELECT t.cell, 'transfer' AS table_name, 'transfer_id ' || t.before + 256 AS row_name,
        'it is missing' || CASE WHEN t.transfer_id - t.before > 512 THEN ', and all to ' || t.transfer_id - 256 ELSE '' END
        AS message
   FROM (SELECT cell, transfer_id, lag(transfer_id, 1, cell::bigint) OVER (PARTITION BY cell ORDER BY transfer_id) AS before
           FROM transfer
          WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s) t
  WHERE t.transfer_id - t.before <> 256
  LIMIT %(most)s)
UNION ALL
(SELECT c.cell, 'cell', 'cell ' || c.cell,
        'it has counted ' || c.transfer_count || ' transfers; the last one there is number ' || coalesce(l.transfer_id / 256, 0)
   FROM cell c
   LEFT JOIN LATERAL (SELECT max(t.transfer_id) AS transfer_id FROM transfer t WHERE t.cell = c.cell) l ON true
  WHERE c.cell BETWEEN %(cell_from)s AND %(cell_to)s AND c.transfer_count <> coalesce(l.transfer_id / 256, 0));

-- name: audit_acts
-- Find transfers whose act is not there or is somebody else's: those of an act name its first, and share key and instant.
SELECT t.cell, 'transfer' AS table_name, 'transfer_id ' || t.transfer_id AS row_name,
       CASE WHEN f.transfer_id IS NULL THEN 'its act ' || t.act_id || ' is not there'
            ELSE 'its act ' || t.act_id || ' is of another customer, key or instant' END AS message
  FROM transfer t
  LEFT JOIN transfer f ON f.cell = t.cell AND f.transfer_id = t.act_id
 WHERE t.cell BETWEEN %(cell_from)s AND %(cell_to)s AND t.act_id IS DISTINCT FROM t.transfer_id
   AND (f.transfer_id IS NULL OR f.act_id <> f.transfer_id OR f.transfer_id > t.transfer_id
        OR f.customer_id <> t.customer_id OR f.request_key <> t.request_key OR f.effective_at <> t.effective_at)
 LIMIT %(most)s;

-- name: audit_chart
-- Find transfers that the chart of accounts does not permit.
SELECT t.cell, 'transfer' AS table_name, 'transfer_id ' || t.transfer_id AS row_name,
       CASE WHEN m.kind IS NULL THEN 'the chart has no ' || t.kind || ' from account kind ' || account_kind(t.debit_account)
                                     || ' to ' || account_kind(t.credit_account)
            WHEN t.amount <= 0 THEN 'its amount is not above zero'
            ELSE 'its accounts are not of one asset, of its customer, or of its cell' END AS message
  FROM transfer t
  LEFT JOIN unnest(%(moves)s::text[], %(debits)s::integer[], %(credits)s::integer[]) AS m (kind, debit, credit)
    ON m.kind = t.kind::text AND m.debit = account_kind(t.debit_account) AND m.credit = account_kind(t.credit_account)
 WHERE t.cell BETWEEN %(cell_from)s AND %(cell_to)s
   AND (m.kind IS NULL OR t.amount <= 0 OR scale(trim_scale(t.amount)) > account_scale(t.debit_account)
        OR (t.debit_account & 524272) <> (t.credit_account & 524272)
        OR NOT account_customer(t.debit_account) IN (0, t.customer_id)
        OR NOT account_customer(t.credit_account) IN (0, t.customer_id)
        OR (t.transfer_id & 255) <> t.cell OR (t.customer_id > 0 AND (t.customer_id & 255) <> t.cell))
 LIMIT %(most)s;

-- name: audit_corrections
-- Find corrections that do not run the other way of the transfer that they correct, or exceed it.
SELECT t.cell, 'transfer' AS table_name, 'transfer_id ' || t.transfer_id AS row_name,
       'it is not the reverse of transfer ' || coalesce(t.corrects::text, '(none)') || ', which it corrects' AS message
  FROM transfer t
  LEFT JOIN transfer o ON o.cell = t.cell AND o.transfer_id = t.corrects
 WHERE t.cell BETWEEN %(cell_from)s AND %(cell_to)s AND (t.kind = 'correction' OR t.corrects IS NOT NULL)
   AND (o.transfer_id IS NULL OR o.debit_account <> t.credit_account OR o.credit_account <> t.debit_account
        OR o.amount < t.amount OR o.transfer_id >= t.transfer_id)
 LIMIT %(most)s;

-- name: audit_seal_chain
-- Find seals that do not follow the one before them, and blocks of transfers that do not follow each other.
SELECT s.cell, 'seal' AS table_name, 'number ' || s.number AS row_name,
       CASE WHEN s.number <> s.number_before + 1 THEN 'seal ' || s.number_before + 1 || ' is missing before it'
            WHEN s.previous_hash <> s.hash_before THEN 'it does not follow from the hash of the seal before it'
            ELSE 'its transfers begin with ' || s.first_transfer || ', those sealed before end with ' || s.transfer_before
            END AS message
  FROM (SELECT cell, number, covers, previous_hash, first_transfer,
               lag(number, 1, 0) OVER chain AS number_before,
               lag(hash, 1, ''::bytea) OVER chain AS hash_before,
               coalesce(max(last_transfer) OVER (chain ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), cell) AS transfer_before
          FROM seal
         WHERE cell BETWEEN %(cell_from)s AND %(cell_to)s
        WINDOW chain AS (PARTITION BY cell ORDER BY number)) s
 WHERE s.number <> s.number_before + 1 OR s.previous_hash <> s.hash_before
    OR (s.covers = 'transfers' AND s.first_transfer <> s.transfer_before + 256)
 LIMIT %(most)s;

-- name: audit_sealed_transfers
-- Find blocks of transfers that no longer have the hash they were sealed with.
SELECT s.cell, 'seal' AS table_name, 'number ' || s.number AS row_name,
       'transfers ' || s.first_transfer || ' to ' || s.last_transfer
           || ' (' || b.row_count || ' of ' || s.row_count || ') do not have the hash they were sealed with' AS message
  FROM seal s
 CROSS JOIN LATERAL (SELECT count(*) AS row_count, string_agg(sealed_line(t), chr(10) ORDER BY t.transfer_id) AS lines
                       FROM transfer t
                      WHERE t.cell = s.cell AND t.transfer_id BETWEEN s.first_transfer AND s.last_transfer) b
 WHERE s.cell BETWEEN %(cell_from)s AND %(cell_to)s AND s.covers = 'transfers'
   AND (b.row_count <> s.row_count
        OR s.hash IS DISTINCT FROM seal_hash(s.cell, s.number, s.covers, s.first_transfer, s.last_transfer, s.run_on,
                                             s.late_positions, s.row_count, s.previous_hash, s.sealed_at, b.lines))
 LIMIT %(most)s;

-- name: audit_unsealed_transfers
-- Say how many transfers of a cell are not sealed yet.
SELECT c.cell, 'transfer' AS table_name, 'from transfer_id ' || min(t.transfer_id) AS row_name,
       count(*) || ' transfers are not sealed yet' AS message
  FROM cell c
  LEFT JOIN LATERAL (SELECT max(s.last_transfer) AS transfer_id FROM seal s WHERE s.cell = c.cell) l ON true
  JOIN transfer t ON t.cell = c.cell AND t.transfer_id > coalesce(l.transfer_id, 0)
 WHERE c.cell BETWEEN %(cell_from)s AND %(cell_to)s
 GROUP BY c.cell
 LIMIT %(most)s;

-- name: turnover
-- Add up what was moved in a period by kind and asset; the period is found by its instants.
SELECT t.kind::text AS kind, account_asset(t.credit_account) AS asset_id, count(*) AS transfers,
       count(DISTINCT t.customer_id) AS customers, sum(t.amount) AS amount
  FROM transfer t
 WHERE t.effective_at > %(after)s AND t.effective_at <= %(until)s AND t.kind::text = ANY(%(kinds)s::text[])
 GROUP BY t.kind, account_asset(t.credit_account)
 ORDER BY 1, 2;

-- name: transfers_of_stretch
-- Read the newest transfers of a stretch of time that are wanted, and how many there are in it in all. Only the numbers of
-- the wanted ones are sorted; the rows are read by their key.
WITH seen AS MATERIALIZED (
    SELECT t.cell, t.transfer_id, t.effective_at,
           (%(kind)s::text IS NULL OR t.kind::text = %(kind)s::text)
           AND (%(asset_id)s::integer IS NULL OR account_asset(t.credit_account) = %(asset_id)s::integer)
           AND (%(account_kind)s::integer IS NULL
                OR %(account_kind)s::integer IN (account_kind(t.debit_account), account_kind(t.credit_account))) AS is_wanted
      FROM transfer t
     WHERE t.effective_at >= %(from_at)s AND t.effective_at <= %(until_at)s
       AND (t.effective_at, t.transfer_id) < (%(until_at)s, %(before_id)s)
), newest AS (
    SELECT s.cell, s.transfer_id
      FROM seen s
     WHERE s.is_wanted
     ORDER BY s.effective_at DESC, s.transfer_id DESC
     LIMIT %(count)s
)
SELECT n.looked, t.transfer_id, t.act_id, t.kind::text AS kind, t.customer_id, t.debit_account, t.credit_account, t.amount,
       t.effective_at, t.recorded_at, t.request_key, t.position_id, t.corrects
  FROM (SELECT count(*) AS looked FROM seen) n
  LEFT JOIN (newest w JOIN transfer t ON t.cell = w.cell AND t.transfer_id = w.transfer_id) ON true
 ORDER BY t.effective_at DESC, t.transfer_id DESC;

-- name: rare_transfers
-- Read the newest transfers of one of the kinds that are looked up.
SELECT t.transfer_id, t.act_id, t.kind::text AS kind, t.customer_id, t.debit_account, t.credit_account, t.amount,
       t.effective_at, t.recorded_at, t.request_key, t.position_id, t.corrects
  FROM transfer t
 WHERE t.kind = %(kind)s AND t.effective_at >= %(from_at)s AND (t.effective_at, t.transfer_id) < (%(until_at)s, %(before_id)s)
   AND (%(asset_id)s::integer IS NULL OR account_asset(t.credit_account) = %(asset_id)s::integer)
   AND (%(account_kind)s::integer IS NULL
        OR %(account_kind)s::integer IN (account_kind(t.debit_account), account_kind(t.credit_account)))
 ORDER BY t.effective_at DESC, t.transfer_id DESC
 LIMIT %(count)s;

-- name: transfers_of_customer
-- Read the newest transfers of a customer, or of the house itself in one cell.
SELECT t.transfer_id, t.act_id, t.kind::text AS kind, t.customer_id, t.debit_account, t.credit_account, t.amount,
       t.effective_at, t.recorded_at, t.request_key, t.position_id, t.corrects
  FROM transfer t
 WHERE t.cell = %(cell)s AND t.customer_id = %(customer_id)s AND t.transfer_id < %(before_id)s
   AND t.effective_at >= %(from_at)s AND t.effective_at < %(until_at)s
   AND (%(kind)s::text IS NULL OR t.kind::text = %(kind)s::text)
   AND (%(asset_id)s::integer IS NULL OR account_asset(t.credit_account) = %(asset_id)s::integer)
   AND (%(account_kind)s::integer IS NULL
        OR %(account_kind)s::integer IN (account_kind(t.debit_account), account_kind(t.credit_account)))
 ORDER BY t.transfer_id DESC
 LIMIT %(count)s;

-- name: bounds_of_transfers
-- Say between which instants there are transfers, going by the first and the last of each cell.
SELECT min(f.effective_at) AS first_at, max(l.effective_at) AS last_at
  FROM cell c
 CROSS JOIN LATERAL (SELECT x.effective_at FROM transfer x WHERE x.cell = c.cell ORDER BY x.transfer_id LIMIT 1) f
 CROSS JOIN LATERAL (SELECT x.effective_at FROM transfer x WHERE x.cell = c.cell ORDER BY x.transfer_id DESC LIMIT 1) l;

-- name: transfers_exported
-- Read all transfers of a period that are wanted, newest first, some at a time.
SELECT t.transfer_id, t.act_id, t.kind::text AS kind, t.customer_id, t.debit_account, t.credit_account, t.amount,
       t.effective_at, t.recorded_at, t.request_key, t.position_id, t.corrects
  FROM transfer t
 WHERE t.effective_at >= %(from_at)s AND t.effective_at < %(until_at)s
   AND (%(customer_id)s::bigint IS NULL OR (t.cell = %(cell)s AND t.customer_id = %(customer_id)s::bigint))
   AND (%(kind)s::text IS NULL OR t.kind::text = %(kind)s::text)
   AND (%(asset_id)s::integer IS NULL OR account_asset(t.credit_account) = %(asset_id)s::integer)
   AND (%(account_kind)s::integer IS NULL
        OR %(account_kind)s::integer IN (account_kind(t.debit_account), account_kind(t.credit_account)))
 ORDER BY t.effective_at DESC, t.transfer_id DESC;

-- name: transfer
-- Read one transfer.
SELECT transfer_id, act_id, kind::text AS kind, customer_id, debit_account, credit_account, amount, effective_at, recorded_at,
       request_key, position_id, corrects
  FROM transfer
 WHERE cell = %(cell)s AND transfer_id = %(transfer_id)s;

-- name: transfers_of_act
-- Read the transfers of an act, which belong to one customer and follow its first.
SELECT transfer_id, act_id, kind::text AS kind, customer_id, debit_account, credit_account, amount, effective_at, recorded_at,
       request_key, position_id, corrects
  FROM transfer
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s AND transfer_id >= %(act_id)s AND effective_at = %(effective_at)s
   AND act_id = %(act_id)s
 ORDER BY transfer_id
 LIMIT %(count)s;

-- name: correction_of
-- Find the transfer that corrects a transfer.
SELECT transfer_id FROM transfer WHERE cell = %(cell)s AND corrects = %(transfer_id)s;

-- name: seal_of_transfer
-- Read the seal that covers a transfer.
SELECT number, first_transfer, last_transfer, row_count, previous_hash, hash, sealed_at
  FROM seal
 WHERE cell = %(cell)s AND covers = 'transfers' AND first_transfer <= %(transfer_id)s AND last_transfer >= %(transfer_id)s
 ORDER BY first_transfer DESC
 LIMIT 1;

-- name: request_of_transfer
-- Read the request by whose key a transfer was posted.
SELECT act, effective_at, recorded_at
  FROM request
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s AND request_key = %(request_key)s;
