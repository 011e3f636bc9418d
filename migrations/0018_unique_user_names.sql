-- Users are called by their names, so no two that are not deleted have the same one. Where there are such already, all but
-- the oldest get their ids appended.
UPDATE users u SET name = left(u.name, 210) || ' (' || u.id || ')'
 WHERE u.deleted_at IS NULL
   AND EXISTS (SELECT FROM users o WHERE o.name = u.name AND o.deleted_at IS NULL
                  AND (o.created_at, o.id) < (u.created_at, u.id));

CREATE UNIQUE INDEX users_name_key ON users (name) WHERE deleted_at IS NULL;
