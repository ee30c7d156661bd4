-- SPDX-License-Identifier: Apache-2.0
-- Aliases in a zone of ours, receipts of changes, and the nightly look at delegations.

-- The name in dns.zone that is answered with the same value, as it was when the record was made; NULL = none.
ALTER TABLE record ADD COLUMN alias TEXT;
-- What the provider said about the change that published it, to ask when all its servers have it; NULL = nothing to ask.
ALTER TABLE record ADD COLUMN receipt TEXT;
DROP VIEW live_record;
CREATE VIEW live_record AS SELECT r.* FROM record r JOIN live_orders o ON o.id = r.order_id;

-- look_due_ms: when it is looked at next by itself. good_ms: when it was last seen to be ours. away, away_ms: what was seen since it is not any
-- more; only of one that was ours before.
ALTER TABLE delegation ADD COLUMN look_due_ms @INT@ NOT NULL DEFAULT 0;
ALTER TABLE delegation ADD COLUMN good_ms @INT@ NOT NULL DEFAULT 0;
ALTER TABLE delegation ADD COLUMN away TEXT;
ALTER TABLE delegation ADD COLUMN away_ms @INT@ NOT NULL DEFAULT 0;
DROP VIEW live_delegation;
CREATE VIEW live_delegation AS SELECT * FROM delegation WHERE deleted_ms = 0;
CREATE INDEX delegation_look ON delegation (look_due_ms, id) WHERE deleted_ms = 0;
