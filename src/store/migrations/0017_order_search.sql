-- SPDX-License-Identifier: Apache-2.0
-- Orders by a part of a name, as certificates are found since 0010. SQLite: trigrams by number, without a copy of the text;
-- store/order.c adds to it with the row, and names never change.
@SQLITE@ CREATE VIRTUAL TABLE order_names USING fts5 (names, content = '', tokenize = 'trigram');
@SQLITE@ INSERT INTO order_names (rowid, names) SELECT num, names FROM orders;
-- PostgreSQL: pg_trgm where this user may create it; without it the search walks the orders by number.
@PGSQL@ DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX order_names ON orders USING gin (names gin_trgm_ops); EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'pg_trgm cannot be used: %', SQLERRM; END $$;
