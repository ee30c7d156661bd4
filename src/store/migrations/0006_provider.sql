-- SPDX-License-Identifier: Apache-2.0
-- Configured publishers (External DNS), the rules that choose how a name is proved, and which way each name of an order goes.

-- fields: JSON of what is not secret. sealed: JSON of the secrets, bound to this row and to the endpoint it was entered for.
-- status: new (never tested), ok, failed (the last test), refused (the remote side does not accept the credential: parked).
CREATE TABLE provider (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  fields TEXT NOT NULL,
  secret_names TEXT NOT NULL,
  sealed @BLOB@,
  connection TEXT,
  status TEXT NOT NULL,
  reason TEXT,
  tested_ms @INT@ NOT NULL DEFAULT 0,
  test TEXT,
  zones TEXT,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX provider_num ON provider (num);
CREATE UNIQUE INDEX provider_name ON provider (name) WHERE deleted_ms = 0;
CREATE INDEX provider_created ON provider (created_ms, id);
CREATE VIEW live_provider AS SELECT * FROM provider WHERE deleted_ms = 0;

-- The longest matching suffix decides; of two with the same suffix the one that names the vendor. suffix "" matches every name.
CREATE TABLE validation_rule (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  suffix TEXT NOT NULL,
  vendor TEXT NOT NULL,
  validation TEXT NOT NULL,
  method TEXT NOT NULL,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX validation_rule_num ON validation_rule (num);
CREATE UNIQUE INDEX validation_rule_what ON validation_rule (suffix, vendor, validation) WHERE deleted_ms = 0;
CREATE INDEX validation_rule_method ON validation_rule (method);
CREATE INDEX validation_rule_created ON validation_rule (created_ms, id);
CREATE VIEW live_validation_rule AS SELECT * FROM validation_rule WHERE deleted_ms = 0;

-- How each name is proved: JSON {"example.com": {"method": "...", "by": "name"}}; NULL = dns_method or http_method for all.
ALTER TABLE orders ADD COLUMN methods TEXT;
ALTER TABLE certificate ADD COLUMN methods TEXT;
-- The zone of the provider that holds the owner name, once it was found.
ALTER TABLE record ADD COLUMN zone TEXT;
CREATE INDEX record_method ON record (method) WHERE withdrawn_ms = 0;
CREATE INDEX debt_method ON debt (method) WHERE state = 'owed';
CREATE INDEX debt_owed_list ON debt (created_ms, id) WHERE state = 'owed';

-- PostgreSQL fixes the columns of "*" when a view is made: made anew, so that they show the new ones.
DROP VIEW live_record;
DROP VIEW live_orders;
DROP VIEW live_certificate;
CREATE VIEW live_orders AS SELECT o.* FROM orders o JOIN account a ON a.id = o.account_id
  WHERE o.deleted_ms = 0 AND a.deleted_ms = 0;
CREATE VIEW live_record AS SELECT r.* FROM record r JOIN live_orders o ON o.id = r.order_id;
CREATE VIEW live_certificate AS SELECT * FROM certificate WHERE deleted_ms = 0;
