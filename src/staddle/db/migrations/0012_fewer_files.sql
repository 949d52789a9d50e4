-- A run makes and throws away fewer files; decision 0022 has the figures.

-- What a run owes, and a day of rewards, need no place for values too long for a page: there are none, a number of so many
-- digits is no amount. Without it a part is one file instead of three. What an interrupted run had worked out is
-- forgotten here; its payment works it out again.
DROP TABLE due_reward;
CREATE TABLE due_reward (
    credit_account bigint NOT NULL,
    position_id bigint NOT NULL,
    product_id integer NOT NULL,
    cell smallint NOT NULL,
    amount numeric NOT NULL,
    basis numeric NOT NULL
) PARTITION BY RANGE (cell);
ALTER TABLE due_reward ALTER amount SET STORAGE PLAIN, ALTER basis SET STORAGE PLAIN;
DO $$
BEGIN
    FOR part IN 0 .. 15 LOOP
        EXECUTE format('CREATE UNLOGGED TABLE due_reward_%s PARTITION OF due_reward FOR VALUES FROM (%s) TO (%s)',
                       part, part * 16, (part + 1) * 16);
        EXECUTE format('GRANT SELECT, INSERT, TRUNCATE ON due_reward_%s TO staddle_app', part);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, TRUNCATE ON due_reward TO staddle_app;

ALTER TABLE reward ALTER amount SET STORAGE PLAIN, ALTER basis SET STORAGE PLAIN;

CREATE OR REPLACE FUNCTION open_reward_day(run_on date, piece_count integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
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
