-- SPDX-License-Identifier: Apache-2.0
-- Through whom DNS is looked at, what was seen of delegations, what the Internet asked for them, and "go on anyway".

-- kind: system (/etc/resolv.conf), servers (a list of resolvers), doh (DNS over HTTPS, RFC 8484).
-- direct: the authoritative servers themselves are asked for the value; 0: the view's own resolvers are.
CREATE TABLE dns_view (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  servers TEXT NOT NULL,
  url TEXT NOT NULL,
  direct @INT@ NOT NULL,
  connection TEXT,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX dns_view_num ON dns_view (num);
CREATE UNIQUE INDEX dns_view_name ON dns_view (name) WHERE deleted_ms = 0;
CREATE INDEX dns_view_live ON dns_view (created_ms, id) WHERE deleted_ms = 0;

-- The longest matching suffix decides; of two with the same suffix the one that names the vendor. suffix "" matches every name.
-- view_id NULL: nobody is asked, the authority is told to look wait_s seconds after publishing.
CREATE TABLE view_rule (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  suffix TEXT NOT NULL,
  vendor TEXT NOT NULL,
  view_id TEXT REFERENCES dns_view (id),
  wait_s @INT@ NOT NULL,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX view_rule_num ON view_rule (num);
CREATE UNIQUE INDEX view_rule_same ON view_rule (suffix, vendor) WHERE deleted_ms = 0;
CREATE INDEX view_rule_live ON view_rule (created_ms, id) WHERE deleted_ms = 0;
CREATE INDEX view_rule_view ON view_rule (view_id) WHERE deleted_ms = 0;

-- When a person said: go on although the records are not seen. Written by service, read by the engine while it waits for them.
ALTER TABLE orders ADD COLUMN go_on_ms @INT@ NOT NULL DEFAULT 0;

-- looked: JSON, what the last look found.
ALTER TABLE delegation ADD COLUMN looked TEXT;
ALTER TABLE delegation ADD COLUMN looked_ms @INT@ NOT NULL DEFAULT 0;
DROP VIEW live_delegation;
CREATE VIEW live_delegation AS SELECT * FROM delegation WHERE deleted_ms = 0;

-- What was asked of us about a delegated zone: one row per network, transport, type and outcome; the oldest go.
CREATE TABLE asked (
  delegation_id TEXT NOT NULL REFERENCES delegation (id),
  network TEXT NOT NULL,
  transport TEXT NOT NULL,
  qtype TEXT NOT NULL,
  outcome TEXT NOT NULL,
  times @INT@ NOT NULL,
  first_ms @INT@ NOT NULL,
  last_ms @INT@ NOT NULL,
  PRIMARY KEY (delegation_id, network, transport, qtype, outcome)
) @STRICT@;
CREATE INDEX asked_last ON asked (delegation_id, last_ms);
