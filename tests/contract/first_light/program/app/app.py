"""Counts visits in Postgres."""

from pathlib import Path

import psycopg2
from flask import Flask

VERSION = "one"
app = Flask(__name__)


def connect():
    password = Path("/run/database-password").read_text()
    return psycopg2.connect(host="postgres", user="postgres", password=password, connect_timeout=3)


@app.get("/")
def visits():
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS visits (at timestamptz DEFAULT now())")
        cursor.execute("INSERT INTO visits DEFAULT VALUES")
        cursor.execute("SELECT count(*) FROM visits")
        return {"version": VERSION, "visits": cursor.fetchone()[0]}


@app.get("/health")
def health():
    connect().close()
    return "ok"
