-- SPDX-License-Identifier: Apache-2.0
-- Tokens that fetch one certificate and do nothing else (role pull), and why they may carry its key away.
ALTER TABLE token ADD COLUMN certificate_id TEXT;
ALTER TABLE token ADD COLUMN reason TEXT;
CREATE INDEX token_of_certificate ON token (certificate_id) WHERE certificate_id IS NOT NULL;
