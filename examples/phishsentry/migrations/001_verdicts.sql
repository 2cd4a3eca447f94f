-- What was said about a page. One row a page: how often it was reported is a number.
CREATE TABLE verdicts (
    url          text PRIMARY KEY CHECK (length(url) <= 8192),
    verdict      text NOT NULL CHECK (verdict IN ('phishing', 'suspicious', 'harmless')),
    score        double precision NOT NULL CHECK (score BETWEEN 0 AND 1),
    reasons      text[] NOT NULL DEFAULT '{}',
    decided_by   text NOT NULL, -- the model's name, `feed`, or `operator`
    reports      bigint NOT NULL DEFAULT 1,
    first_at     timestamptz NOT NULL DEFAULT now(),
    last_at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX verdicts_last_at ON verdicts (last_at DESC);
