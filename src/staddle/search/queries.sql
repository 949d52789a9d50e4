-- name: products_called
-- Find the products whose code or name begins so, or has a word that does; there are some hundred at most.
SELECT o.code, o.name, o.kind, o.state, a.code AS asset
  FROM product o
  JOIN asset a ON a.asset_id = o.asset_id
 WHERE o.state <> 'discarded'
   AND (starts_with(lower(o.code), %(text)s) OR strpos(' ' || lower(o.name), ' ' || %(text)s) > 0
        OR strpos('-' || lower(o.code), '-' || %(text)s) > 0)
 ORDER BY lower(o.code) <> %(text)s, o.code
 LIMIT %(count)s;

-- name: coins_called
-- Find the coins whose code is this, or whose name begins so.
SELECT code, name
  FROM asset
 WHERE lower(code) = %(text)s OR starts_with(lower(name), %(text)s)
 ORDER BY lower(code) <> %(text)s, code
 LIMIT %(count)s;

-- name: logins_called
-- Find the customers whose login has an e-mail address that begins so.
SELECT l.email, l.customer_id
  FROM login l
 WHERE l.kind = 'customer' AND l.email COLLATE "C" >= %(text)s AND l.email COLLATE "C" < %(until)s
 ORDER BY l.email COLLATE "C"
 LIMIT %(count)s;

-- name: notice_numbered
-- Find a notice by its number.
SELECT n.kind, n.customer_id, n.effective_at
  FROM notice n
 WHERE n.cell = %(cell)s AND n.notice_id = %(notice_id)s;

-- name: run_of_day
-- Say whether a day has a run, and whether it is closed.
SELECT r.state, c.closed_on IS NOT NULL AS is_closed
  FROM run r
  LEFT JOIN closing c ON c.closed_on = r.run_on
 WHERE r.run_on = %(run_on)s;
