-- towpath: expand
-- What browsers are to be told. It is written in the transaction that makes it true, and handed on afterwards.
CREATE TABLE outbox (
    id      bigserial PRIMARY KEY,
    user_id text NOT NULL,
    kind    text NOT NULL,
    body    jsonb NOT NULL DEFAULT '{}',
    at      timestamptz NOT NULL DEFAULT now(),
    told    timestamptz
);
CREATE INDEX outbox_untold ON outbox (id) WHERE told IS NULL;

-- The answer to a request that carries a key: asked again, it is answered again, and nothing is done twice.
CREATE TABLE answers (
    person text NOT NULL,
    key    text NOT NULL,
    status integer,
    body   text,
    at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (person, key)
);

-- Who changed what, and when. Nothing is ever changed in it.
CREATE TABLE audit (
    id     bigserial PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT now(),
    person text NOT NULL,
    what   text NOT NULL,
    status integer NOT NULL
);
