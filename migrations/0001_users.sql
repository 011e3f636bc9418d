-- Developers. A user is never removed while usage refers to it: deletion sets deleted_at.
CREATE TABLE users (
    id          UUID         NOT NULL DEFAULT gen_random_uuid(),
    name        VARCHAR(255) NOT NULL,
    description TEXT,
    status      VARCHAR(20)  NOT NULL DEFAULT 'active',
    created_at  TIMESTAMPTZ  NOT NULL DEFAULT now(),
    updated_at  TIMESTAMPTZ  NOT NULL DEFAULT now(),
    deleted_at  TIMESTAMPTZ,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_name_check CHECK (name <> ''),
    CONSTRAINT users_status_check CHECK (status IN ('active', 'inactive'))
);
