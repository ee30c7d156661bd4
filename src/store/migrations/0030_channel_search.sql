-- SPDX-License-Identifier: Apache-2.0
-- A channel told only about the certificates that a search of the inventory finds; NULL: all.
ALTER TABLE channel ADD COLUMN search TEXT;
