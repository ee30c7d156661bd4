-- SPDX-License-Identifier: Apache-2.0
-- The first schema. @INT@ is INTEGER or BIGINT, @BLOB@ is BLOB or BYTEA, @STRICT@ is STRICT on SQLite and nothing elsewhere.
-- Ids are ULIDs made by the program, "num" is the short number beside them (counter, same transaction).
-- Times are unix milliseconds, 0 means never. Booleans are 0 and 1. "reason" columns hold an error as JSON (base/json.h).
-- Rows of people are deleted by deleted_ms; reads go through the live_* views and unique indexes are partial on it.

CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) @STRICT@;

CREATE TABLE counter (
  name TEXT PRIMARY KEY,
  n @INT@ NOT NULL
) @STRICT@;

-- PostgreSQL only: a row per transaction, written by it, so that a commit whose answer was lost can be looked up. Pruned hourly.
CREATE TABLE write_mark (
  id TEXT PRIMARY KEY,
  at_ms @INT@ NOT NULL
) @STRICT@;
CREATE INDEX write_mark_at ON write_mark (at_ms);

-- A private key. purpose: account, certificate, tls. Destroyed only when nothing live points to it.
CREATE TABLE key (
  id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  type TEXT NOT NULL,
  public_hash TEXT NOT NULL,
  sealed @BLOB@,
  created_ms @INT@ NOT NULL,
  destroyed_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX key_public ON key (public_hash);

CREATE TABLE account (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  name TEXT NOT NULL,
  vendor TEXT NOT NULL,
  directory_url TEXT NOT NULL,
  email TEXT NOT NULL,
  status TEXT NOT NULL,
  url TEXT,
  key_id TEXT NOT NULL REFERENCES key (id),
  eab_kid TEXT,
  eab_sealed @BLOB@,
  tos_url TEXT,
  tos_agreed_ms @INT@ NOT NULL DEFAULT 0,
  preferred_issuer TEXT,
  reason TEXT,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX account_num ON account (num);
CREATE INDEX account_key ON account (key_id);
CREATE INDEX account_created ON account (created_ms, id);
CREATE VIEW live_account AS SELECT * FROM account WHERE deleted_ms = 0;

-- names: sorted, lower-case A-labels joined by newline; names_hash: SHA-256 of that text in hex.
CREATE TABLE csr (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  source TEXT NOT NULL,
  names TEXT NOT NULL,
  names_hash TEXT NOT NULL,
  subject TEXT NOT NULL,
  key_type TEXT NOT NULL,
  public_hash TEXT NOT NULL,
  key_id TEXT REFERENCES key (id),
  der @BLOB@ NOT NULL,
  made_for_order TEXT,
  created_by TEXT,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX csr_num ON csr (num);
CREATE INDEX csr_key ON csr (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX csr_created ON csr (created_ms, id);
CREATE VIEW live_csr AS SELECT * FROM csr WHERE deleted_ms = 0;

-- The wish that lasts: names, key policy, account, validation; what is current is a row of "version".
CREATE TABLE certificate (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  source TEXT NOT NULL,
  names TEXT NOT NULL,
  names_hash TEXT NOT NULL,
  account_id TEXT REFERENCES account (id),
  csr_id TEXT REFERENCES csr (id),
  validation TEXT NOT NULL,
  dns_method TEXT,
  http_method TEXT,
  profile TEXT,
  key_policy TEXT NOT NULL,
  key_type TEXT NOT NULL,
  managed @INT@ NOT NULL,
  status TEXT NOT NULL,
  version_id TEXT,
  not_before_ms @INT@ NOT NULL DEFAULT 0,
  not_after_ms @INT@ NOT NULL DEFAULT 0,
  renew_at_ms @INT@ NOT NULL DEFAULT 0,
  attempt @INT@ NOT NULL DEFAULT 0,
  next_attempt_ms @INT@ NOT NULL DEFAULT 0,
  pause_reason TEXT,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX certificate_num ON certificate (num);
CREATE INDEX certificate_csr ON certificate (csr_id) WHERE csr_id IS NOT NULL;
CREATE INDEX certificate_account ON certificate (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX certificate_created ON certificate (created_ms, id);
CREATE INDEX certificate_expiry ON certificate (not_after_ms, id) WHERE deleted_ms = 0;
CREATE INDEX certificate_renewal ON certificate (next_attempt_ms, id) WHERE deleted_ms = 0 AND managed = 1;
CREATE VIEW live_certificate AS SELECT * FROM certificate WHERE deleted_ms = 0;

-- One issued (or imported) X.509 certificate with its chain. state: current, replaced, evidence (kept, never handed out).
CREATE TABLE version (
  id TEXT PRIMARY KEY,
  certificate_id TEXT REFERENCES certificate (id),
  order_id TEXT,
  key_id TEXT REFERENCES key (id),
  state TEXT NOT NULL,
  serial TEXT NOT NULL,
  subject TEXT NOT NULL,
  issuer TEXT NOT NULL,
  names TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  public_hash TEXT NOT NULL,
  key_type TEXT NOT NULL,
  not_before_ms @INT@ NOT NULL,
  not_after_ms @INT@ NOT NULL,
  chain TEXT NOT NULL,
  reason TEXT,
  created_ms @INT@ NOT NULL
) @STRICT@;
CREATE INDEX version_certificate ON version (certificate_id, created_ms, id);
CREATE INDEX version_key ON version (key_id) WHERE key_id IS NOT NULL;
CREATE UNIQUE INDEX version_order ON version (order_id) WHERE state <> 'evidence';
CREATE INDEX version_fingerprint ON version (fingerprint);

-- A lane is what may hang or refuse as a whole: a vendor, a provider's zone, propagation, local work.
CREATE TABLE lane (
  name TEXT PRIMARY KEY,
  cap @INT@ NOT NULL,
  parked_until_ms @INT@ NOT NULL DEFAULT 0,
  reason TEXT
) @STRICT@;

-- One row is one CA order. status is the protocol's (pending, ready, processing, valid, invalid), step is ours.
-- Engine columns are written only WHERE gen = mine; want_* are what people ask for; rev moves only when these move.
CREATE TABLE orders (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  account_id TEXT NOT NULL REFERENCES account (id),
  certificate_id TEXT REFERENCES certificate (id),
  csr_id TEXT REFERENCES csr (id),
  names TEXT NOT NULL,
  names_hash TEXT NOT NULL,
  validation TEXT NOT NULL,
  dns_method TEXT,
  http_method TEXT,
  profile TEXT,
  key_type TEXT NOT NULL,
  mode TEXT NOT NULL,
  requester TEXT,
  request_hash TEXT NOT NULL,
  turn_hash TEXT NOT NULL,
  holds_turn @INT@ NOT NULL DEFAULT 0,
  status TEXT NOT NULL,
  step TEXT NOT NULL,
  url TEXT,
  finalize_url TEXT,
  certificate_url TEXT,
  finalize_sent @INT@ NOT NULL DEFAULT 0,
  ca_expires_ms @INT@ NOT NULL DEFAULT 0,
  give_up_ms @INT@ NOT NULL DEFAULT 0,
  step_since_ms @INT@ NOT NULL,
  polls @INT@ NOT NULL DEFAULT 0,
  attempts @INT@ NOT NULL DEFAULT 0,
  starts @INT@ NOT NULL DEFAULT 0,
  lane TEXT NOT NULL,
  due_ms @INT@ NOT NULL,
  gen @INT@ NOT NULL DEFAULT 0,
  lease_owner TEXT,
  lease_until_ms @INT@ NOT NULL DEFAULT 0,
  waiting_for TEXT,
  reason TEXT,
  want_finalize @INT@ NOT NULL DEFAULT 0,
  want_refresh @INT@ NOT NULL DEFAULT 0,
  want_cancel @INT@ NOT NULL DEFAULT 0,
  set_aside @INT@ NOT NULL DEFAULT 0,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  ended_ms @INT@ NOT NULL DEFAULT 0,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX orders_num ON orders (num);
CREATE UNIQUE INDEX orders_live_request ON orders (request_hash) WHERE ended_ms = 0 AND deleted_ms = 0;
CREATE UNIQUE INDEX orders_turn ON orders (turn_hash) WHERE holds_turn = 1;
CREATE INDEX orders_due ON orders (lane, due_ms) WHERE ended_ms = 0 AND set_aside = 0;
CREATE INDEX orders_lease ON orders (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX orders_waiting ON orders (waiting_for) WHERE waiting_for IS NOT NULL;
CREATE INDEX orders_csr ON orders (csr_id) WHERE csr_id IS NOT NULL;
CREATE INDEX orders_created ON orders (created_ms, id);
CREATE INDEX orders_status ON orders (status, created_ms, id);
CREATE INDEX orders_account ON orders (account_id, created_ms, id);
CREATE INDEX orders_certificate ON orders (certificate_id, created_ms, id);
CREATE VIEW live_orders AS SELECT o.* FROM orders o JOIN account a ON a.id = o.account_id
  WHERE o.deleted_ms = 0 AND a.deleted_ms = 0;

-- Authorizations are rows under the order's lease. identifier is without "*."; wildcard says so.
CREATE TABLE authz (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES orders (id),
  identifier TEXT NOT NULL,
  wildcard @INT@ NOT NULL,
  url TEXT NOT NULL,
  status TEXT NOT NULL,
  challenge_url TEXT,
  challenge_status TEXT,
  token TEXT,
  record_id TEXT,
  accepted @INT@ NOT NULL DEFAULT 0,
  expires_ms @INT@ NOT NULL DEFAULT 0,
  reason TEXT,
  position @INT@ NOT NULL
) @STRICT@;
CREATE UNIQUE INDEX authz_order ON authz (order_id, identifier, wildcard);

-- What is published for validation, and its history. kind: dns-01, http-01. status: not-ready, ready, valid, invalid, withdrawn.
-- domain is the owner name (_acme-challenge.example.com) or the host name; value is the TXT value or the key authorization.
CREATE TABLE record (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  order_id TEXT NOT NULL REFERENCES orders (id),
  kind TEXT NOT NULL,
  method TEXT NOT NULL,
  domain TEXT NOT NULL,
  token TEXT,
  value TEXT NOT NULL,
  ttl @INT@ NOT NULL,
  status TEXT NOT NULL,
  detail TEXT,
  published_ms @INT@ NOT NULL DEFAULT 0,
  ready_ms @INT@ NOT NULL DEFAULT 0,
  withdrawn_ms @INT@ NOT NULL DEFAULT 0,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL
) @STRICT@;
CREATE UNIQUE INDEX record_num ON record (num);
CREATE INDEX record_order ON record (order_id, created_ms, id);
CREATE INDEX record_kind ON record (kind, created_ms, id);
CREATE INDEX record_status ON record (status, created_ms, id);
CREATE INDEX record_withdrawn ON record (withdrawn_ms) WHERE status = 'withdrawn';
CREATE INDEX record_created ON record (created_ms, id);
CREATE INDEX record_domain ON record (domain, created_ms, id);
CREATE UNIQUE INDEX record_value ON record (order_id, kind, domain, value);
CREATE VIEW live_record AS SELECT r.* FROM record r JOIN live_orders o ON o.id = r.order_id;

-- What edge answers with. kind: zone, name, txt, http. id: from the counter "feed_item". A change gives the row the next seq, so that the feed is "everything after n".
-- Removed rows stay with live = 0 until every edge has acknowledged a later number and a day has passed.
CREATE TABLE feed_item (
  id @INT@ PRIMARY KEY,
  seq @INT@ NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  ttl @INT@ NOT NULL,
  live @INT@ NOT NULL,
  changed_ms @INT@ NOT NULL
) @STRICT@;
CREATE UNIQUE INDEX feed_item_seq ON feed_item (seq);
CREATE UNIQUE INDEX feed_item_what ON feed_item (kind, name, value);

-- A zone _acme-challenge.<name> that Certwright serves; stays until removed.
CREATE TABLE delegation (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  name TEXT NOT NULL,
  made_for_order TEXT,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX delegation_num ON delegation (num);
CREATE UNIQUE INDEX delegation_name ON delegation (name) WHERE deleted_ms = 0;
CREATE INDEX delegation_created ON delegation (created_ms, id);
CREATE VIEW live_delegation AS SELECT * FROM delegation WHERE deleted_ms = 0;

-- What must be withdrawn or undone. Written before the deed. state: owed, paid.
-- kind: withdraw-dns, withdraw-http, deactivate-authz. held = 1 while the order still needs what is published.
CREATE TABLE debt (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES orders (id),
  record_id TEXT,
  kind TEXT NOT NULL,
  method TEXT NOT NULL,
  what TEXT NOT NULL,
  state TEXT NOT NULL,
  held @INT@ NOT NULL,
  lane TEXT NOT NULL,
  due_ms @INT@ NOT NULL,
  gen @INT@ NOT NULL DEFAULT 0,
  lease_owner TEXT,
  lease_until_ms @INT@ NOT NULL DEFAULT 0,
  starts @INT@ NOT NULL DEFAULT 0,
  attempts @INT@ NOT NULL DEFAULT 0,
  set_aside @INT@ NOT NULL DEFAULT 0,
  reason TEXT,
  created_ms @INT@ NOT NULL,
  paid_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE INDEX debt_due ON debt (lane, due_ms) WHERE state = 'owed' AND held = 0 AND set_aside = 0;
CREATE INDEX debt_owed ON debt (created_ms) WHERE state = 'owed';
CREATE INDEX debt_paid ON debt (paid_ms) WHERE state = 'paid';
CREATE INDEX debt_record ON debt (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX debt_order ON debt (order_id);
CREATE INDEX debt_lease ON debt (lease_owner) WHERE lease_owner IS NOT NULL;

-- Every outward act that is not an order. state: queued, running, done, failed.
CREATE TABLE job (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  kind TEXT NOT NULL,
  subject_kind TEXT,
  subject_id TEXT,
  args TEXT NOT NULL,
  state TEXT NOT NULL,
  result TEXT,
  reason TEXT,
  lane TEXT NOT NULL,
  due_ms @INT@ NOT NULL,
  give_up_ms @INT@ NOT NULL DEFAULT 0,
  gen @INT@ NOT NULL DEFAULT 0,
  lease_owner TEXT,
  lease_until_ms @INT@ NOT NULL DEFAULT 0,
  starts @INT@ NOT NULL DEFAULT 0,
  attempts @INT@ NOT NULL DEFAULT 0,
  set_aside @INT@ NOT NULL DEFAULT 0,
  created_by TEXT,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  ended_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX job_num ON job (num);
CREATE INDEX job_due ON job (lane, due_ms) WHERE ended_ms = 0 AND set_aside = 0;
CREATE INDEX job_live ON job (kind, subject_id) WHERE ended_ms = 0;
CREATE INDEX job_lease ON job (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX job_created ON job (created_ms, id);
CREATE INDEX job_subject ON job (subject_id, created_ms, id);

-- The story the page shows; pruned. level: info, warning, error. detail: JSON with the remote side's own words.
CREATE TABLE event (
  id TEXT PRIMARY KEY,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  at_ms @INT@ NOT NULL,
  level TEXT NOT NULL,
  text TEXT NOT NULL,
  detail TEXT
) @STRICT@;
CREATE INDEX event_subject ON event (subject_id, id);
CREATE INDEX event_at ON event (at_ms);

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  password_hash TEXT,
  failures @INT@ NOT NULL DEFAULT 0,
  locked_until_ms @INT@ NOT NULL DEFAULT 0,
  disabled @INT@ NOT NULL DEFAULT 0,
  last_login_ms @INT@ NOT NULL DEFAULT 0,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX users_num ON users (num);
CREATE UNIQUE INDEX users_name ON users (name) WHERE deleted_ms = 0;
CREATE VIEW live_users AS SELECT * FROM users WHERE deleted_ms = 0;

-- hash: SHA-256 of the cookie's value in hex.
CREATE TABLE session (
  hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id),
  csrf TEXT NOT NULL,
  address TEXT,
  created_ms @INT@ NOT NULL,
  seen_ms @INT@ NOT NULL,
  expires_ms @INT@ NOT NULL
) @STRICT@;
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_ms);

CREATE TABLE token (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  name TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  role TEXT NOT NULL,
  hash TEXT NOT NULL,
  prefix TEXT NOT NULL,
  created_ms @INT@ NOT NULL,
  expires_ms @INT@ NOT NULL,
  used_ms @INT@ NOT NULL DEFAULT 0,
  revoked_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX token_num ON token (num);
CREATE UNIQUE INDEX token_hash ON token (hash);
CREATE INDEX token_by_user ON token (user_id, created_ms, id);
CREATE INDEX token_created ON token (created_ms, id);

-- One-time sign-in tokens, made on the host only.
CREATE TABLE setup_token (
  hash TEXT PRIMARY KEY,
  created_ms @INT@ NOT NULL,
  expires_ms @INT@ NOT NULL,
  used_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;

CREATE TABLE idempotency (
  user_id TEXT NOT NULL,
  route TEXT NOT NULL,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  object_kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  created_ms @INT@ NOT NULL,
  PRIMARY KEY (user_id, route, key)
) @STRICT@;
CREATE INDEX idempotency_created ON idempotency (created_ms);

CREATE TABLE audit (
  id TEXT PRIMARY KEY,
  at_ms @INT@ NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT,
  actor_name TEXT NOT NULL,
  action TEXT NOT NULL,
  object_kind TEXT,
  object_id TEXT,
  object_name TEXT,
  detail TEXT,
  address TEXT,
  request_id TEXT
) @STRICT@;
CREATE INDEX audit_at ON audit (at_ms, id);
CREATE INDEX audit_object ON audit (object_id, at_ms, id);
