-- Work that can wait. A queue of its own would be one more thing to run.
CREATE TABLE jobs (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL, -- `rescore`, and `rescore-dead` once all tries have failed
    host       text NOT NULL,
    tries      int NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    failed     text,
    made_at    timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz
);

CREATE INDEX jobs_waiting ON jobs (kind, not_before) WHERE done_at IS NULL;

-- Whoever works is woken when there is something to do.
CREATE FUNCTION tell_of_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('jobs', NEW.kind);
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_job AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION tell_of_job();
