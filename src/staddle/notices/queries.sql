-- name: write_notices
-- Append notices to the outbox.
INSERT INTO notice (cell, notice_id, customer_id, kind, body, effective_at)
SELECT n.cell, n.notice_id, n.customer_id, n.kind, n.body::json, %(now)s
  FROM unnest(%(cells)s::smallint[], %(notice_ids)s::bigint[], %(customer_ids)s::bigint[], %(kinds)s::text[],
              %(bodies)s::text[]) AS n (cell, notice_id, customer_id, kind, body);

-- name: notices_of
-- Read what happened to one customer, in order.
SELECT notice_id, customer_id, kind, body, effective_at
  FROM notice
 WHERE cell = %(cell)s AND customer_id = %(customer_id)s AND notice_id > %(after)s
 ORDER BY notice_id
 LIMIT %(count)s;

-- name: announcements_to
-- Read what was announced to all holders of a product, where the customer was one of them at that instant.
SELECT n.notice_id, n.customer_id, n.kind, n.body, n.effective_at
  FROM notice n
 WHERE n.cell = 0 AND n.customer_id = 0 AND n.notice_id > %(after)s
   AND (n.body ->> 'product' IS NULL
        OR EXISTS (SELECT
                     FROM position p
                     JOIN product t ON t.product_id = p.product_id
                    WHERE p.cell = %(cell)s AND p.customer_id = %(customer_id)s AND t.code = n.body ->> 'product'
                      AND p.started_at <= n.effective_at AND (p.ended_at IS NULL OR p.ended_at > n.effective_at)))
 ORDER BY n.notice_id
 LIMIT %(count)s;
