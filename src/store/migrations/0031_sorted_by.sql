-- SPDX-License-Identifier: Apache-2.0
-- Orders and certificates by what their columns show.

-- The beginning of an object's names, which is as far as they order a list (store/lib.h, NAMES_KEY).
CREATE INDEX orders_by_name ON orders (substr(names, 1, 60), num);
CREATE INDEX orders_status_name ON orders (status, substr(names, 1, 60), num);
CREATE INDEX orders_account_name ON orders (account_id, substr(names, 1, 60), num);
CREATE INDEX orders_account_status_name ON orders (account_id, status, substr(names, 1, 60), num);

-- The beginning of who issued what is installed now, to order by: store/certificate.c puts it there with the version.
ALTER TABLE certificate ADD COLUMN issuer_key TEXT NOT NULL DEFAULT '';
UPDATE certificate SET issuer_key = COALESCE((SELECT substr(v.issuer, 1, 60) FROM version v WHERE v.id = version_id), '') WHERE version_id IS NOT NULL;
CREATE INDEX certificate_by_name ON certificate (substr(names, 1, 60), num) WHERE deleted_ms = 0;
CREATE INDEX certificate_by_issuer ON certificate (issuer_key, num) WHERE deleted_ms = 0;
CREATE INDEX certificate_by_status ON certificate (status, not_after_ms, id) WHERE deleted_ms = 0;
CREATE INDEX certificate_issued ON certificate (not_before_ms, id) WHERE deleted_ms = 0;
CREATE INDEX certificate_not_owned ON certificate (num) WHERE deleted_ms = 0 AND owner IS NULL;
