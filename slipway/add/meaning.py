"""What an environment variable is for, by its name: a secret, a part of the database's address, the image's own."""

from __future__ import annotations

import re
from enum import StrEnum


class Kind(StrEnum):
    """`OURS`: the image or Slipway sets it, or it only matters where the app is started by hand."""

    DATABASE = "database"
    GENERATED = "generated secret"
    GIVEN = "secret that somebody else gave out"
    SERVER = "address of another server"
    MODE = "name of a configuration"
    OURS = "ours"
    PLAIN = "plain"


_DATABASE = re.compile(r"(?:\w+_)?(?:DB|DATABASE|POSTGRES|POSTGRESQL|PG|PSQL|SQL|RDS)_?(?P<part>[A-Z]+)")
_URL = re.compile(r"(?:\w+_)?(?:SQLALCHEMY_DATABASE|DATABASE|DB|POSTGRES|POSTGRESQL|PG|SQL)_?(?:URL|URI|DSN)")
_PARTS = {
    "host": {"HOST", "HOSTNAME", "SERVER", "ADDRESS", "ADDR"},
    "port": {"PORT"},
    "name": {"NAME", "DATABASE", "DB", "DBNAME", "BASE"},
    "user": {"USER", "USERNAME", "LOGIN"},
    "password": {"PASSWORD", "PASS", "PASSWD", "PW", "PWD"},
}
_GENERATED = re.compile(
    r"(\w+_)?(SECRET_KEY|SECRET|SALT|SIGNING_KEY|ENCRYPTION_KEY|SESSION_KEY|CSRF_KEY|JWT_KEY|COOKIE_KEY)"
    r"|(ADMIN|INITIAL|DEFAULT|ROOT|BASIC_AUTH)\w*_(PASSWORD|TOKEN)|APP_(TOKEN|PASSWORD)|AUTH_TOKEN"
)
_GIVEN = re.compile(
    r"(\w+_)?(PASSWORD|PASSWD|PASS|TOKEN|API_KEY|APIKEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS|DSN|SECRET|SECRET_KEY)"
)
_THEIRS = re.compile(
    r"(AWS|AZURE|GCP|GOOGLE|GITHUB|GITLAB|STRIPE|TWILIO|FACEBOOK|TWITTER|OAUTH\w*|S3|SENTRY|MAIL\w*|SMTP)_"
)
_SERVER = re.compile(
    r"(\w*_)?(REDIS|CELERY|BROKER|RABBITMQ|AMQP|MEMCACHED?|MONGO(DB)?|ELASTIC(SEARCH)?|MYSQL|MARIADB|KAFKA)"
    r"(_\w*)?(URL|URI|HOST|SERVERS?|BACKEND|ENDPOINT)"
)
_MODE = re.compile(
    r"(FLASK|APP)_(CONFIG|ENV|SETTINGS|MODE)|CONFIG(_NAME|_MODE|URATION)?|ENV(IRONMENT)?|FLASK_CONFIGURATION"
)
_OURS = re.compile(
    r"FLASK_(APP|DEBUG|RUN_\w+|SKIP_DOTENV)|DEBUG|TESTING|PORT|HOST|BIND|PATH|HOME|USER|USERNAME|PWD|LANG|LC_\w+|TZ"
    r"|HOSTNAME|SHELL|TERM|TMPDIR|TEMP|PYTHON\w+|VIRTUAL_ENV|GUNICORN_\w+|SCRIPT_NAME|WEB_CONCURRENCY|CI|GITHUB_ACTIONS|EDITOR"
    r"|PYTEST_\w+|WERKZEUG_\w+|XDG_\w+|APPDATA|SERVER_SOFTWARE|DYNO|READTHEDOCS"
)


def kind(name: str) -> Kind:
    """The kinds are tried from the narrowest to the widest."""
    upper = name.upper()
    tests = (
        (_OURS, Kind.OURS),
        (_SERVER, Kind.SERVER),
        (_MODE, Kind.MODE),
    )
    found = next((each for pattern, each in tests if pattern.fullmatch(upper)), None)
    if found is not None:
        return found
    if database_part(upper):
        return Kind.DATABASE
    if _GENERATED.fullmatch(upper) and not _THEIRS.match(upper):
        return Kind.GENERATED
    return Kind.GIVEN if _GIVEN.fullmatch(upper) else Kind.PLAIN


def database_part(name: str) -> str | None:
    """url, host, port, name, user or password; None for a variable that is none of them."""
    if _URL.fullmatch(name):
        return "url"
    if match := _DATABASE.fullmatch(name):
        return next((part for part, words in _PARTS.items() if match["part"] in words), None)
    return None


def is_local(value: str) -> bool:
    """Whether it is an address on this very machine, which in a container is the container itself."""
    return bool(re.search(r"\b(localhost|127\.0\.0\.1|0\.0\.0\.0|host\.docker\.internal)\b", value))


def is_placeholder(value: str) -> bool:
    """Whether an example file shows it only to be replaced."""
    return not value or bool(
        re.search(r"chang|your|replace|example|xxx|todo|secret|<.*>|\.\.\.|\$\{?\w", value, re.IGNORECASE)
    )


def holds_password(value: str) -> bool:
    """Whether it is a URL with a password in it."""
    return bool(re.search(r"://[^/@\s:]*:[^/@\s]+@", value))
