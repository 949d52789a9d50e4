"""The role under which all acts run. It belongs to the server, not to a database, so no backup brings it along."""

from typing import Any

import psycopg

_HAVE = """
DO $$
DECLARE
    -- From version 16 on, whoever makes a role is its admin but may not act under it until they say so.
    is_told_apart boolean := current_setting('server_version_num')::int >= 160000;
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'staddle_app') THEN
            CREATE ROLE staddle_app NOLOGIN;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    IF NOT pg_has_role(current_user, 'staddle_app', CASE WHEN is_told_apart THEN 'SET' ELSE 'MEMBER' END) THEN
        EXECUTE format('GRANT staddle_app TO %I', current_user)
                || CASE WHEN is_told_apart THEN ' WITH SET TRUE' ELSE '' END;
    END IF;
END
$$;
"""


def have_role(connection: psycopg.Connection[Any]) -> None:
    """Make the role where there is none, and let the owner act under it; an owner who may already changes nothing."""
    connection.execute(_HAVE)
