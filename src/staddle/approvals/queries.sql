-- name: holders
-- Count the customers who hold a product, and add up what they have in it.
SELECT count(*) AS customers, coalesce(sum(h.principal), 0) AS principal
  FROM (SELECT p.customer_id, sum(p.principal) AS principal
          FROM position p
         WHERE p.product_id = %(product_id)s AND p.ended_at IS NULL
         GROUP BY p.customer_id) h;

-- name: open_sessions
-- Count where somebody is signed in.
SELECT count(*) AS sessions FROM session WHERE login_id = %(login_id)s AND ended_at IS NULL AND expires_at > %(now)s;
