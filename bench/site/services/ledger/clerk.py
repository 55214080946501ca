"""A worker: one job after the other, each written down when it begins and when it is done.

Told to stop, it finishes the one that it has: what is begun and never done was cut off.
"""

import os
import signal
import threading

import psycopg2
from version import VERSION

SECONDS = 4.0
TABLE = """
CREATE TABLE IF NOT EXISTS jobs (
    id serial PRIMARY KEY, version text NOT NULL,
    begun timestamptz NOT NULL DEFAULT clock_timestamp(), done timestamptz)
"""

stopped = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopped.set())
connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.autocommit = True
with connection.cursor() as cursor:
    cursor.execute(TABLE)
    while not stopped.is_set():
        cursor.execute("INSERT INTO jobs (version) VALUES (%s) RETURNING id", (VERSION,))
        [job] = cursor.fetchone()
        threading.Event().wait(SECONDS)
        cursor.execute("UPDATE jobs SET done = clock_timestamp() WHERE id = %s", (job,))
