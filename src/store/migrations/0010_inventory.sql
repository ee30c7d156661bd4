-- SPDX-License-Identifier: Apache-2.0
-- The inventory: what people note down about a certificate, and the indexes its search walks along.
-- Lines that begin with a dialect's mark are for that database only (store/migrate.c).

ALTER TABLE certificate ADD COLUMN owner TEXT;
ALTER TABLE certificate ADD COLUMN notes TEXT;
-- Who was last handed the certificate, and when; writing it raises no rev.
ALTER TABLE certificate ADD COLUMN fetched_by TEXT;
ALTER TABLE certificate ADD COLUMN fetched_ms @INT@ NOT NULL DEFAULT 0;

CREATE TABLE certificate_tag (
  certificate_id TEXT NOT NULL REFERENCES certificate (id),
  tag TEXT NOT NULL,
  num @INT@ NOT NULL,
  PRIMARY KEY (certificate_id, tag)
) @STRICT@;
CREATE INDEX certificate_tag_of ON certificate_tag (tag, num);

CREATE INDEX account_of_vendor ON account (vendor, id);
CREATE INDEX certificate_owner ON certificate (owner, num) WHERE deleted_ms = 0 AND owner IS NOT NULL;
CREATE INDEX certificate_key ON certificate (key_type, num) WHERE deleted_ms = 0;
CREATE INDEX certificate_of_account ON certificate (account_id, num) WHERE deleted_ms = 0 AND account_id IS NOT NULL;
CREATE INDEX certificate_source ON certificate (source, num) WHERE deleted_ms = 0;
CREATE INDEX certificate_status ON certificate (status, num) WHERE deleted_ms = 0 AND status <> 'active';

-- Substrings of names. SQLite: trigrams by number, without a copy of the text; store/certificate.c adds to it with the row (no
-- trigger: the database's own text is not trusted to reach virtual tables), and names never change.
@SQLITE@ CREATE VIRTUAL TABLE certificate_names USING fts5 (names, content = '', tokenize = 'trigram');
@SQLITE@ INSERT INTO certificate_names (rowid, names) SELECT num, names FROM certificate;
-- PostgreSQL: pg_trgm where this user may create it; without it a search by name walks the rows, a stretch per page.
@PGSQL@ DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX certificate_names ON certificate USING gin (names gin_trgm_ops); EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'pg_trgm cannot be used: %', SQLERRM; END $$;
