-- towpath: expand
-- What people did: written by hand, or imported.
CREATE TABLE events (
    id     bigserial PRIMARY KEY,
    person text NOT NULL REFERENCES people ON DELETE CASCADE,
    kind   text NOT NULL,
    amount bigint NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    -- A row of an import is kept once, however often the import is tried.
    import text,
    line   bigint,
    UNIQUE (import, line)
);
CREATE INDEX events_of_person ON events (person, at DESC);

CREATE TABLE imports (
    id      text PRIMARY KEY,
    person  text NOT NULL REFERENCES people ON DELETE CASCADE,
    source  text NOT NULL,
    lines   bigint NOT NULL CHECK (lines > 0),
    done    bigint NOT NULL DEFAULT 0,
    touched timestamptz NOT NULL DEFAULT now()
);

-- A request for a score is answered when `scored` has reached `wanted`; Redis may forget the job, this row does not.
CREATE TABLE scores (
    person  text PRIMARY KEY REFERENCES people ON DELETE CASCADE,
    wanted  bigint NOT NULL DEFAULT 1,
    scored  bigint NOT NULL DEFAULT 0,
    touched timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE reflections (
    id         bigserial PRIMARY KEY,
    person     text NOT NULL REFERENCES people ON DELETE CASCADE,
    advice     text NOT NULL,
    hash       text NOT NULL,
    by_coach   boolean NOT NULL,
    at         timestamptz NOT NULL DEFAULT now()
);

-- The latest digests; all of them are in the bucket.
CREATE TABLE digests (
    person text NOT NULL REFERENCES people ON DELETE CASCADE,
    week   text NOT NULL,
    object text NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person, week)
);
