-- How a customer wants to see their pages, what they want to be told, and how far they have read.
CREATE TABLE preference (
    cell smallint NOT NULL,
    customer_id bigint NOT NULL,
    language text NOT NULL DEFAULT 'en' CHECK (length(language) BETWEEN 2 AND 12),
    theme text NOT NULL DEFAULT 'system' CHECK (theme IN ('system', 'light', 'dark')),
    zone text NOT NULL DEFAULT 'UTC' CHECK (length(zone) BETWEEN 1 AND 64),
    muted text[] NOT NULL DEFAULT '{}',
    read_notice_id bigint NOT NULL DEFAULT 0,
    read_announcement_id bigint NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (cell, customer_id)
);
COMMENT ON COLUMN preference.muted IS 'kinds of messages that the customer does not want to be told of';
COMMENT ON COLUMN preference.read_notice_id IS 'the newest message of their own that they have seen; announcements are numbered apart';

GRANT SELECT, INSERT, UPDATE ON preference TO staddle_app;
