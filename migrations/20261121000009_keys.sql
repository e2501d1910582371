-- Keys: who answers for them, where they may go, when they end, the secret before the last rotation, and which of their
-- owner's own credentials they bring. Of secrets there are only keyed hashes and the last four characters.

ALTER TABLE api_keys ADD COLUMN owner {text};
ALTER TABLE api_keys ADD COLUMN targets {json};
ALTER TABLE api_keys ADD COLUMN expires_at {ts};
ALTER TABLE api_keys ADD COLUMN former_hash {blob};
ALTER TABLE api_keys ADD COLUMN former_last4 {text};
ALTER TABLE api_keys ADD COLUMN former_until {ts};
ALTER TABLE api_keys ADD COLUMN own_credentials {json};
