"""The sessions of Postgres' superuser: nothing that the owner of a database has set or made there takes part in them.

An owner may give every session in its database other settings (`ALTER DATABASE … SET`), and put functions, operators
and tables where a session finds them before Postgres' own. What a session brings along itself comes before that.
"""

from __future__ import annotations

from collections.abc import Mapping

SEARCH_PATH = "pg_catalog,pg_temp"
"""Everything else is named with its schema. pg_temp is written out because it would come first otherwise
(https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-SEARCH-PATH)."""
OPTIONS = {
    "role": "none",
    "search_path": SEARCH_PATH,
    "local_preload_libraries": "",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",
    "transform_null_equals": "off",
    "client_encoding": "UTF8",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
"""Settings that every Postgres knows."""
LATER = {"idle_session_timeout": "0", "transaction_timeout": "0", "restrict_nonsystem_relation_kind": ""}
"""Those that came with Postgres 14 and 17 or a later release: an unknown one would end the connection."""


def pgoptions(options: Mapping[str, str] | None = None) -> str:
    """The environment variable PGOPTIONS of psql, with further settings."""
    return " ".join(f"-c {name}={value}" for name, value in {**OPTIONS, **(options or {})}.items())


def defaults_sql() -> str:
    """Makes the LATER ones the superuser's own, which come before those of a database. For psql in `postgres`, where
    nobody else may set anything."""
    values = ", ".join(f"('{name}', '{value}')" for name, value in LATER.items())
    return f"""\
SELECT format('ALTER ROLE postgres SET %I = %L', name, wanted)
    FROM pg_settings JOIN (VALUES {values}) AS own (name, wanted) USING (name)
\\gexec
"""  # noqa: S608 - constants
