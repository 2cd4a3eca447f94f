-- What operators have said. It is evidence about every other page of the same host.
CREATE TABLE reviews (
    url     text PRIMARY KEY REFERENCES verdicts (url),
    host    text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('phishing', 'harmless')),
    at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX reviews_host ON reviews (host);

ALTER TABLE verdicts ADD COLUMN host text;
CREATE INDEX verdicts_host ON verdicts (host);
