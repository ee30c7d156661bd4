-- SPDX-License-Identifier: Apache-2.0
-- Lists: what they are narrowed to and ordered by, and the end of a wait that an authority asked for.

-- Before this instant the authority does not want to be asked again (its Retry-After): nobody makes the order due earlier.
ALTER TABLE orders ADD COLUMN look_after_ms @INT@ NOT NULL DEFAULT 0;

-- PostgreSQL fixes the columns of "*" when a view is made: made anew, so that they show the new one.
DROP VIEW live_record;
DROP VIEW live_orders;
CREATE VIEW live_orders AS SELECT o.* FROM orders o JOIN account a ON a.id = o.account_id
  WHERE o.deleted_ms = 0 AND a.deleted_ms = 0;
CREATE VIEW live_record AS SELECT r.* FROM record r JOIN live_orders o ON o.id = r.order_id;

-- Each combination of filters has an index that ends in (created_ms, id), which is the order, and goes both ways.
CREATE INDEX orders_account_status ON orders (account_id, status, created_ms, id);
CREATE INDEX csr_key_type ON csr (key_type, created_ms, id);
CREATE INDEX job_kind ON job (kind, created_ms, id);
CREATE INDEX job_state ON job (state, created_ms, id);
CREATE INDEX job_kind_state ON job (kind, state, created_ms, id);

-- CSRs by a part of a name, as orders since 0017; store/csr.c adds to it with the row, and names never change.
@SQLITE@ CREATE VIRTUAL TABLE csr_names USING fts5 (names, content = '', tokenize = 'trigram');
@SQLITE@ INSERT INTO csr_names (rowid, names) SELECT num, names FROM csr;
@PGSQL@ DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX csr_names ON csr USING gin (names gin_trgm_ops); EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'pg_trgm cannot be used: %', SQLERRM; END $$;
