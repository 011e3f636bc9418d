-- How a user's requests are served: the plan and then Bedrock, Bedrock alone, or the plan alone.
ALTER TABLE users
    ADD COLUMN routing_strategy VARCHAR(20) NOT NULL DEFAULT 'plan_first',
    ADD CONSTRAINT users_routing_strategy_check CHECK (routing_strategy IN ('plan_first', 'bedrock_only', 'plan_only'));
