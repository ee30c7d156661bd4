-- SPDX-License-Identifier: Apache-2.0
-- Counts that are kept instead of counted (store/kept.h): a million rows are counted in seconds, read here in microseconds.

-- what "order.<status>", who an account, hour 0; what "certificate.managed" or ".watched", who a status, hour 0;
-- what "expiry", who "managed" or "watched", hour = not_after in hours since 1970; what "mends": how often a difference was mended.
CREATE TABLE kept (
  what TEXT NOT NULL,
  hour @INT@ NOT NULL,
  who TEXT NOT NULL,
  n @INT@ NOT NULL,
  PRIMARY KEY (what, hour, who)
)
@SQLITE@ STRICT, WITHOUT ROWID
;
-- The status before the last write, so that one statement says what it changed.
ALTER TABLE orders ADD COLUMN was_status TEXT;

INSERT INTO kept (what, hour, who, n) VALUES ('mends', 0, '', 1);
INSERT INTO kept (what, hour, who, n)
  SELECT 'order.' || status, 0, account_id, COUNT(*) FROM orders WHERE deleted_ms = 0 GROUP BY status, account_id;
INSERT INTO kept (what, hour, who, n)
  SELECT CASE managed WHEN 1 THEN 'certificate.managed' ELSE 'certificate.watched' END, 0, status, COUNT(*)
  FROM certificate WHERE deleted_ms = 0 GROUP BY managed, status;
INSERT INTO kept (what, hour, who, n)
  SELECT 'expiry', not_after_ms / 3600000, CASE managed WHEN 1 THEN 'managed' ELSE 'watched' END, COUNT(*)
  FROM certificate WHERE deleted_ms = 0 GROUP BY managed, not_after_ms / 3600000;
