-- SPDX-License-Identifier: Apache-2.0
-- Where a challenge is really published: delegations by CNAME into a zone at a configured provider, and what a value is the digest of.

-- provider_id, target: the name leads to target by CNAME, and that provider writes there. Both or neither; NULL = answered by this server.
ALTER TABLE delegation ADD COLUMN provider_id TEXT;
ALTER TABLE delegation ADD COLUMN target TEXT;
DROP VIEW live_delegation;
CREATE VIEW live_delegation AS SELECT * FROM delegation WHERE deleted_ms = 0;
CREATE INDEX delegation_provider ON delegation (provider_id, id) WHERE deleted_ms = 0 AND provider_id IS NOT NULL;

-- dns-01: token and thumbprint, of which the value is the digest (RFC 8555 8.1, 8.4). What is called in lego's RAW mode needs it for cleaning up.
ALTER TABLE record ADD COLUMN key_auth TEXT;
DROP VIEW live_record;
CREATE VIEW live_record AS SELECT r.* FROM record r JOIN live_orders o ON o.id = r.order_id;
