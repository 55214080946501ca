"""A fingerprint of a database's schema: it changes when a migration changed tables, and with nothing else.

Run SQL with `psql -X` as the superuser over the local socket. Only the catalog is read, and alembic's version where
that is a plain table: nothing that the database's owner could have put there is executed. What is printed is hashed.
"""

from __future__ import annotations

from slipway.core import hashing

ARGUMENTS = ("psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-f", "-")
SESSION = {"lock_timeout": "5s", "statement_timeout": "20s"}
"""Settings of the session, besides the superuser's own."""
SQL = r"""
CREATE TEMPORARY VIEW ours AS
    SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'm', 'f');
SELECT format('column %s.%I %s %s %s', ours.name, a.attname, format_type(a.atttypid, a.atttypmod),
              CASE WHEN a.attnotnull THEN 'not null' END, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_temp.ours JOIN pg_attribute a ON a.attrelid = ours.oid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY 1;
SELECT format('constraint %s.%I %s', ours.name, c.conname, pg_get_constraintdef(c.oid))
    FROM pg_temp.ours JOIN pg_constraint c ON c.conrelid = ours.oid ORDER BY 1;
SELECT format('index %s', pg_get_indexdef(i.indexrelid))
    FROM pg_temp.ours JOIN pg_index i ON i.indrelid = ours.oid ORDER BY 1;
SELECT EXISTS (SELECT FROM pg_temp.ours WHERE name = 'public.alembic_version' AND relkind = 'r') AS versioned \gset
\if :versioned
SELECT format('alembic %s', version_num) FROM public.alembic_version ORDER BY 1;
\endif
"""


def fingerprint(printed: str) -> str:
    """Of what SQL printed."""
    return hashing.of_value(sorted(printed.splitlines()))
