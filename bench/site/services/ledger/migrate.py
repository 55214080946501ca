"""Brings the table up to date. Nothing in it refuses the same entry twice: what arrives twice must show."""

import os

import psycopg2
from version import FAULT

STATEMENTS = """
CREATE TABLE IF NOT EXISTS entries (
    id text NOT NULL, size bigint NOT NULL, sha256 text NOT NULL, version text NOT NULL,
    received timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX IF NOT EXISTS entries_by_id ON entries (id);
"""

if __name__ == "__main__":
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute(STATEMENTS)
        if FAULT == "failing migration":
            cursor.execute("ALTER TABLE pages ADD COLUMN colour text")
    connection.close()
