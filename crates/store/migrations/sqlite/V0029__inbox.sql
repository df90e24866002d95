-- What waits for an agent, whatever it received before.
CREATE INDEX transfers_by_inbox ON transfers (recipient_agent_id, id) WHERE status = 'active';
