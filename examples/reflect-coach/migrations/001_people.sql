-- towpath: expand
-- Passwords, tokens and diaries are hashed and encrypted by the database, so that no program does it in a way of its own.
CREATE EXTENSION IF NOT EXISTS pgcrypto;

CREATE TABLE people (
    id       text PRIMARY KEY,
    email    text NOT NULL UNIQUE,
    name     text NOT NULL,
    password text
);

-- The token itself is only in the visitor's cookie: who reads this table signs in as nobody.
CREATE TABLE sessions (
    token  text PRIMARY KEY,
    person text NOT NULL REFERENCES people ON DELETE CASCADE,
    until  timestamptz NOT NULL
);

CREATE TABLE diaries (
    id     bigserial PRIMARY KEY,
    person text NOT NULL REFERENCES people ON DELETE CASCADE,
    text   bytea,
    at     timestamptz NOT NULL DEFAULT now()
);
