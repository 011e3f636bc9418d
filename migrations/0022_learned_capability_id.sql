-- What administrators call a learnt refusal by. Instances of the version before do not name it when they write.
ALTER TABLE learned_capabilities
    ADD COLUMN id UUID NOT NULL DEFAULT gen_random_uuid(),
    ADD CONSTRAINT learned_capabilities_id_key UNIQUE (id);
