-- SPDX-License-Identifier: Apache-2.0
-- Rights beside roles, where a user comes from, where a token may be used from, sessions one can name, sources that signed in
-- well before, and what the audit says beyond who and what. Sessions end: they get names now.
ALTER TABLE users ADD COLUMN rights TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN source TEXT NOT NULL DEFAULT 'local';
DROP VIEW live_users;
CREATE VIEW live_users AS SELECT * FROM users WHERE deleted_ms = 0;

ALTER TABLE token ADD COLUMN rights TEXT NOT NULL DEFAULT '';
ALTER TABLE token ADD COLUMN sources TEXT NOT NULL DEFAULT '';

DELETE FROM session;
ALTER TABLE session ADD COLUMN id TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX session_id ON session (id);
CREATE INDEX session_of_user ON session (user_id, created_ms, id);

-- A failed sign-in from here is counted by itself: strangers' guesses do not keep this user waiting here.
CREATE TABLE known_source (
  user_id TEXT NOT NULL REFERENCES users (id),
  source TEXT NOT NULL,
  seen_ms @INT@ NOT NULL,
  PRIMARY KEY (user_id, source)
) @STRICT@;
CREATE INDEX known_source_seen ON known_source (seen_ms);

ALTER TABLE audit ADD COLUMN token_id TEXT;
ALTER TABLE audit ADD COLUMN token_name TEXT;
ALTER TABLE audit ADD COLUMN reason TEXT;
ALTER TABLE audit ADD COLUMN before_json TEXT;
ALTER TABLE audit ADD COLUMN after_json TEXT;
CREATE INDEX audit_object_name ON audit (object_name, at_ms, id);
CREATE INDEX audit_actor ON audit (actor_name, at_ms, id);
CREATE INDEX audit_action ON audit (action, at_ms, id);
CREATE INDEX audit_actor_action ON audit (actor_name, action, at_ms, id);
