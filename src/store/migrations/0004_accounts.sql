-- SPDX-License-Identifier: Apache-2.0
-- Vendors as this installation knows them, and accounts that last.

-- An administrator's other directory URL for a row of the registry. The rows themselves are code.
CREATE TABLE vendor_setting (
  key TEXT PRIMARY KEY,
  directory_url TEXT,
  rev @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL
) @STRICT@;

-- What a directory said when it was last read. facts: JSON; moved: JSON list of what differed from the reading before, kept until
-- something moves again; reason: why the last reading failed.
CREATE TABLE vendor_check (
  directory_url TEXT PRIMARY KEY,
  facts TEXT,
  facts_ms @INT@ NOT NULL DEFAULT 0,
  moved TEXT,
  moved_ms @INT@ NOT NULL DEFAULT 0,
  checked_ms @INT@ NOT NULL,
  reason TEXT
) @STRICT@;

-- automatic: renewals and other automatic acts may order although the vendor charges. next_key_id: the key a rollover moves to,
-- stored before it is used. eab_bytes: length of the HMAC key that bound the account. connection: JSON of how to reach its
-- authority, NULL = as the server's configuration says. refreshed_ms: when the authority was last asked about it.
ALTER TABLE account ADD COLUMN automatic @INT@ NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN next_key_id TEXT;
ALTER TABLE account ADD COLUMN eab_bytes @INT@ NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN connection TEXT;
ALTER TABLE account ADD COLUMN refreshed_ms @INT@ NOT NULL DEFAULT 0;
CREATE INDEX account_next_key ON account (next_key_id) WHERE next_key_id IS NOT NULL;
CREATE INDEX account_refreshed ON account (refreshed_ms, id) WHERE deleted_ms = 0;
CREATE INDEX account_directory ON account (directory_url);
CREATE INDEX account_vendor ON account (vendor, email) WHERE deleted_ms = 0;
CREATE INDEX account_deleted ON account (deleted_ms) WHERE deleted_ms > 0;
CREATE INDEX csr_public ON csr (public_hash);
DROP VIEW live_account;
CREATE VIEW live_account AS SELECT * FROM account WHERE deleted_ms = 0;
