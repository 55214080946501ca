"""Accounts in Postgres. Every value goes to the server as a parameter, never as part of a statement."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import errors
from psycopg_pool import ConnectionPool
from werkzeug.security import check_password_hash, generate_password_hash

NOBODY = generate_password_hash("nobody's password")
"""Checked where there is no such account: an answer must not tell by its time which names exist."""


class NameTakenError(Exception):
    """Somebody has an account of this name."""


@dataclass(frozen=True)
class Account:
    id: int
    name: str


class Accounts:
    """The table `account`. Of a password only its scrypt hash is kept, with a salt of its own."""

    def __init__(self, pool: ConnectionPool) -> None:
        self.pool = pool

    def create(self, name: str, password: str) -> Account:
        """Raises NameTakenError."""
        statement = "INSERT INTO account (name, password_hash) VALUES (%s, %s) RETURNING id"
        hashed = generate_password_hash(password)
        try:
            with self.pool.connection() as connection:
                row = connection.execute(statement, [name, hashed]).fetchone()
        except errors.UniqueViolation:
            raise NameTakenError(name) from None
        assert row, "an INSERT returns its row"
        return Account(row[0], name)

    def verified(self, name: str, password: str) -> Account | None:
        """The account, if the password is its own."""
        with self.pool.connection() as connection:
            row = connection.execute("SELECT id, password_hash FROM account WHERE name = %s", [name]).fetchone()
        identity, hashed = row or (0, NOBODY)
        right = check_password_hash(hashed, password)
        return Account(identity, name) if row and right else None

    def find(self, identity: int) -> Account | None:
        with self.pool.connection() as connection:
            row = connection.execute("SELECT id, name FROM account WHERE id = %s", [identity]).fetchone()
        return Account(*row) if row else None

    def ready(self) -> None:
        """Raises psycopg.Error, of which the pool's PoolTimeout is one, unless the table can be read."""
        with self.pool.connection() as connection:
            connection.execute("SELECT FROM account LIMIT 1")
