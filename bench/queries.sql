-- name: fill_customers
-- Open customers in the order they came, each 256 one in every cell, but in an order that looks like chance, as hashed
-- references do.
INSERT INTO customer (cell, customer_id, reference, name, country, vip_level, joined_at)
SELECT cell, (i / 256 + 1) * 256 + cell, 'c' || i, 'Customer ' || i, NULL, 0, %(opened_at)s
  FROM (SELECT i, (i %% 256 * 167 + i / 256 * 89) %% 256 AS cell FROM generate_series(0, %(customers)s::bigint - 1) i) c;

-- name: fill_consents
-- Each has accepted the agreement.
INSERT INTO consent (cell, customer_id, version, accepted_at, accepted_from)
SELECT cell, customer_id, 1, joined_at, 'bench' FROM customer;

-- name: fill_sheet
-- A sheet for the positions to be.
CREATE TEMPORARY TABLE new_position (i bigint, cell bigint, customer_id bigint, k integer, product_id integer,
    asset_id smallint, scale smallint, number bigint, round bigint, started_at timestamptz, term_days integer,
    amount numeric, below numeric, locked_revision integer, reward_kind integer);

-- name: fill_plan
-- The five positions of each customer, of amounts from small to large; the third stands on the second in its tiers.
INSERT INTO new_position
SELECT c.i, c.cell, (c.i / 256 + 1) * 256 + c.cell, k.k, p.product_id, p.asset_id, a.scale,
       (r.round * (%(customers)s::bigint / 256 + 1) + c.i / 256) * 5 + k.k, r.round,
       %(opened_at)s::timestamptz + %(step)s::interval * c.i + interval '1 millisecond' * (k.k + 5 * r.round),
       t.term_days, k.amount, k.below,
       CASE t.rate_policy WHEN 'locked' THEN 1 ELSE 0 END, CASE t.payout WHEN 'daily' THEN 2 ELSE 4 END
  FROM (SELECT i, (i %% 256 * 167 + i / 256 * 89) %% 256 AS cell FROM generate_series(0, %(customers)s::bigint - 1) i) c
 CROSS JOIN generate_series(0, %(rounds)s::bigint) AS r (round)
 CROSS JOIN LATERAL (VALUES
       (1, 'BTC-FLEX', 0.05 + (c.i * 7919 %% 1000) * 0.01, 0),
       (2, 'USDT-FLEX', 10 + (c.i * 104729 %% 3000), 0),
       (3, 'USDT-FLEX', 10 + (c.i * 15485863 %% 6000), 10 + (c.i * 104729 %% 3000)),
       (4, 'USDT-90D', 25 + (c.i * 32452843 %% 10000) * 0.5, 0),
       (5, 'ETH-120D', 0.1 + (c.i * 49979687 %% 5000) * 0.01, 0)) AS k (k, code, amount, below)
  JOIN product p ON p.code = k.code
  JOIN terms t ON t.product_id = p.product_id
  JOIN asset a ON a.asset_id = p.asset_id;

-- name: fill_analyze
-- Know its size.
ANALYZE new_position;

-- name: fill_balances
-- Open each customer's accounts and the house's; amounts follow from the transfers below.
INSERT INTO balance (cell, account_id, amount)
SELECT cell, account_of(customer_id, asset_id, scale, kind), CASE kind WHEN 1 THEN 1000 ELSE 0 END
  FROM (SELECT DISTINCT i, cell, customer_id, asset_id, scale, kind
          FROM new_position
         CROSS JOIN LATERAL unnest(ARRAY[1, 3, reward_kind]) AS kind
         ORDER BY i, asset_id, kind) needed
UNION ALL
SELECT c.cell, account_of(0, a.asset_id, a.scale, kind), 0
  FROM cell c CROSS JOIN asset a CROSS JOIN unnest(ARRAY[8, 9]) AS kind
    ON CONFLICT DO NOTHING;

-- name: fill_transfers
-- A deposit for each coin of each customer, a subscription for each position.
INSERT INTO transfer (cell, transfer_id, act_id, kind, customer_id, debit_account, credit_account, amount, effective_at,
                      request_key, position_id)
SELECT cell, number * 256 + cell, number * 256 + cell, kind, customer_id, debit, credit, amount, at, key, position_id
  FROM (SELECT *, row_number() OVER (PARTITION BY cell ORDER BY at, debit) + (SELECT s.transfer_count FROM cell s WHERE s.cell = sides.cell) AS number
          FROM (SELECT i, cell, customer_id, 'deposit'::transfer_kind AS kind, account_of(0, asset_id, scale, 8) AS debit,
                       account_of(customer_id, asset_id, scale, 1) AS credit, 1000 + sum(amount) AS amount,
                       %(opened_at)s::timestamptz + %(step)s::interval * i AS at, 'd' || i || '.' || asset_id AS key,
                       NULL::bigint AS position_id
                  FROM new_position
                 WHERE round = 0
                 GROUP BY i, cell, customer_id, asset_id, scale
                UNION ALL
                SELECT i, cell, customer_id, 'subscription', account_of(customer_id, asset_id, scale, 1),
                       account_of(customer_id, asset_id, scale, 3), amount, started_at, 's' || number, number * 256 + cell
                  FROM new_position WHERE round = 0) sides) numbered
 ORDER BY at;

-- name: fill_earn
-- Move Earn and custody by what was subscribed and deposited.
UPDATE balance b
   SET amount = b.amount + m.amount
  FROM (SELECT cell, credit_account AS account_id, sum(amount) AS amount
          FROM transfer WHERE kind = 'subscription' GROUP BY 1, 2
        UNION ALL
        SELECT cell, debit_account, -sum(amount) FROM transfer WHERE kind = 'deposit' GROUP BY 1, 2) m
 WHERE b.cell = m.cell AND b.account_id = m.account_id;

-- name: fill_positions
-- Open the positions, in the order they came.
INSERT INTO position (cell, position_id, customer_id, product_id, version, request_key, started_at, term_days, matures_at,
                      opened_principal, opened_offset, locked_revision, reward_account, agreement_version, principal,
                      tier_offset, anchor_days, anchor_basis, at_maturity, redeem_to, ended_at, ended_by)
SELECT cell, number * 256 + cell, customer_id, product_id, 1, 's' || number, started_at, term_days,
       started_at + make_interval(hours => 24 * term_days), amount, below, locked_revision,
       account_of(customer_id, asset_id, scale, reward_kind), 1, CASE round WHEN 0 THEN amount ELSE 0 END, below, 0, 0,
       'redeem', 'funding', CASE WHEN round > 0 THEN started_at END, CASE WHEN round > 0 THEN 'redemption' END
  FROM new_position
 ORDER BY round DESC, started_at;

-- name: fill_quotas
-- Count the quotas.
UPDATE quota q
   SET used = (SELECT sum(p.principal) FROM position p WHERE p.product_id = q.product_id);

-- name: fill_counters
-- Count what each cell holds.
UPDATE cell c
   SET customer_count = (SELECT count(*) FROM customer u WHERE u.cell = c.cell),
       position_count = (SELECT coalesce(max(p.position_id / 256), 0) FROM position p WHERE p.cell = c.cell),
       transfer_count = (SELECT coalesce(max(t.transfer_id / 256), 0) FROM transfer t WHERE t.cell = c.cell);

-- name: fill_done
-- Forget the plan.
DROP TABLE new_position;

-- name: fill_requests
-- Answer the requests behind the transfers of customers, as the acts do.
INSERT INTO request (cell, customer_id, request_key, act, fingerprint, answer, effective_at)
SELECT cell, customer_id, request_key, 'bench', sha256(request_key::bytea), '{"answer": {}}'::json, effective_at
  FROM (SELECT DISTINCT cell, customer_id, request_key, effective_at FROM transfer WHERE customer_id > 0) t;

-- name: bare_table
-- A table equal to a day of rewards, without any index or constraint.
CREATE TABLE bare AS SELECT * FROM reward LIMIT 0;

-- name: bare_insert
-- Write the same reward rows as the run did, and nothing else.
INSERT INTO bare SELECT * FROM reward WHERE run_on = %(run_on)s;

-- name: give_keys
-- Give customers API keys that may do everything.
INSERT INTO api_key (api_key_id, customer_id, name, kind, secret_hash, scopes, addresses, added_at)
SELECT 'bench ' || k.customer_id, k.customer_id, 'bench', 'bearer', sha256(k.token::bytea),
       ARRAY['read', 'subscribe', 'redeem', 'transfer'], '{}', %(now)s
  FROM unnest(%(tokens)s::text[], %(customer_ids)s::bigint[]) AS k (token, customer_id);

-- name: hot_quota
-- Compare what the quota of the hot product says with what its positions hold.
SELECT q.used, (SELECT coalesce(sum(p.principal), 0) FROM position p WHERE p.product_id = o.product_id) AS held,
       (SELECT count(*) FROM position p WHERE p.product_id = o.product_id) AS positions
  FROM product o
  JOIN quota q ON q.product_id = o.product_id
 WHERE o.code = 'HOT';

-- name: give_login
-- Give one of the customers a login.
INSERT INTO login (login_id, kind, email, customer_id, password_hash, added_at)
SELECT 'b00000000000000000000001', 'customer', 'one@example.com', customer_id, '!', %(now)s
  FROM customer ORDER BY cell, customer_id LIMIT 1;

-- name: jobs_done
-- Say whether each of some jobs of the schedule was done once.
SELECT count(*) = cardinality(%(names)s::text[]) AS is_done FROM job WHERE name = ANY(%(names)s::text[]) AND done_at IS NOT NULL;

-- name: give_operator_login
-- Give the operator ada a login.
INSERT INTO login (login_id, kind, email, operator, password_hash, added_at)
VALUES ('b00000000000000000000002', 'operator', 'ada@example.com', 'ada', '!', %(now)s);
