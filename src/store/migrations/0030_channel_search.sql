-- SPDX-License-Identifier: Apache-2.0
-- A channel told only about the certificates that a search of the inventory finds; NULL: all. A view has the columns of its first day on PostgreSQL.
DROP VIEW live_channel;
ALTER TABLE channel ADD COLUMN search TEXT;
CREATE VIEW live_channel AS SELECT * FROM channel WHERE deleted_ms = 0;
