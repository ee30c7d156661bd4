-- SPDX-License-Identifier: Apache-2.0
-- What came of each certificate of a stored action on many (job of kind "bulk"). result: JSON, as service/stored.c reads it.
CREATE TABLE bulk_row (
  job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  position @INT@ NOT NULL,
  result TEXT NOT NULL,
  PRIMARY KEY (job_id, position)
) @STRICT@;
