-- A Bedrock model of an access key for one family of requested models, ahead of everything else: so that the small
-- requests that Claude Code makes in the background do not run on the big model.
CREATE TABLE access_key_models (
    access_key_id UUID         NOT NULL,
    family        VARCHAR(20)  NOT NULL,
    bedrock_model VARCHAR(256) NOT NULL,
    CONSTRAINT access_key_models_pkey PRIMARY KEY (access_key_id, family),
    CONSTRAINT access_key_models_access_key_id_fkey FOREIGN KEY (access_key_id) REFERENCES access_keys (id),
    CONSTRAINT access_key_models_family_check CHECK (family IN ('fable', 'opus', 'sonnet', 'haiku', 'other')),
    CONSTRAINT access_key_models_bedrock_model_check CHECK (bedrock_model <> '')
);
