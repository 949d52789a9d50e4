-- Damage done to the books by hand, as a superuser would: past the acts, past the application's role, past constraints
-- where one is in the way. Each piece says in its first line what is damaged and which check must find it; its last
-- statement gives the table and the name of the row that the check must name.

-- a changed balance: balances
UPDATE balance SET amount = amount + 1 WHERE ctid = (SELECT ctid FROM balance
   WHERE account_kind(account_id) = 2 ORDER BY account_id LIMIT 1)
   RETURNING 'balance', 'account_id ' || account_id;

-- money moved from one customer's balance to another's in the same cell: balances
CREATE TABLE pair AS
   SELECT b.cell, b.account_id AS loser, (b.account_id & 524287) | (n.customer_id << 19) AS winner
   FROM balance b JOIN LATERAL (SELECT (account_customer(b.account_id) + 256) AS customer_id) n ON true
   WHERE account_kind(b.account_id) = 1 AND b.amount > 5 ORDER BY b.account_id LIMIT 1;
INSERT INTO balance SELECT cell, winner, 5 FROM pair;
UPDATE balance b SET amount = amount - 5 FROM pair WHERE b.account_id = loser
   RETURNING 'balance', 'account_id ' || account_id;

-- a balance that is gone: balances
DELETE FROM balance WHERE ctid = (SELECT ctid FROM balance WHERE account_kind(account_id) = 3
   AND amount > 0 ORDER BY account_id LIMIT 1) RETURNING 'balance', 'account_id ' || account_id;

-- a balance that nobody moved money to: trial_balance
INSERT INTO balance SELECT 9, account_of(9 + 256 * 50, 1::smallint, 8::smallint, 1), 3
   RETURNING 'balance', 'asset_id 1';

-- a balance of a coin that there is not: accounts
INSERT INTO balance SELECT 9, account_of(9 + 256 * 50, 77::smallint, 8::smallint, 1), 3
   RETURNING 'balance', 'account_id ' || account_id;

-- the amount of a transfer: openings
UPDATE transfer SET amount = amount + 0.00000001 WHERE transfer_id = (SELECT min(transfer_id)
   FROM transfer WHERE kind = 'subscription') RETURNING 'position', 'position_id ' || position_id;

-- the kind of a transfer: chart
ALTER TABLE transfer DROP CONSTRAINT a_transfer_is_declared_in_the_chart;
UPDATE transfer SET kind = 'withdrawal' WHERE transfer_id = (SELECT min(transfer_id) FROM transfer
   WHERE kind = 'deposit') RETURNING 'transfer', 'transfer_id ' || transfer_id;

-- the account of a transfer: sealed_transfers
UPDATE transfer SET credit_account = (credit_account & ~15::bigint) | 2
   WHERE transfer_id = (SELECT min(transfer_id) FROM transfer WHERE kind = 'deposit');
SELECT 'seal', 'number ' || number FROM seal s, transfer t WHERE s.cell = t.cell
   AND t.transfer_id = (SELECT min(transfer_id) FROM transfer WHERE kind = 'deposit')
   AND t.transfer_id BETWEEN first_transfer AND last_transfer;

-- the instant of a transfer: requests
UPDATE transfer SET effective_at = effective_at + interval '1 microsecond'
   WHERE transfer_id = (SELECT min(transfer_id) FROM transfer WHERE kind = 'transfer')
   RETURNING 'transfer', 'transfer_id ' || transfer_id;

-- the instant of a transfer and of its request: sealed_transfers
UPDATE request r SET effective_at = '2026-01-01' FROM transfer t WHERE t.kind = 'withdrawal'
   AND r.cell = t.cell AND r.customer_id = t.customer_id AND r.request_key = t.request_key;
UPDATE transfer SET effective_at = '2026-01-01' WHERE kind = 'withdrawal';
SELECT 'seal', 'number ' || number FROM seal s, transfer t WHERE s.cell = t.cell
   AND t.kind = 'withdrawal' AND t.transfer_id BETWEEN first_transfer AND last_transfer;

-- the instant of a maturity's transfer: requests
UPDATE transfer SET effective_at = effective_at - interval '1 hour'
   WHERE transfer_id = (SELECT min(transfer_id) FROM transfer WHERE request_key LIKE 'maturity:%')
   RETURNING 'transfer', 'transfer_id ' || transfer_id;

-- the request key of a transfer: requests
UPDATE transfer SET request_key = 'another' WHERE transfer_id = (SELECT min(transfer_id) FROM transfer
   WHERE kind = 'withdrawal') RETURNING 'transfer', 'transfer_id ' || transfer_id;

-- the act of a transfer: acts
UPDATE transfer SET act_id = 256 + cell WHERE transfer_id = (SELECT max(transfer_id) FROM transfer
   WHERE kind = 'subscription') RETURNING 'transfer', 'transfer_id ' || transfer_id;

-- a transfer that is gone: transfer_ids
DELETE FROM transfer WHERE transfer_id = (SELECT min(transfer_id) FROM transfer
   WHERE kind = 'redemption') RETURNING 'transfer', 'transfer_id ' || transfer_id;

-- the last transfer of a cell gone: transfer_ids
DELETE FROM transfer t WHERE transfer_id = (SELECT max(transfer_id) FROM transfer)
   RETURNING 'cell', 'cell ' || cell;

-- a cell that has counted one transfer too many: transfer_ids
UPDATE cell SET transfer_count = transfer_count + 1 WHERE cell = 200 RETURNING 'cell', 'cell 200';

-- a cell that has counted one position too few: position_ids
UPDATE cell SET position_count = position_count - 1 WHERE cell = (SELECT min(cell) FROM position)
   RETURNING 'cell', 'cell ' || cell;

-- a position that is gone: position_ids
DELETE FROM position WHERE position_id = (SELECT min(position_id) FROM position)
   RETURNING 'position', 'position_id ' || position_id;

-- the hash of a seal: sealed_rewards
UPDATE seal SET hash = sha256('x') WHERE cell = (SELECT min(cell) FROM reward) AND run_on = '2026-02-10'
   RETURNING 'seal', 'number ' || number;

-- a seal that does not follow the one before: seal_chain
UPDATE seal SET previous_hash = sha256('x') WHERE cell = 3 AND number = 5
   RETURNING 'seal', 'number ' || number;

-- a seal that is gone: seal_chain
DELETE FROM seal WHERE cell = 3 AND number = 5 RETURNING 'seal', 'number 6';

-- the instant at which was sealed: sealed_rewards
UPDATE seal SET sealed_at = sealed_at - interval '1 day' WHERE cell = 3 AND number = 5
   RETURNING 'seal', 'number ' || number;

-- a late reward, sealed by itself: sealed_late_rewards
UPDATE reward SET basis = basis + 1 WHERE is_late AND run_on = (SELECT min(run_on) FROM reward WHERE is_late);
SELECT 'seal', 'number ' || number FROM seal WHERE covers = 'late_rewards' ORDER BY run_on LIMIT 1;

-- the principal of a position: tier_offsets
UPDATE position SET principal = principal - 0.5 WHERE position_id = (SELECT min(position_id)
   FROM position p WHERE ended_at IS NULL AND product_id = 1 AND tier_offset = 0);
SELECT 'position', 'position_id ' || q.position_id FROM position p JOIN position q
   USING (customer_id, product_id) WHERE p.position_id = (SELECT min(position_id) FROM position p
   WHERE ended_at IS NULL AND product_id = 1 AND tier_offset = 0) AND q.ended_at IS NULL
   AND q.position_id > p.position_id ORDER BY q.position_id LIMIT 1;

-- the principal of the newest position: histories
UPDATE position SET principal = principal - 0.5 WHERE position_id = (SELECT max(position_id)
   FROM position WHERE ended_at IS NULL AND product_id = 1)
   RETURNING 'position', 'position_id ' || position_id;

-- the principal that a position was opened with: openings
UPDATE position SET opened_principal = opened_principal + 1 WHERE position_id = (SELECT max(position_id)
   FROM position WHERE ended_at IS NULL AND product_id = 1)
   RETURNING 'position', 'position_id ' || position_id;

-- the place of a position in the tiers: tier_offsets
UPDATE position SET tier_offset = tier_offset + 1 WHERE position_id = (SELECT max(position_id)
   FROM position WHERE ended_at IS NULL AND product_id = 1)
   RETURNING 'position', 'position_id ' || position_id;

-- the anchor days of a position: histories
UPDATE position SET anchor_days = anchor_days + 1 WHERE position_id = (SELECT max(position_id)
   FROM position WHERE ended_at IS NULL AND product_id = 1)
   RETURNING 'position', 'position_id ' || position_id;

-- the anchor basis of a position: histories
UPDATE position SET anchor_basis = anchor_basis + 1 WHERE position_id = (SELECT min(position_id)
   FROM position WHERE ended_at IS NULL AND product_id = 2)
   RETURNING 'position', 'position_id ' || position_id;

-- the start of a position: openings
UPDATE position SET started_at = started_at - interval '1 day'
   WHERE position_id = (SELECT max(position_id) FROM position WHERE ended_at IS NULL AND product_id = 1)
   RETURNING 'position', 'position_id ' || position_id;

-- the version of a position's terms: position_terms
UPDATE position SET version = 9 WHERE position_id = (SELECT max(position_id) FROM position
   WHERE ended_at IS NULL AND product_id = 1) RETURNING 'position', 'position_id ' || position_id;

-- the locked rate of a position: position_terms
UPDATE position SET locked_revision = 1 WHERE position_id = (SELECT max(position_id) FROM position
   WHERE ended_at IS NULL AND product_id = 1) RETURNING 'position', 'position_id ' || position_id;

-- the account that a position's rewards go to: position_terms
UPDATE position SET reward_account = (reward_account & ~15::bigint) | 4
   WHERE position_id = (SELECT max(position_id) FROM position WHERE ended_at IS NULL AND product_id = 1)
   RETURNING 'position', 'position_id ' || position_id;

-- the rate of a tier: rewards
UPDATE rate_tier SET apr = apr + 0.0001 WHERE product_id = 2;
SELECT 'reward', 'position_id ' || position_id || ', run_on ' || min(run_on) FROM reward JOIN position
   USING (cell, position_id) WHERE position_id = (SELECT min(position_id) FROM position
   WHERE ended_at IS NULL AND product_id = 2) GROUP BY position_id;

-- the instant of a rate: rewards
ALTER TABLE rate_revision DROP CONSTRAINT a_rate_is_never_backdated;
UPDATE rate_revision SET effective_at = effective_at - interval '2 days' WHERE product_id = 1 AND revision = 4;
SELECT 'reward', 'position_id ' || r.position_id || ', run_on ' || r.run_on FROM reward r
   JOIN position p USING (cell, position_id) JOIN rate_revision v USING (product_id)
   WHERE v.product_id = 1 AND v.revision = 4 AND r.run_on = v.effective_at::date + 3
   AND p.tier_offset = 0 AND p.ended_at IS NULL ORDER BY r.position_id LIMIT 1;

-- a rate that was back-dated: rates
ALTER TABLE rate_revision DROP CONSTRAINT a_rate_is_never_backdated;
UPDATE rate_revision SET published_at = effective_at + interval '1 hour' WHERE product_id = 1
   AND revision = 3 RETURNING 'rate_revision', 'product_id 1, revision 3';

-- a tier that is gone: rates
DELETE FROM rate_tier WHERE product_id = 1 AND revision = 1 AND amount_from = 500
   RETURNING 'rate_revision', 'product_id 1, revision 1';

-- a reward that is missing: rewards
DELETE FROM reward WHERE (tableoid, ctid) = (SELECT r.tableoid, r.ctid FROM reward r
   WHERE NOT r.is_early ORDER BY r.run_on DESC, r.position_id LIMIT 1)
   RETURNING 'reward', 'position_id ' || position_id || ', run_on ' || run_on;

-- a reward for a day that was not earned: rewards
INSERT INTO reward (credit_account, position_id, run_on, cell, is_early, amount, basis)
   SELECT reward_account, position_id, (started_at AT TIME ZONE 'UTC')::date, cell, true, 0.01, 4
   FROM position WHERE position_id = (SELECT max(position_id) FROM position
   WHERE started_at > '2026-01-25')
   RETURNING 'reward', 'position_id ' || position_id || ', run_on ' || run_on;

-- a reward of a position that is not there: rewards
INSERT INTO reward (credit_account, position_id, run_on, cell, is_early, amount, basis)
   VALUES (account_of(256 * 99, 1::smallint, 8::smallint, 2), 256 * 99, '2026-02-10', 0, false, 0.01, 4)
   RETURNING 'reward', 'position_id ' || position_id || ', run_on ' || run_on;

-- a reward that was paid twice: rewards_once
DROP INDEX once_reward_2026_02_10;
DROP INDEX early_reward_2026_02_10;
INSERT INTO reward SELECT * FROM reward WHERE run_on = '2026-02-10' ORDER BY position_id LIMIT 1
   RETURNING 'reward', 'position_id ' || position_id || ', run_on ' || run_on;

-- the index that keeps rewards from being paid twice: rewards_once
DROP INDEX once_reward_2026_02_10;
SELECT 'reward_piece', 'name reward_2026_02_10';

-- the amount of a reward, by one unit: rewards
UPDATE reward SET amount = amount + 0.00000001 WHERE (tableoid, ctid) = (SELECT r.tableoid, r.ctid
   FROM reward r WHERE NOT r.is_early ORDER BY r.run_on DESC, r.position_id LIMIT 1)
   RETURNING 'reward', 'position_id ' || position_id || ', run_on ' || run_on;

-- the basis of a reward: rewards
UPDATE reward SET basis = basis + 0.0001 WHERE (tableoid, ctid) = (SELECT r.tableoid, r.ctid
   FROM reward r WHERE NOT r.is_early ORDER BY r.run_on DESC, r.position_id LIMIT 1)
   RETURNING 'reward', 'position_id ' || position_id || ', run_on ' || run_on;

-- the account of a reward: rewards
UPDATE reward SET credit_account = credit_account + (256::bigint << 19)
   WHERE (tableoid, ctid) = (SELECT r.tableoid, r.ctid FROM reward r WHERE NOT r.is_early
   ORDER BY r.run_on DESC, r.position_id LIMIT 1)
   RETURNING 'reward', 'position_id ' || position_id || ', run_on ' || run_on;

-- a reward of the run passed off as an act's: run_totals
UPDATE reward SET is_early = true WHERE (tableoid, ctid) = (SELECT r.tableoid, r.ctid FROM reward r
   WHERE NOT r.is_early ORDER BY r.run_on DESC, r.position_id LIMIT 1);
SELECT 'run_total', 'run_on ' || r.run_on || ', cell_from 0, product_id ' || p.product_id FROM reward r
   JOIN position p USING (cell, position_id) WHERE r.run_on = (SELECT max(run_on) FROM run)
   ORDER BY r.position_id LIMIT 1;

-- a quota off by one unit: quotas
UPDATE quota SET used = used + 0.00000001 WHERE product_id = 1 RETURNING 'quota', 'product_id 1';

-- a quota that is gone: quotas
DELETE FROM quota WHERE product_id = 1 RETURNING 'quota', 'product_id 1';

-- the total of a run: run_totals
UPDATE run_total SET amount = amount + 1 WHERE run_on = '2026-02-10' AND product_id = 1
   RETURNING 'run_total', 'run_on 2026-02-10, cell_from 0, product_id 1';

-- the plan of a run: run_plans
UPDATE run_plan SET amount = amount + 1 WHERE run_on = '2026-02-10' AND product_id = 1
   RETURNING 'run_plan', 'run_on 2026-02-10, product_id 1';

-- the number of rewards of a piece: runs
UPDATE run_piece SET reward_count = reward_count + 1 WHERE run_on = '2026-02-10'
   RETURNING 'run_piece', 'run_on 2026-02-10, cell_from 0';

-- the watermark of a cell: watermarks
UPDATE cell SET watermark_at = watermark_at - interval '1 day' WHERE cell = 7 RETURNING 'cell', 'cell 7';

-- the link of a forfeiture: forfeited_rewards
DELETE FROM forfeited_reward WHERE ctid = (SELECT ctid FROM forfeited_reward ORDER BY ctid LIMIT 1)
   RETURNING 'transfer', 'transfer_id ' || transfer_id;

-- a link of a forfeiture beyond its reward: forfeited_rewards
UPDATE forfeited_reward SET amount = amount + 1 WHERE ctid = (SELECT ctid FROM forfeited_reward
   ORDER BY ctid LIMIT 1)
   RETURNING 'forfeited_reward', 'position_id ' || position_id || ', run_on ' || run_on;

-- terms that would have taken back less: forfeitures
UPDATE terms SET kept_fraction = 0.06 WHERE kept_fraction IS NOT NULL;
SELECT 'position', 'position_id ' || min(p.position_id) FROM position p JOIN terms
   USING (product_id, version) WHERE ended_by = 'early_redemption' AND kept_fraction IS NOT NULL;

-- the principal in a position's past: histories
UPDATE position_past SET principal = principal + 1 WHERE ctid = (SELECT ctid FROM position_past
   WHERE change = 1 ORDER BY ctid LIMIT 1)
   RETURNING 'position_past', 'position_id ' || position_id || ', change ' || change;

-- the days in a position's past: histories
UPDATE position_past SET from_days = from_days - 1 WHERE ctid = (SELECT ctid FROM position_past
   WHERE change = 2 AND from_days > 0 ORDER BY ctid LIMIT 1)
   RETURNING 'position_past', 'position_id ' || position_id || ', change ' || change;

-- the instant of a change in a position's past: principals
UPDATE position_past h SET changed_at = changed_at + interval '1 second' WHERE ctid = (SELECT h.ctid
   FROM position_past h JOIN position p USING (cell, position_id) WHERE p.ended_by = 'redemption'
   ORDER BY h.ctid LIMIT 1) RETURNING 'position', 'position_id ' || position_id;

-- a change in a position's past that is gone: histories
DELETE FROM position_past WHERE ctid = (SELECT ctid FROM position_past WHERE change = 2 ORDER BY ctid LIMIT 1);
SELECT 'position', 'position_id ' || p.position_id FROM position p WHERE anchor_days > 0
   AND anchor_days <> (SELECT max(to_days) FROM position_past h WHERE h.position_id = p.position_id)
   UNION ALL SELECT 'position_past', 'position_id ' || h.position_id || ', change 3'
   FROM position_past h WHERE h.change = 3 AND NOT EXISTS (SELECT FROM position_past i
   WHERE i.position_id = h.position_id AND i.change = 2) LIMIT 1;

-- an accrued balance: accrued_balances
UPDATE balance SET amount = amount + 0.5 WHERE ctid = (SELECT ctid FROM balance
   WHERE account_kind(account_id) = 4 ORDER BY account_id LIMIT 1)
   RETURNING 'balance', 'account_id ' || account_id;

-- an Earn balance: earn_balances
UPDATE balance SET amount = amount + 0.5 WHERE ctid = (SELECT ctid FROM balance
   WHERE account_kind(account_id) = 3 ORDER BY account_id LIMIT 1)
   RETURNING 'balance', 'account_id ' || account_id;

-- an ended position reopened: histories
UPDATE position SET ended_at = NULL, ended_by = NULL, principal = opened_principal
   WHERE position_id = (SELECT min(position_id) FROM position WHERE ended_by = 'redemption'
   AND principal = 0 AND opened_principal > (SELECT principal FROM position_past h
   WHERE h.position_id = position.position_id ORDER BY change DESC LIMIT 1))
   RETURNING 'position', 'position_id ' || position_id;

-- an ended position reopened as it was before it ended: principals
UPDATE position p SET ended_at = NULL, ended_by = NULL, principal = (SELECT principal
   FROM position_past h WHERE h.position_id = p.position_id ORDER BY change DESC LIMIT 1)
   WHERE position_id = (SELECT min(position_id) FROM position WHERE ended_by = 'early_redemption')
   RETURNING 'position', 'position_id ' || position_id;

-- the days of an ended position cut by one: ended_days
DELETE FROM reward WHERE position_id = (SELECT min(position_id) FROM position
   WHERE ended_by = 'early_redemption') AND run_on = (SELECT max(run_on) FROM reward
   WHERE position_id = (SELECT min(position_id) FROM position WHERE ended_by = 'early_redemption'));
UPDATE position_past SET to_days = to_days - 1 WHERE position_id = (SELECT min(position_id)
   FROM position WHERE ended_by = 'early_redemption');
UPDATE position SET anchor_days = anchor_days - 1 WHERE position_id = (SELECT min(position_id)
   FROM position WHERE ended_by = 'early_redemption')
   RETURNING 'position', 'position_id ' || position_id;

-- a consent that is gone: consents
DELETE FROM consent WHERE customer_id = (SELECT min(customer_id) FROM customer);
SELECT 'position', 'position_id ' || min(position_id) FROM position
   WHERE customer_id = (SELECT min(customer_id) FROM customer);

-- a request that is gone: requests
DELETE FROM request WHERE act = 'withdrawal';
SELECT 'transfer', 'transfer_id ' || transfer_id FROM transfer WHERE kind = 'withdrawal';

-- a request turned into a refusal: requests
UPDATE request SET answer = '{"error": {}}' WHERE act = 'withdrawal';
SELECT 'transfer', 'transfer_id ' || transfer_id FROM transfer WHERE kind = 'withdrawal';

-- a run that is gone: runs
ALTER TABLE run_due DROP CONSTRAINT run_due_run_on_fkey;
ALTER TABLE run_plan DROP CONSTRAINT run_plan_run_on_fkey;
ALTER TABLE run_piece DROP CONSTRAINT run_piece_run_on_fkey;
ALTER TABLE closing DROP CONSTRAINT closing_closed_on_fkey;
DELETE FROM run WHERE run_on = '2026-02-10';
SELECT 'run', 'run_on 2026-02-11';

-- a correction of more than there was: corrections
INSERT INTO transfer SELECT cell, (SELECT max(transfer_id) + 256 FROM transfer n WHERE n.cell = t.cell),
   (SELECT max(transfer_id) + 256 FROM transfer n WHERE n.cell = t.cell), 'correction', customer_id, credit_account,
   debit_account, amount + 1, effective_at, recorded_at, request_key, position_id, transfer_id
   FROM transfer t WHERE transfer_id = (SELECT min(transfer_id) FROM transfer WHERE kind = 'deposit')
   RETURNING 'transfer', 'transfer_id ' || transfer_id;

-- a notice that is gone: notice_ids
DELETE FROM notice WHERE notice_id = (SELECT min(notice_id) FROM notice WHERE customer_id <> 0)
   RETURNING 'notice', 'notice_id ' || notice_id;

-- the newest notice of a cell gone: notice_ids
DELETE FROM notice WHERE notice_id = (SELECT max(notice_id) FROM notice)
   RETURNING 'cell', 'cell ' || cell;

-- a webhook that has read further than there is: webhook_cursors
INSERT INTO webhook_endpoint (client_id, url, description, state, secret, created_at)
   VALUES ('exchange', 'https://example.com/', '', 'enabled', 'x', '2026-02-01T00:00:00Z');
INSERT INTO webhook_cursor SELECT endpoint_id, cell, notice_count + (cell = 7)::integer FROM webhook_endpoint, cell;
SELECT 'webhook_cursor', 'endpoint_id ' || max(endpoint_id) || ', cell 7' FROM webhook_endpoint;

-- a webhook that does not read a cell: webhook_cursors
INSERT INTO webhook_endpoint (client_id, url, description, state, secret, created_at)
   VALUES ('exchange', 'https://example.com/', '', 'enabled', 'x', '2026-02-01T00:00:00Z');
INSERT INTO webhook_cursor SELECT endpoint_id, cell, notice_count FROM webhook_endpoint, cell WHERE cell <> 255;
SELECT 'webhook_cursor', 'endpoint_id ' || max(endpoint_id) || ', cell 255' FROM webhook_endpoint;

-- a delivery whose turn never comes: webhook_lanes
INSERT INTO webhook_endpoint (client_id, url, description, state, disabled_because, secret, created_at)
   VALUES ('exchange', 'https://example.com/', '', 'disabled', 'by_owner', 'x', '2026-02-01T00:00:00Z');
INSERT INTO webhook_cursor SELECT endpoint_id, cell, notice_count FROM webhook_endpoint, cell;
INSERT INTO webhook_delivery (endpoint_id, notice_id, customer_id, kind, state, due_at)
   SELECT max(endpoint_id), 513, 257, 'deposit', 'pending', '2026-02-01T00:00:00Z' FROM webhook_endpoint
   RETURNING 'webhook_lane', 'endpoint_id ' || endpoint_id || ', customer_id 257';

-- a balance of a closing: closings
UPDATE closing_balance SET amount = amount + 1 WHERE (closed_on, asset_id, account_kind) = ('2026-02-03', 1, 2)
   RETURNING 'closing_balance', 'closed_on 2026-02-03, asset_id 1';

-- money moved between two balances of a closing: closings
UPDATE closing_balance SET amount = amount + CASE account_kind WHEN 1 THEN 1 ELSE -1 END
   WHERE (closed_on, asset_id) = ('2026-02-03', 1) AND account_kind IN (1, 2)
   RETURNING 'closing_balance', 'closed_on 2026-02-03, asset_id 1, account_kind ' || account_kind;

-- a closing that is gone from between two others: closings
ALTER TABLE closing_cut DROP CONSTRAINT closing_cut_closed_on_fkey;
ALTER TABLE closing_late_reward DROP CONSTRAINT closing_late_reward_closed_on_fkey;
ALTER TABLE closing_movement DROP CONSTRAINT closing_movement_closed_on_fkey;
ALTER TABLE closing_balance DROP CONSTRAINT closing_balance_closed_on_fkey;
DELETE FROM closing WHERE closed_on = '2026-02-03' RETURNING 'closing', 'closed_on 2026-02-04';

-- the cut of a closing in one cell: closing_movements
UPDATE closing_cut k SET through_transfer = k.through_transfer - 256 FROM transfer t, closing c
   WHERE c.closed_on = (SELECT min(closed_on) FROM closing) AND k.closed_on = c.closed_on AND t.cell = k.cell
   AND t.transfer_id = k.through_transfer AND t.kind = 'subscription';
SELECT 'closing_movement', 'closed_on ' || min(closed_on) || ', asset_id 2, subscription from 1 to 3' FROM closing;

-- what moved on a closed day: closing_movements
UPDATE closing_movement SET amount = amount + 1 WHERE closed_on = '2026-02-03' AND kind = 'reward' AND asset_id = 1
   AND credit_kind = 2 RETURNING 'closing_movement', 'closed_on 2026-02-03, asset_id 1, reward from 9 to 2';

-- what moved on the newest closed day, carried into its balances: newest_closing
UPDATE closing_movement SET amount = amount + 1 WHERE closed_on = (SELECT max(closed_on) FROM closing)
   AND kind = 'reward' AND asset_id = 1 AND credit_kind = 2;
UPDATE closing_balance SET amount = amount + CASE account_kind WHEN 2 THEN 1 ELSE -1 END
   WHERE closed_on = (SELECT max(closed_on) FROM closing) AND asset_id = 1 AND account_kind IN (2, 9)
   RETURNING 'closing_balance', 'closed_on ' || closed_on || ', asset_id 1, account_kind ' || account_kind;

-- what an entry of the log says: log_chain
UPDATE desk_log SET details = '{"roles": []}' WHERE log_id = (SELECT min(log_id) FROM desk_log)
   RETURNING 'desk_log', 'log_id ' || log_id;

-- who did what the log says: log_chain
UPDATE desk_log SET operator = 'eve' WHERE log_id = (SELECT max(log_id) FROM desk_log_seal)
   RETURNING 'desk_log', 'log_id ' || log_id;

-- an entry of the log gone: log_chain
DELETE FROM desk_log WHERE log_id = (SELECT log_id FROM desk_log_seal WHERE number = 5)
   RETURNING 'desk_log', 'log_id ' || log_id;

-- an entry of the log gone with its link: log_chain
DELETE FROM desk_log WHERE log_id = (SELECT log_id FROM desk_log_seal WHERE number = 5);
DELETE FROM desk_log_seal WHERE number = 5;
SELECT 'desk_log', 'log_id ' || log_id FROM desk_log_seal WHERE number = 6;

-- a link made to fit what was changed: log_chain
UPDATE desk_log SET subject = 'eve' WHERE log_id = (SELECT log_id FROM desk_log_seal WHERE number = 5);
UPDATE desk_log_seal s SET hash = log_seal_hash((SELECT hash FROM desk_log_seal WHERE number = 4), s.number, s.sealed_at, log_line(l))
  FROM desk_log l WHERE l.log_id = s.log_id AND s.number = 5;
SELECT 'desk_log', 'log_id ' || log_id FROM desk_log_seal WHERE number = 6;

-- a request that was never decided: approvals
UPDATE approval SET decision = NULL, decided_by = NULL, decided_at = NULL
   WHERE approval_id = (SELECT min(approval_id) FROM approval) RETURNING 'approval', 'approval_id ' || approval_id;

-- somebody else who decided: approvals
INSERT INTO operator (name, added_at) VALUES ('eve', '2026-01-01');
UPDATE approval SET decided_by = 'eve' WHERE approval_id = (SELECT max(approval_id) FROM approval)
   RETURNING 'approval', 'approval_id ' || approval_id;

-- what was asked for: approvals
UPDATE approval SET request = '{}' WHERE approval_id = (SELECT min(approval_id) FROM approval)
   RETURNING 'approval', 'approval_id ' || approval_id;

-- a correction that nobody agreed to: corrections_approved
UPDATE approval SET act = 'another' WHERE act = 'correct_transfer';
SELECT 'transfer', 'transfer_id ' || transfer_id FROM transfer WHERE kind = 'correction';
