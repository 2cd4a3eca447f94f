-- Messages that were harsh. Neither what was written is here nor who wrote it, but a hash that is found again.
CREATE TABLE incidents (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT now(),
    server text NOT NULL,
    person text NOT NULL CHECK (person ~ '^[0-9a-f]{64}$'),
    score  double precision NOT NULL
);

CREATE INDEX incidents_at ON incidents (at);
CREATE INDEX incidents_person ON incidents (person);

-- How much was read, by the hour: a busier week has more incidents.
CREATE TABLE activity (
    at       timestamptz NOT NULL,
    server   text NOT NULL,
    messages bigint NOT NULL,
    PRIMARY KEY (server, at)
);
