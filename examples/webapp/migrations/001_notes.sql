-- What visitors leave behind. A row is visible to its owner only, and the database sees to that itself: it is told who
-- asks by the setting that Supabase uses, and shows nothing where nobody asks.
CREATE TABLE notes (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner text NOT NULL DEFAULT current_setting('request.jwt.claim.sub', true),
    text  text NOT NULL CHECK (length(text) BETWEEN 1 AND 500),
    at    timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX notes_owner ON notes (owner, at DESC);

ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
-- Also for the user who owns the table, which is the one that we connect as.
ALTER TABLE notes FORCE ROW LEVEL SECURITY;

CREATE POLICY own ON notes
    USING (owner = current_setting('request.jwt.claim.sub', true))
    WITH CHECK (owner = current_setting('request.jwt.claim.sub', true));

-- What the front page says. Everybody may read it.
CREATE TABLE greetings (
    id   integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    text text NOT NULL
);
