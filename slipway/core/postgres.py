"""The stack's own Postgres server: who may log in from where, how it is started, how its health is asked."""

from __future__ import annotations

from slipway.site.database import MigrationSettings, PostgresSettings

HBA_FILE = "/etc/slipway/pg_hba.conf"
"""Where the container mounts pg_hba(); the server's own one trusts everybody on the local socket."""
DATA = "/var/lib/postgresql/data"
VERSION_FILE, CONTROL_FILE = "PG_VERSION", "global/pg_control"
HEALTH_ROLE = "slipway_health"
"""May log in from the container's own loopback without a password, and may do nothing at all."""
CHECK = """
made=$(cat "$0/PG_VERSION" 2> /dev/null) || exit 0
have=$(postgres --version | sed 's/^[^0-9]*\\([0-9]*\\).*/\\1/')
if [ "$made" != "$have" ]; then
    echo "the data in its volume is of Postgres $made, and the image has Postgres $have, which does not read it" >&2
    exit 1
fi
exec "$@" > /dev/null
"""
READY = ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=nobody"]
"""Whether the server answers over TCP, also before it has any role. Somebody whom it asks for a password, which
pg_isready never gives: of one who may not log in at all it would log an error."""
CONSOLE_ROLE = "slipway_console"
"""Has every service's console login as a member: those come by the local socket only, which is the container's own."""


def pg_hba() -> str:
    """The text of pg_hba.conf: the superuser by the local socket as OS user postgres, never over a network; by the same
    socket operators, each as the owner of one database.

    It names no service, so that a new one does not restart the server; which role may enter which database is settled
    by CONNECT (slipway.core.provisioning). The first line that fits decides.
    """
    return f"""\
# type  database    user            address         method
local   all         postgres                        peer
local   all         +{CONSOLE_ROLE}                trust
local   all         all                             reject
host    postgres    {HEALTH_ROLE}  127.0.0.1/32    trust
host    postgres    {HEALTH_ROLE}  ::1/128         trust
host    all         {HEALTH_ROLE}  all             reject
host    all         postgres        all             reject
host    all         all             all             scram-sha-256
"""


def command(settings: PostgresSettings) -> list[str]:
    """The argument list, sized by the container's memory: a quarter for Postgres' own cache, the rest for the system's.

    `listen_addresses` first: while the cluster is made, the image appends an empty one, and the last one counts.
    """
    options = {
        "listen_addresses": "*",
        "hba_file": HBA_FILE,
        "password_encryption": "scram-sha-256",
        "max_connections": settings.max_connections,
        "shared_buffers": f"{settings.memory // 4}MB",
        "effective_cache_size": f"{settings.memory * 3 // 4}MB",
        "maintenance_work_mem": f"{max(16, settings.memory // 16)}MB",
        "idle_in_transaction_session_timeout": "5min",
        "log_connections": "off",
        # A statement holds values wherever an app or a driver writes them into it; so none is logged, slow or wrong,
        # and no detail of an error, which quotes rows. The app is told all of it.
        "log_min_duration_statement": "-1",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    }
    if settings.preload:
        options["shared_preload_libraries"] = ",".join(settings.preload)
    return ["postgres", *(text for name, value in options.items() for text in ("-c", f"{name}={value}"))]


def check_command(settings: PostgresSettings) -> list[str]:
    """Fails where its data is of another major version than the program, or where it does not know
    an option; touches nothing, and may run beside a server on the same data."""
    return ["sh", "-ec", CHECK, DATA, *command(settings), "-D", DATA, "-C", "max_connections"]


def initdb_args() -> str:
    """POSTGRES_INITDB_ARGS: checksums (default only from 18), and the same order of texts on every image."""
    return "--data-checksums --auth-local=peer --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8"


def migration_options(settings: MigrationSettings) -> str:
    """PGOPTIONS of a migration: libpq, and so psycopg, sets them when it connects."""
    options = {"lock_timeout": settings.lock_timeout, "statement_timeout": settings.statement_timeout}
    return " ".join(f"-c {name}={seconds}s" for name, seconds in options.items() if seconds)


def health_command() -> list[str]:
    """A real query over TCP: while the cluster is being made the server listens on its socket only."""
    return ["psql", "-XqtA", "-h", "127.0.0.1", "-U", HEALTH_ROLE, "-d", "postgres", "-c", "SELECT 1"]


def system_identifier(control: bytes) -> str:
    """Which cluster a control file is of: its first eight bytes (pg_control.h), in the order of the processors that
    Docker runs on. "" for no such file."""
    return str(int.from_bytes(control[:8], "little")) if len(control) >= 8 else ""
