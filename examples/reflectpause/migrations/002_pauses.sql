-- Pauses of people who have opted in, added up. There is no person in it.
CREATE TABLE pauses (
    day    date NOT NULL,
    site   text NOT NULL,
    choice text NOT NULL,
    count  bigint NOT NULL,
    PRIMARY KEY (day, site, choice)
);
