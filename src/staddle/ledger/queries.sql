-- name: lock_cells
-- Hold the rows of some cells until the transaction ends, in order of cell.
SELECT cell, watermark_at, customer_count, transfer_count, position_count, quote_count, notice_count
  FROM cell
 WHERE cell = ANY(%(cells)s::smallint[])
 ORDER BY cell
   FOR UPDATE;

-- name: save_cells
-- Write back the counters that ids were made from.
UPDATE cell c
   SET customer_count = n.customers, transfer_count = n.transfers, position_count = n.positions,
       quote_count = n.quotes, notice_count = n.notices
  FROM unnest(%(cells)s::smallint[], %(customers)s::bigint[], %(transfers)s::bigint[], %(positions)s::bigint[],
              %(quotes)s::bigint[], %(notices)s::bigint[])
       AS n (cell, customers, transfers, positions, quotes, notices)
 WHERE c.cell = n.cell;

-- name: open_balances
-- Make sure that every account named has a row.
INSERT INTO balance (cell, account_id, amount)
SELECT a.cell, a.account_id, 0
  FROM unnest(%(cells)s::smallint[], %(account_ids)s::bigint[]) AS a (cell, account_id)
 WHERE NOT EXISTS (SELECT FROM balance b WHERE b.cell = a.cell AND b.account_id = a.account_id)
    ON CONFLICT (cell, account_id) DO NOTHING;

-- name: post_transfers
-- Insert transfers and move the balances by exactly what was inserted.
WITH posted AS (
    INSERT INTO transfer (cell, transfer_id, act_id, kind, customer_id, debit_account, credit_account, amount,
                          effective_at, request_key, position_id, corrects)
    SELECT t.cell, t.transfer_id, t.act_id, t.kind::transfer_kind, t.customer_id, t.debit_account, t.credit_account,
           t.amount, %(now)s, t.request_key, t.position_id, t.corrects
      FROM unnest(%(cells)s::smallint[], %(transfer_ids)s::bigint[], %(act_ids)s::bigint[], %(kinds)s::text[],
                  %(customer_ids)s::bigint[], %(debit_accounts)s::bigint[], %(credit_accounts)s::bigint[],
                  %(amounts)s::numeric[], %(request_keys)s::text[], %(position_ids)s::bigint[], %(corrects)s::bigint[])
           AS t (cell, transfer_id, act_id, kind, customer_id, debit_account, credit_account, amount, request_key,
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
    RETURNING b.account_id
)
SELECT (SELECT count(*) FROM change) AS accounts_named, (SELECT count(*) FROM moved) AS accounts_moved;

-- name: stored_requests
-- Find the stored answers of some keys.
SELECT r.customer_id, r.request_key, r.act, r.fingerprint, r.answer
  FROM request r
  JOIN unnest(%(cells)s::smallint[], %(customer_ids)s::bigint[], %(request_keys)s::text[])
       AS k (cell, customer_id, request_key)
    ON r.cell = k.cell AND r.customer_id = k.customer_id AND r.request_key = k.request_key;

-- name: store_requests
-- Keep the answers of some keys for ever.
INSERT INTO request (cell, customer_id, request_key, act, fingerprint, answer, effective_at)
SELECT r.cell, r.customer_id, r.request_key, %(act)s, r.fingerprint, r.answer::json, %(now)s
  FROM unnest(%(cells)s::smallint[], %(customer_ids)s::bigint[], %(request_keys)s::text[], %(fingerprints)s::bytea[],
              %(answers)s::text[]) AS r (cell, customer_id, request_key, fingerprint, answer);

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
