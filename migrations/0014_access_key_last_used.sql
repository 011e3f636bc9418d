-- When a key was last used, to the minute, so that those that nobody uses can be found. NULL: not since this column exists.
ALTER TABLE access_keys ADD COLUMN last_used_at TIMESTAMPTZ;
