-- change.status 3, superseded: a later change of the group was applied before the outcome was known. Programs that know only
-- the statuses 0 to 2 must not read it, and what they have written of such changes was that they were rejected.
UPDATE change SET status = 3, error = 'overtaken by revision ' || substr(error, 24, instr(error, ' before the plugin''s answer') - 24)
    || ' before its outcome was known; it may have been applied'
WHERE status = 2 AND error GLOB 'superseded by revision [0-9]* before the plugin''s answer was stored';
