-- What waits for people, for whatever activates it.
CREATE INDEX transfers_by_waiting ON transfers (id) WHERE status = 'pending_recipient';
