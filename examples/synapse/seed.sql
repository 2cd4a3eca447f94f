-- Where points are given, and what for. The channels are those of the stand-in for Discord.
INSERT INTO zones (name, title, channel, multiplier) VALUES
    ('lounge',   'The lounge',     5001, 1),
    ('help',     'Helping others', 5002, 2),
    ('showcase', 'Showcase',       5003, 1.5),
    ('study',    'Study hall',     5004, 3),
    ('memes',    'Memes',          5005, 0.5);

INSERT INTO achievements (name, title, points) VALUES
    ('first-words', 'First words', 10),
    ('regular',     'A regular',   250),
    ('pillar',      'A pillar',    1000),
    ('legend',      'A legend',    5000);

-- Ada keeps the club. Everybody else may look.
INSERT INTO admins (member) VALUES (7001);
