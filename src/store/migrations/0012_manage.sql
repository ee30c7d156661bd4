-- SPDX-License-Identifier: Apache-2.0
-- Notification rules by tag and owner: lists joined by newline, "" = all. The view is made again, since one of PostgreSQL's knows only the
-- columns of its day.

DROP VIEW live_channel;
ALTER TABLE channel ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE channel ADD COLUMN owners TEXT NOT NULL DEFAULT '';
CREATE VIEW live_channel AS SELECT * FROM channel WHERE deleted_ms = 0;
