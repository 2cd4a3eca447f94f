-- Who is in the club, where points are given, and for what they were given.

CREATE TABLE zones (
    name       text PRIMARY KEY,
    title      text NOT NULL,
    channel    bigint NOT NULL UNIQUE,
    multiplier double precision NOT NULL CHECK (multiplier BETWEEN 0 AND 10),
    version    integer NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_by text
);

CREATE TABLE members (
    id     bigint PRIMARY KEY,
    name   text NOT NULL,
    points bigint NOT NULL DEFAULT 0,
    events bigint NOT NULL DEFAULT 0,
    seen   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX members_points ON members (points DESC);

-- Who may change zones.
CREATE TABLE admins (
    member bigint PRIMARY KEY
);

-- A session of the gateway numbers what happens, so an event that is sent twice is counted once.
CREATE TABLE events (
    session    text NOT NULL,
    sequence   bigint NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    member     bigint NOT NULL REFERENCES members (id),
    zone       text NOT NULL,
    kind       text NOT NULL,
    multiplier double precision NOT NULL,
    points     bigint NOT NULL,
    PRIMARY KEY (session, sequence)
);

CREATE INDEX events_at ON events (at);

CREATE TABLE achievements (
    name   text PRIMARY KEY,
    title  text NOT NULL,
    points bigint NOT NULL
);

CREATE TABLE earned (
    member      bigint NOT NULL REFERENCES members (id),
    achievement text NOT NULL REFERENCES achievements (name),
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (member, achievement)
);

-- What the bot has to know when it starts again, and until when its word that it is connected holds. There is one bot.
CREATE TABLE bot (
    id           integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    session      text,
    sequence     bigint NOT NULL DEFAULT 0,
    connected_at timestamptz,
    heard_until  timestamptz NOT NULL DEFAULT now()
);

INSERT INTO bot DEFAULT VALUES;

-- When the bot saw which version of a zone.
CREATE TABLE sightings (
    zone    text PRIMARY KEY,
    version integer NOT NULL,
    after   interval NOT NULL
);
