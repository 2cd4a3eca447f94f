-- What a new environment begins with.
INSERT INTO greetings (text) VALUES ('Leave yourself a note');

SELECT set_config('request.jwt.claim.sub', 'visitor-ada', true);
INSERT INTO notes (text) VALUES ('Buy a better keyboard'), ('Call Charles about the engine');
