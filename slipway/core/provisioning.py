"""SQL that makes the databases and roles of services, and sets their passwords. It can run again and again.

Run it with `psql -X -v ON_ERROR_STOP=1 -f -` as the superuser over the local socket; it holds password verifiers (never
passwords), so it goes in by standard input and is a secret.

Each service has a database of its own name, which only its own roles may enter. <svc>_owner (no login) owns everything
in it, <svc>_runtime (no login) may read and write rows but not change tables. Each has two logins, _a and _b, that take
turns: a rotation opens the one that is not in use, and locking_sql() closes the other once nothing uses it any more. An
owner login becomes <svc>_owner when it logs in: whichever made a table, the other may change it. So does
<svc>_console, an operator's login without a password, which comes in by the server's local socket only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from slipway.core import superuser
from slipway.core.postgres import CONSOLE_ROLE, HEALTH_ROLE

Duty = Literal["owner", "runtime"]
SLOTS = ("a", "b")
DUTIES: tuple[Duty, ...] = ("owner", "runtime")
ITERATIONS = 4096
"""Postgres' own default (scram_iterations)."""
CONSOLES = 3
"""How many operators may be in one database at once."""


def database_name(service: str) -> str:
    """The service's database, and what the names of its roles begin with."""
    return service.replace("-", "_")


def group(service: str, duty: Duty) -> str:
    """The role without login that holds the privileges."""
    return f"{database_name(service)}_{duty}"


def login(service: str, duty: Duty, slot: str) -> str:
    """A role to log in with."""
    return f"{group(service, duty)}_{slot}"


def console(service: str) -> str:
    """The role that an operator logs in with."""
    return f"{database_name(service)}_console"


def slot(generation: int) -> str:
    """Which of the two logins a generation of passwords uses."""
    return SLOTS[generation % len(SLOTS)]


@dataclass(frozen=True, kw_only=True)
class ServiceDatabase:
    """One service's database. `passwords`: {login role: password}; a login without one stays as it is, and is locked
    where no earlier run of this stack is known that could still use it.

    `connections` limits each login that has a password.
    """

    service: str
    connections: int
    passwords: Mapping[str, str] = field(repr=False)


def scram_verifier(role: str, password: str) -> str:
    """What Postgres stores. Salted by the password itself, so that the same password gives the same text each time.

    Only for passwords of printable ASCII (SASLprep leaves these alone): raises ValueError for others.
    """
    if not (password.isascii() and password.isprintable() and password):
        raise ValueError(f"the password of {role} must be printable ASCII and not empty")
    salt = hmac.new(password.encode(), f"slipway scram {role}".encode(), hashlib.sha256).digest()[:16]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def provisioning_sql(databases: Iterable[ServiceDatabase]) -> str:
    """The whole script. What it makes stays when a service goes away: deleting data is a separate act.

    Takes three variables of psql: `settled` (true by default), whether limits of connections may go down (until the
    switch the containers in service count on theirs); `fresh` (true by default), whether the stack's state is new; and
    `rotated`, the names of services whose logins take turns now, in commas. It fails where the login whose turn it is
    still has another password: then the last rotation did not end, and the containers that serve would be locked out.
    """
    every = list(databases)
    return "\n".join([_PREAMBLE, *(_guard(database) for database in every), *(_database(each) for each in every)])


def locking_sql(role: str) -> str:
    """Nobody comes in by this login any more, and who is in is thrown out. Nothing where there is no such role."""
    return f"""\
{_QUIET}SELECT 'ALTER ROLE {_quoted(role)} NOLOGIN PASSWORD NULL'
    WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')
\\gexec
SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity WHERE usename = '{role}' \\gset
"""  # noqa: S608 - checked names: see _quoted


# Neither a statement nor a notice of it may reach the server's log: verifiers are in them.
_QUIET = """\
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
SET log_min_duration_statement = -1;
SET client_min_messages = 'warning';
"""
_PREAMBLE = f"""\
\\set ON_ERROR_STOP on
\\if :{{?settled}}
\\else
\\set settled true
\\endif
\\if :{{?fresh}}
\\else
\\set fresh true
\\endif
\\if :{{?rotated}}
\\else
\\set rotated ''
\\endif
{_QUIET}ALTER ROLE postgres PASSWORD NULL;
SELECT 'CREATE ROLE {HEALTH_ROLE}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{HEALTH_ROLE}')
\\gexec
ALTER ROLE {HEALTH_ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 5;
SELECT 'CREATE ROLE {CONSOLE_ROLE} NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{CONSOLE_ROLE}')
\\gexec
SELECT pg_reload_conf() AS reloaded \\gset
{superuser.defaults_sql()}REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO {HEALTH_ROLE};
"""  # noqa: S608 - a constant name


def _database(database: ServiceDatabase) -> str:
    service = database.service
    name, owner, runtime = database_name(service), group(service, "owner"), group(service, "runtime")
    parts = [_role(owner), _role(runtime), _console(service)]
    for duty in DUTIES:
        parts.extend(_login(database, duty, slot) for slot in SLOTS)
    parts.append(
        f"""\
SELECT 'CREATE DATABASE {_quoted(name)} OWNER {_quoted(owner)}'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}')
\\gexec
ALTER DATABASE {_quoted(name)} OWNER TO {_quoted(owner)};
ALTER DATABASE {_quoted(name)} ALLOW_CONNECTIONS true;
REVOKE ALL ON DATABASE {_quoted(name)} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {_quoted(name)} TO {_quoted(owner)}, {_quoted(runtime)};
\\connect {_quoted(name)}
{_QUIET}CREATE SCHEMA IF NOT EXISTS public;
ALTER SCHEMA public OWNER TO {_quoted(owner)};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {_quoted(runtime)};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {_quoted(runtime)};
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {_quoted(runtime)};
ALTER DEFAULT PRIVILEGES FOR ROLE {_quoted(owner)} GRANT USAGE ON SCHEMAS TO {_quoted(runtime)};
ALTER DEFAULT PRIVILEGES FOR ROLE {_quoted(owner)} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {_quoted(runtime)};
ALTER DEFAULT PRIVILEGES FOR ROLE {_quoted(owner)} GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {_quoted(runtime)};
"""  # noqa: S608 - checked names: see _quoted
    )
    return "".join(parts)


def _role(role: str) -> str:
    return f"""\
SELECT 'CREATE ROLE {_quoted(role)} NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')
\\gexec
ALTER ROLE {_quoted(role)} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
"""  # noqa: S608 - checked names: see _quoted


def _console(service: str) -> str:
    role, owner = console(service), group(service, "owner")
    return f"""\
{_role(role)}GRANT {_quoted(owner)}, {CONSOLE_ROLE} TO {_quoted(role)};
ALTER ROLE {_quoted(role)} LOGIN PASSWORD NULL CONNECTION LIMIT {CONSOLES};
ALTER ROLE {_quoted(role)} SET role = '{owner}';
"""


def _guard(database: ServiceDatabase) -> str:
    parts = [
        f"""\
SELECT EXISTS (SELECT FROM pg_authid WHERE rolname = '{role}' AND rolcanlogin
    AND rolpassword IS DISTINCT FROM '{scram_verifier(role, password)}'
    AND '{database.service}' = ANY (string_to_array(:'rotated', ','))) AS taken \\gset
\\if :taken
DO $$ BEGIN RAISE EXCEPTION 'the login {role} is still in use: an earlier rotation has not ended'; END $$;
\\endif
"""  # noqa: S608 - checked names: see _quoted
        for role, password in database.passwords.items()
    ]
    return "".join(parts)


def _login(database: ServiceDatabase, duty: Duty, slot: str) -> str:
    role, holder = login(database.service, duty, slot), group(database.service, duty)
    password = database.passwords.get(role)
    may = (
        f"LOGIN PASSWORD '{scram_verifier(role, password)}';\n{_limit(role, database.connections)}"
        if password
        else "NOLOGIN PASSWORD NULL;"
    )
    opened = f"ALTER ROLE {_quoted(role)} {may}\n"
    text = _role(role) + f"GRANT {_quoted(holder)} TO {_quoted(role)};\n"
    text += opened if password else f"\\if :fresh\n{opened}\\endif\n"
    return text + (f"ALTER ROLE {_quoted(role)} SET role = '{holder}';\n" if duty == "owner" else "")


def _limit(role: str, connections: int) -> str:
    return f"""\
SELECT format('ALTER ROLE {_quoted(role)} CONNECTION LIMIT %s',
    CASE WHEN :settled THEN {connections} ELSE greatest({connections}, rolconnlimit) END)
    FROM pg_roles WHERE rolname = '{role}'
\\gexec"""  # noqa: S608 - checked names: see _quoted


def _quoted(name: str) -> str:
    # Names come from the settings, which allow a-z, 0-9 and "-" (here "_") only; `user` or `order` still need quotes.
    return f'"{name}"'
