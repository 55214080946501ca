"""Brings the schema up to date: one statement, which needs the table for itself."""

import os

import psycopg2

with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
    cursor.execute("CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY)")
    cursor.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS release text")
    if os.environ.get("BREAK") == "migration":
        cursor.execute("ALTER TABLE orders ADD COLUMN total no_such_type")
print("the schema is up to date", flush=True)
