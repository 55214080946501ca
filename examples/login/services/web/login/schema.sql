-- Run before each release, by the database's owner: it must do no harm where all is there already.
CREATE TABLE IF NOT EXISTS account (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
