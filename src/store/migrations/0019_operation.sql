-- SPDX-License-Identifier: Apache-2.0
-- When the work of a kind of job was last done, for metrics and the doctor: a standing job never ends.
ALTER TABLE job ADD COLUMN ok_ms @INT@ NOT NULL DEFAULT 0;
CREATE INDEX job_ok ON job (kind, ok_ms);
-- What was asked about delegations goes by its age.
CREATE INDEX asked_age ON asked (last_ms);
-- What fails, for the auditor's report.
CREATE INDEX renewal_failing ON renewal (failing_since_ms) WHERE failing_since_ms > 0;
