-- SPDX-License-Identifier: Apache-2.0
-- Which stretches of certificates a text can stand in (store/name_block.h): SQLite only, where a phrase of trigrams is slow to find nowhere.
-- Lines that begin with a dialect's mark are for that database only (store/migrate.c). What there is already is put in as the engine starts.
@SQLITE@ CREATE VIRTUAL TABLE name_block USING fts5 (grams, content = '', detail = none, tokenize = 'ascii');
