-- name: preferred
-- Find what was said of some positions: whether their principal goes to flexible once it is not renewed.
SELECT position_id, is_flexible FROM redeem_preference
 WHERE cell = %(cell)s AND position_id = ANY(%(position_ids)s::bigint[]);

-- name: prefer
-- Keep whether a position's principal is to go to flexible once it is not renewed.
INSERT INTO redeem_preference (cell, position_id, is_flexible)
VALUES (%(cell)s, %(position_id)s, %(is_flexible)s)
    ON CONFLICT (cell, position_id) DO UPDATE SET is_flexible = excluded.is_flexible;
