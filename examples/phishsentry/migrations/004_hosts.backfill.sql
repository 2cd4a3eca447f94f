-- Verdicts from before there were hosts. Those that are made now have theirs.
UPDATE verdicts
SET host = lower(substring(url FROM '^https?://(?:[^/?#]*@)?([^/:?#]+)'))
WHERE host IS NULL;
