-- Made up pages, so that nobody looks at an empty dashboard.
INSERT INTO verdicts (url, host, verdict, score, reasons, decided_by, reports) VALUES
    ('https://login.example.com.phish.test/', 'login.example.com.phish.test', 'phishing', 0.909,
     '{"bait in the host''s name","another host''s name inside its own","many parts"}', 'addresses-3', 14),
    ('http://203.0.113.7/secure/update', '203.0.113.7', 'phishing', 0.87,
     '{"not encrypted","bait in the path","a number instead of a name"}', 'addresses-3', 3),
    ('https://gifts.example.org/card', 'gifts.example.org', 'harmless', 0.1, '{}', 'addresses-3', 2),
    ('https://gifts.example.org/winner', 'gifts.example.org', 'harmless', 0.1, '{}', 'addresses-3', 5),
    ('https://example.org/', 'example.org', 'harmless', 0.1, '{}', 'addresses-3', 1);
