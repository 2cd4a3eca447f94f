-- Two people to sign in as, and the synthetic one that probes are. Their password is `harbour`: nothing here is worth more.
INSERT INTO people (id, email, name, password) VALUES
    ('ana', 'ana@example.com', 'Ana', crypt('harbour', gen_salt('bf'))),
    ('ben', 'ben@example.com', 'Ben', crypt('harbour', gen_salt('bf'))),
    ('probe', 'probe@example.com', 'Probe', NULL);

INSERT INTO events (person, kind, amount, at)
SELECT 'ana', (ARRAY['walk', 'read', 'swim'])[1 + day % 3], 20 + day, now() - day * interval '1 day'
FROM generate_series(1, 9) AS day;
