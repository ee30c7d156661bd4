-- SPDX-License-Identifier: Apache-2.0
-- A store as a former version left it; made by tests/tool/store_fixture.py. Names, keys and people exist in tests only.
BEGIN;
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
CREATE TABLE counter (
  name TEXT PRIMARY KEY,
  n INTEGER NOT NULL
) STRICT;
CREATE TABLE write_mark (
  id TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX write_mark_at ON write_mark (at_ms);
CREATE TABLE key (
  id TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  type TEXT NOT NULL,
  public_hash TEXT NOT NULL,
  sealed BLOB,
  created_ms INTEGER NOT NULL,
  destroyed_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX key_public ON key (public_hash);
CREATE TABLE account (
  id TEXT PRIMARY KEY,
  num INTEGER NOT NULL,
  name TEXT NOT NULL,
  vendor TEXT NOT NULL,
  directory_url TEXT NOT NULL,
  email TEXT NOT NULL,
  status TEXT NOT NULL,
  url TEXT,
  key_id TEXT NOT NULL REFERENCES key (id),
  eab_kid TEXT,
  eab_sealed BLOB,
  tos_url TEXT,
  tos_agreed_ms INTEGER NOT NULL DEFAULT 0,
  preferred_issuer TEXT,
  reason TEXT,
  rev INTEGER NOT NULL DEFAULT 1,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  deleted_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX account_num ON account (num);
CREATE INDEX account_key ON account (key_id);
CREATE INDEX account_created ON account (created_ms, id);
CREATE VIEW live_account AS SELECT * FROM account WHERE deleted_ms = 0;
CREATE TABLE csr (
  id TEXT PRIMARY KEY,
  num INTEGER NOT NULL,
  source TEXT NOT NULL,
  names TEXT NOT NULL,
  names_hash TEXT NOT NULL,
  subject TEXT NOT NULL,
  key_type TEXT NOT NULL,
  public_hash TEXT NOT NULL,
  key_id TEXT REFERENCES key (id),
  der BLOB NOT NULL,
  made_for_order TEXT,
  created_by TEXT,
  rev INTEGER NOT NULL DEFAULT 1,
  created_ms INTEGER NOT NULL,
  deleted_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX csr_num ON csr (num);
CREATE INDEX csr_key ON csr (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX csr_created ON csr (created_ms, id);
CREATE VIEW live_csr AS SELECT * FROM csr WHERE deleted_ms = 0;
CREATE TABLE certificate (
  id TEXT PRIMARY KEY,
  num INTEGER NOT NULL,
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
  managed INTEGER NOT NULL,
  status TEXT NOT NULL,
  version_id TEXT,
  not_before_ms INTEGER NOT NULL DEFAULT 0,
  not_after_ms INTEGER NOT NULL DEFAULT 0,
  renew_at_ms INTEGER NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0,
  next_attempt_ms INTEGER NOT NULL DEFAULT 0,
  pause_reason TEXT,
  rev INTEGER NOT NULL DEFAULT 1,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  deleted_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX certificate_num ON certificate (num);
CREATE INDEX certificate_csr ON certificate (csr_id) WHERE csr_id IS NOT NULL;
CREATE INDEX certificate_account ON certificate (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX certificate_created ON certificate (created_ms, id);
CREATE INDEX certificate_expiry ON certificate (not_after_ms, id) WHERE deleted_ms = 0;
CREATE INDEX certificate_renewal ON certificate (next_attempt_ms, id) WHERE deleted_ms = 0 AND managed = 1;
CREATE VIEW live_certificate AS SELECT * FROM certificate WHERE deleted_ms = 0;
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
  not_before_ms INTEGER NOT NULL,
  not_after_ms INTEGER NOT NULL,
  chain TEXT NOT NULL,
  reason TEXT,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX version_certificate ON version (certificate_id, created_ms, id);
CREATE INDEX version_key ON version (key_id) WHERE key_id IS NOT NULL;
CREATE UNIQUE INDEX version_order ON version (order_id) WHERE state <> 'evidence';
CREATE INDEX version_fingerprint ON version (fingerprint);
CREATE TABLE lane (
  name TEXT PRIMARY KEY,
  cap INTEGER NOT NULL,
  parked_until_ms INTEGER NOT NULL DEFAULT 0,
  reason TEXT
) STRICT;
CREATE TABLE orders (
  id TEXT PRIMARY KEY,
  num INTEGER NOT NULL,
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
  holds_turn INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL,
  step TEXT NOT NULL,
  url TEXT,
  finalize_url TEXT,
  certificate_url TEXT,
  finalize_sent INTEGER NOT NULL DEFAULT 0,
  ca_expires_ms INTEGER NOT NULL DEFAULT 0,
  give_up_ms INTEGER NOT NULL DEFAULT 0,
  step_since_ms INTEGER NOT NULL,
  polls INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  starts INTEGER NOT NULL DEFAULT 0,
  lane TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  gen INTEGER NOT NULL DEFAULT 0,
  lease_owner TEXT,
  lease_until_ms INTEGER NOT NULL DEFAULT 0,
  waiting_for TEXT,
  reason TEXT,
  want_finalize INTEGER NOT NULL DEFAULT 0,
  want_refresh INTEGER NOT NULL DEFAULT 0,
  want_cancel INTEGER NOT NULL DEFAULT 0,
  set_aside INTEGER NOT NULL DEFAULT 0,
  rev INTEGER NOT NULL DEFAULT 1,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL DEFAULT 0,
  deleted_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
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
CREATE TABLE authz (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES orders (id),
  identifier TEXT NOT NULL,
  wildcard INTEGER NOT NULL,
  url TEXT NOT NULL,
  status TEXT NOT NULL,
  challenge_url TEXT,
  challenge_status TEXT,
  token TEXT,
  record_id TEXT,
  accepted INTEGER NOT NULL DEFAULT 0,
  expires_ms INTEGER NOT NULL DEFAULT 0,
  reason TEXT,
  position INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX authz_order ON authz (order_id, identifier, wildcard);
CREATE TABLE record (
  id TEXT PRIMARY KEY,
  num INTEGER NOT NULL,
  order_id TEXT NOT NULL REFERENCES orders (id),
  kind TEXT NOT NULL,
  method TEXT NOT NULL,
  domain TEXT NOT NULL,
  token TEXT,
  value TEXT NOT NULL,
  ttl INTEGER NOT NULL,
  status TEXT NOT NULL,
  detail TEXT,
  published_ms INTEGER NOT NULL DEFAULT 0,
  ready_ms INTEGER NOT NULL DEFAULT 0,
  withdrawn_ms INTEGER NOT NULL DEFAULT 0,
  rev INTEGER NOT NULL DEFAULT 1,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX record_num ON record (num);
CREATE INDEX record_order ON record (order_id, created_ms, id);
CREATE INDEX record_kind ON record (kind, created_ms, id);
CREATE INDEX record_status ON record (status, created_ms, id);
CREATE INDEX record_withdrawn ON record (withdrawn_ms) WHERE status = 'withdrawn';
CREATE INDEX record_created ON record (created_ms, id);
CREATE INDEX record_domain ON record (domain, created_ms, id);
CREATE UNIQUE INDEX record_value ON record (order_id, kind, domain, value);
CREATE VIEW live_record AS SELECT r.* FROM record r JOIN live_orders o ON o.id = r.order_id;
CREATE TABLE feed_item (
  id INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  ttl INTEGER NOT NULL,
  live INTEGER NOT NULL,
  changed_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX feed_item_seq ON feed_item (seq);
CREATE UNIQUE INDEX feed_item_what ON feed_item (kind, name, value);
CREATE TABLE delegation (
  id TEXT PRIMARY KEY,
  num INTEGER NOT NULL,
  name TEXT NOT NULL,
  made_for_order TEXT,
  rev INTEGER NOT NULL DEFAULT 1,
  created_ms INTEGER NOT NULL,
  deleted_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX delegation_num ON delegation (num);
CREATE UNIQUE INDEX delegation_name ON delegation (name) WHERE deleted_ms = 0;
CREATE INDEX delegation_created ON delegation (created_ms, id);
CREATE VIEW live_delegation AS SELECT * FROM delegation WHERE deleted_ms = 0;
CREATE TABLE debt (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL REFERENCES orders (id),
  record_id TEXT,
  kind TEXT NOT NULL,
  method TEXT NOT NULL,
  what TEXT NOT NULL,
  state TEXT NOT NULL,
  held INTEGER NOT NULL,
  lane TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  gen INTEGER NOT NULL DEFAULT 0,
  lease_owner TEXT,
  lease_until_ms INTEGER NOT NULL DEFAULT 0,
  starts INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  set_aside INTEGER NOT NULL DEFAULT 0,
  reason TEXT,
  created_ms INTEGER NOT NULL,
  paid_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX debt_due ON debt (lane, due_ms) WHERE state = 'owed' AND held = 0 AND set_aside = 0;
CREATE INDEX debt_owed ON debt (created_ms) WHERE state = 'owed';
CREATE INDEX debt_paid ON debt (paid_ms) WHERE state = 'paid';
CREATE INDEX debt_record ON debt (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX debt_order ON debt (order_id);
CREATE INDEX debt_lease ON debt (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE TABLE job (
  id TEXT PRIMARY KEY,
  num INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject_kind TEXT,
  subject_id TEXT,
  args TEXT NOT NULL,
  state TEXT NOT NULL,
  result TEXT,
  reason TEXT,
  lane TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  give_up_ms INTEGER NOT NULL DEFAULT 0,
  gen INTEGER NOT NULL DEFAULT 0,
  lease_owner TEXT,
  lease_until_ms INTEGER NOT NULL DEFAULT 0,
  starts INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  set_aside INTEGER NOT NULL DEFAULT 0,
  created_by TEXT,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX job_num ON job (num);
CREATE INDEX job_due ON job (lane, due_ms) WHERE ended_ms = 0 AND set_aside = 0;
CREATE INDEX job_live ON job (kind, subject_id) WHERE ended_ms = 0;
CREATE INDEX job_lease ON job (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX job_created ON job (created_ms, id);
CREATE INDEX job_subject ON job (subject_id, created_ms, id);
CREATE TABLE event (
  id TEXT PRIMARY KEY,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  level TEXT NOT NULL,
  text TEXT NOT NULL,
  detail TEXT
) STRICT;
CREATE INDEX event_subject ON event (subject_id, id);
CREATE INDEX event_at ON event (at_ms);
CREATE TABLE users (
  id TEXT PRIMARY KEY,
  num INTEGER NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  password_hash TEXT,
  failures INTEGER NOT NULL DEFAULT 0,
  locked_until_ms INTEGER NOT NULL DEFAULT 0,
  disabled INTEGER NOT NULL DEFAULT 0,
  last_login_ms INTEGER NOT NULL DEFAULT 0,
  rev INTEGER NOT NULL DEFAULT 1,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  deleted_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX users_num ON users (num);
CREATE UNIQUE INDEX users_name ON users (name) WHERE deleted_ms = 0;
CREATE VIEW live_users AS SELECT * FROM users WHERE deleted_ms = 0;
CREATE TABLE session (
  hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id),
  csrf TEXT NOT NULL,
  address TEXT,
  created_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX session_by_user ON session (user_id);
CREATE INDEX session_expires ON session (expires_ms);
CREATE TABLE token (
  id TEXT PRIMARY KEY,
  num INTEGER NOT NULL,
  name TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  role TEXT NOT NULL,
  hash TEXT NOT NULL,
  prefix TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used_ms INTEGER NOT NULL DEFAULT 0,
  revoked_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX token_num ON token (num);
CREATE UNIQUE INDEX token_hash ON token (hash);
CREATE INDEX token_by_user ON token (user_id, created_ms, id);
CREATE INDEX token_created ON token (created_ms, id);
CREATE TABLE setup_token (
  hash TEXT PRIMARY KEY,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  used_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE idempotency (
  user_id TEXT NOT NULL,
  route TEXT NOT NULL,
  key TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  object_kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  PRIMARY KEY (user_id, route, key)
) STRICT;
CREATE INDEX idempotency_created ON idempotency (created_ms);
CREATE TABLE audit (
  id TEXT PRIMARY KEY,
  at_ms INTEGER NOT NULL,
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
) STRICT;
CREATE INDEX audit_at ON audit (at_ms, id);
CREATE INDEX audit_object ON audit (object_id, at_ms, id);
CREATE TABLE schema_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_ms INTEGER NOT NULL) STRICT;
INSERT INTO meta (name, value) VALUES ('keys.check', '4a56e0e1fd3f2b8c:b1efc44d2f8682f80aefa98814da0844');
INSERT INTO meta (name, value) VALUES ('mac_key', 'AUpW4OH9PyuMLc63hy58vmwKNoFgApsHGCX9uxQ3KOEC3FT8tt41ACqdZj2ZjXLpYLRQ46NMWQkqeP41YYTMZlntIbhLhoi6GpsDioQW_QyWfw');
INSERT INTO meta (name, value) VALUES ('tls_certificate', '-----BEGIN CERTIFICATE-----
MIIBqTCCAVCgAwIBAgIQRi+VIqEtLYbP57xaHzK//DAKBggqhkjOPQQDAjAUMRIw
EAYDVQQDDAkxMjcuMC4wLjEwHhcNMjYxMTI3MDAyMDQ2WhcNMzYxMTI0MDEyMDQ2
WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AASVhJYTOXhOQifNLe3EE61ELP7N13Qj/D0JW7MRf3yeTfZTPI3gBG+Yfj7enSJR
UZvFLnaPCp3H3IlPa/oehm/Io4GDMIGAMB0GA1UdDgQWBBQhSacZsee7geXmcrSS
3wfkW1MtATAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAK
BggrBgEFBQcDATAsBgNVHREEJTAjhwR/AAABhxAAAAAAAAAAAAAAAAAAAAABggls
b2NhbGhvc3QwCgYIKoZIzj0EAwIDRwAwRAIgMabEVSKfIJEHWKlb/rnQFQNw141u
loGQWdFJcfX3QL4CIGQPHiu74y6dVXnxKMnwqndJ7XDfLcw3VGWAd2aIll4o
-----END CERTIFICATE-----
');
INSERT INTO meta (name, value) VALUES ('tls_key', '01M8D9ED5V9Q4S8EC7R3MJRMCN');
INSERT INTO counter (name, n) VALUES ('account', 1);
INSERT INTO counter (name, n) VALUES ('certificate', 3);
INSERT INTO counter (name, n) VALUES ('csr', 4);
INSERT INTO counter (name, n) VALUES ('delegation', 2);
INSERT INTO counter (name, n) VALUES ('feed', 10);
INSERT INTO counter (name, n) VALUES ('feed_item', 6);
INSERT INTO counter (name, n) VALUES ('job', 8);
INSERT INTO counter (name, n) VALUES ('notice', 1);
INSERT INTO counter (name, n) VALUES ('order', 4);
INSERT INTO counter (name, n) VALUES ('provider', 1);
INSERT INTO counter (name, n) VALUES ('record', 5);
INSERT INTO counter (name, n) VALUES ('token', 1);
INSERT INTO counter (name, n) VALUES ('user', 2);
INSERT INTO counter (name, n) VALUES ('validation_rule', 1);
INSERT INTO write_mark (id, at_ms) VALUES ('01J00000000000000000000000', 1);
INSERT INTO key (id, purpose, type, public_hash, sealed, created_ms, destroyed_ms) VALUES ('01M8D9ED5V9Q4S8EC7R3MJRMCN', 'tls', 'p256', '658d6a5e9d0da77959870ebba64c4e8cda2629701f0871aba286e58577322f6e', X'014a56e0e1fd3f2b8c0fdc0e56308ea513c5e094df902fb25e99ede842ac74417944090dafba03926f0aedcfde1bed733580dc8f5e9666dbaa92ee8bc0aacae4ffa10dec30c3bb981b2b6bfc104233da7d55aba294d462f50acdd9bc59148253a1228f85ed7c25faf6f1343a9d83e11a52222c8ab622b979a800fbd42f277766283020d88559de76a6c41897719c61340088b6f9dc56d8b7', 1795742446779, 0);
INSERT INTO key (id, purpose, type, public_hash, sealed, created_ms, destroyed_ms) VALUES ('01M8D9EDBQ3ZMP2S0QFNJXWJ0Q', 'account', 'p256', '3c7c237757d0915920de6a27f241623fb5a396f9cc813d676013fd760ca14078', X'014a56e0e1fd3f2b8ce42d7e445dcd5a2a0a1cabef3f163deaf3aecf5e45a002ee972adfd733f363ff04c1f9bb28840ba66f25ba6f8bc947b6035474909755e67bd369f96bad5fc9a630b2aca03294fefdc1bca55c96550482f7339a7f3bcf1127662123b3f26248f6301be928f5d8a473f0466c0d09d883b8f021a01bcf37992632483f475d9f09a8d484a884d2864090ed7749bcdf1fd3d8ed422ab33dda13153708727bd8c6ee89967c10d11501', 1795742446967, 0);
INSERT INTO key (id, purpose, type, public_hash, sealed, created_ms, destroyed_ms) VALUES ('01M8D9EDSE6058JTNTVZQV3W68', 'certificate', 'p256', '6c5df8d180ae8a03be7e36836712cd1bda9dd35316186f717bf6f167cc31e423', X'014a56e0e1fd3f2b8cef49de386a5312a0216ee1b62448f66c19dba8223b913bc74a1ddf73eb3be574114a9724b3345f57a2cd39c55fecef4abce12b7148b2949c72ce8a9c1b6c23ddce78d7e00261fb07d79d8540c05ce23a63d08e17410a47322b448ed045325c6c626a30f1a35f1545b8798d648fe22952684553bb01c2a5021bd062e3f95f5d3a6f9c4ad360f3fce6d92ecad9fd3423', 1795742447406, 0);
INSERT INTO key (id, purpose, type, public_hash, sealed, created_ms, destroyed_ms) VALUES ('01M8D9EDY91JCD5MTB4TPJA44V', 'certificate', 'p256', 'a7c25877db314d7057395cf98dfa86dd0b8d6283b87134adb4dc96317a74267c', X'014a56e0e1fd3f2b8ca5e4d11ce11502d099804b5e3c073bdfe2c8bb892657cf71b3fb8c7b0b2ac121b91eddb2639941c010029afd0cc3a95efee69099008ff2cc347e02ca28ba09a23078a977949853f6be654ea78a8f43004cb9d55a0b3e1ac6554630f1159a2ac8a6740b2358dcdb0b1a809c9572eb415001ee09a5f36e4e9c78ee1bd1ea9425d7a8c1196643f816e66a6597f825cace', 1795742447561, 0);
INSERT INTO key (id, purpose, type, public_hash, sealed, created_ms, destroyed_ms) VALUES ('01M8D9EE344P9FZ97H2718GSEB', 'certificate', 'p256', 'e2c396e2c216ed5c9fa49af2e3bc04d8bfbf282ef64f0700402ca6c67cba3ab0', X'014a56e0e1fd3f2b8c7e66f7817ca9e76d56b47f5667a67355bea8723f33fb6a033dfbe139d684eb0ca32fcb01a25d1afe42e751e45bfb30378b722b5d5227fbfc55aed02d017680caccfc80e7a467b4067571bde4af6f8183dcc3b82cf2f4b22dfcd85813c2418cef48588cd7d27bfe594aa82d6d3af2183a7557734fc55b53691d6f80425d5840de02c1b9621854f66fe236dd43a215d6', 1795742447716, 0);
INSERT INTO key (id, purpose, type, public_hash, sealed, created_ms, destroyed_ms) VALUES ('01M8D9EESVDQSW0RSKHM0S8KEN', 'certificate', 'p256', 'ee8e61e81648feb202bdc00b8f5cd711b7c28225ea1c7dfa002c49d42049874e', X'014a56e0e1fd3f2b8c2de28cf253dc71e1a3b54487d5b3c9cc563bf01aa1d217a55c5b3193463eb2ac3a6dcd31ccb769ec173c783915df8bcb41e40d6672c667d0e4cea444513bf68de00c4bbb2b16651bffbd6535f2144b259ea5c725e734b4d6e5970446b3452fda08b739fbbcbc847bd927061e5da250ad32588eeb9fa627bb620d3ada6b382b5a9792cefc0008a5a6ee7316d9d87795', 1795742448444, 0);
INSERT INTO account (id, num, name, vendor, directory_url, email, status, url, key_id, eab_kid, eab_sealed, tos_url, tos_agreed_ms, preferred_issuer, reason, rev, created_ms, updated_ms, deleted_ms) VALUES ('01M8D9EDBQ3ZMP2S0QFNJXWJ0P', 1, 'admin@certwright.test --- Custom', 'custom', 'https://127.0.0.1:41949/dir', 'admin@certwright.test', 'valid', 'https://127.0.0.1:41949/my-account/72fb5eb2c82aaff7', '01M8D9EDBQ3ZMP2S0QFNJXWJ0Q', NULL, NULL, NULL, 1795742446967, NULL, NULL, 1, 1795742446967, 1795742446973, 0);
INSERT INTO csr (id, num, source, names, names_hash, subject, key_type, public_hash, key_id, der, made_for_order, created_by, rev, created_ms, deleted_ms) VALUES ('01M8D9EDSE6058JTNTVZQV3W69', 1, 'order', '*.one.example.test
one.example.test', 'af999341882d9bc427361948d3474e5d9b29720e7d43f9647804a9ccca99efc5', '', 'p256', '6c5df8d180ae8a03be7e36836712cd1bda9dd35316186f717bf6f167cc31e423', '01M8D9EDSE6058JTNTVZQV3W68', X'3081fc3081a402010030003059301306072a8648ce3d020106082a8648ce3d0301070342000437d3ee0808ce1aadb2a6f46e613b9d41177178fc989536bbb6a96c72f51217b8ae0978d5680eb822a2cfc3042a53f0bef497819ee7765560497ff9eb917c65bfa042304006092a864886f70d01090e31333031302f0603551d110428302682122a2e6f6e652e6578616d706c652e7465737482106f6e652e6578616d706c652e74657374300a06082a8648ce3d040302034700304402206315dc25d124441f099428b847f0f4576332000399cb2ab82354da72076daf1b022006bde67516c7deca04ec6fc8ffb413c7839e9805af2a2284c4372d12734e05c2', '01M8D9EDRPE6SFST8VG6K1XQ2K', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 1, 1795742447406, 0);
INSERT INTO csr (id, num, source, names, names_hash, subject, key_type, public_hash, key_id, der, made_for_order, created_by, rev, created_ms, deleted_ms) VALUES ('01M8D9EDY91JCD5MTB4TPJA44W', 2, 'order', 'two.example.test', '81d9ab0bd9825a4ab916761fc2d655dc81a698aa552020d0fa965e0bdaffd261', '', 'p256', 'a7c25877db314d7057395cf98dfa86dd0b8d6283b87134adb4dc96317a74267c', '01M8D9EDY91JCD5MTB4TPJA44V', X'3081e930819002010030003059301306072a8648ce3d020106082a8648ce3d030107034200048906aebaf3bb1e3abf972e74eb4ddb0986e8f4febccdbd8d070d38d917a55f07dd45102c7a67349410822943c6f4f91ec86a42f996184d3c424695112d0e4747a02e302c06092a864886f70d01090e311f301d301b0603551d1104143012821074776f2e6578616d706c652e74657374300a06082a8648ce3d0403020348003045022022a177d4b3320d5b710981a43d55c91d93d8960d015279123ca056419ccfb6f6022100e9d5c26d77c976514bdfc288f2020360757df772cc454ef9cb49841efd1483c3', '01M8D9EDXZ1E0EJNX4G6JSKD5K', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 1, 1795742447561, 0);
INSERT INTO csr (id, num, source, names, names_hash, subject, key_type, public_hash, key_id, der, made_for_order, created_by, rev, created_ms, deleted_ms) VALUES ('01M8D9EE2VD0PZ0GD3W2ZWWJ05', 3, 'created', 'three.example.test', 'da30f2740f434a1d847d0d900cefbcbc143fde3328c46c05fb75799d9ec89c00', '', 'p256', 'e2c396e2c216ed5c9fa49af2e3bc04d8bfbf282ef64f0700402ca6c67cba3ab0', '01M8D9EE344P9FZ97H2718GSEB', X'3081ec30819202010030003059301306072a8648ce3d020106082a8648ce3d03010703420004aabb02a225e29ed836cb3c174f02dadd92a28314b90ab3b8326ccb373112e314c2c188d08206494ff9a6684c9447766197dfff1f77df3bb6ae74b436d2434440a030302e06092a864886f70d01090e3121301f301d0603551d1104163014821274687265652e6578616d706c652e74657374300a06082a8648ce3d0403020349003046022100a8237526450c9cf827e6e08483e76e8b331a96e86992a8db7232dc6d4552bb73022100e533f5e23291e2852bbabd13e51634da4c44e2853751a710abe091520f949986', NULL, '01M8D9ECTT7PXYQX0WEW5PJ0QW', 1, 1795742447716, 0);
INSERT INTO csr (id, num, source, names, names_hash, subject, key_type, public_hash, key_id, der, made_for_order, created_by, rev, created_ms, deleted_ms) VALUES ('01M8D9EESVDQSW0RSKHM0S8KEP', 4, 'order', 'waits.never.test', '9c3f4e641ceaaab3568bcda4b04eefbf708a1a0923935ece97fba4afbd5e4f30', '', 'p256', 'ee8e61e81648feb202bdc00b8f5cd711b7c28225ea1c7dfa002c49d42049874e', '01M8D9EESVDQSW0RSKHM0S8KEN', X'3081e930819002010030003059301306072a8648ce3d020106082a8648ce3d03010703420004015a07a8d3ab399f7dd22523a38a7fa0646aecdf1a818922089d15b4042a9a02fc295b8fdea94cf683166a5f36a2a966e5026ef7e14b1117436a585828d95a56a02e302c06092a864886f70d01090e311f301d301b0603551d1104143012821077616974732e6e657665722e74657374300a06082a8648ce3d0403020348003045022004fbda814f0c2b8e02f16f0921f0249b9e0eec43db6bae03b1604a6d20b269ed022100b2a2e091e4ddcae4634c70aa2632be82f94b53c9fbf54b50f62a6d52a44d138a', '01M8D9EEST9F8343XFD0CST76E', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 1, 1795742448444, 0);
INSERT INTO certificate (id, num, source, names, names_hash, account_id, csr_id, validation, dns_method, http_method, profile, key_policy, key_type, managed, status, version_id, not_before_ms, not_after_ms, renew_at_ms, attempt, next_attempt_ms, pause_reason, rev, created_ms, updated_ms, deleted_ms) VALUES ('01M8D9EDVVDDRZJQ0TNPT7HV3D', 1, 'issued', '*.one.example.test
one.example.test', 'af999341882d9bc427361948d3474e5d9b29720e7d43f9647804a9ccca99efc5', '01M8D9EDBQ3ZMP2S0QFNJXWJ0P', '01M8D9EDSE6058JTNTVZQV3W69', 'dns-01', 'delegation', NULL, NULL, 'new', 'p256', 1, 'active', '01M8D9EDVVDDRZJQ0TNPT7HV3E', 1795742447000, 1953508846000, 1900210257164, 0, 1900210257164, NULL, 2, 1795742447483, 1795742447483, 0);
INSERT INTO certificate (id, num, source, names, names_hash, account_id, csr_id, validation, dns_method, http_method, profile, key_policy, key_type, managed, status, version_id, not_before_ms, not_after_ms, renew_at_ms, attempt, next_attempt_ms, pause_reason, rev, created_ms, updated_ms, deleted_ms) VALUES ('01M8D9EE033PS39KWTDYFDBHZE', 2, 'issued', 'two.example.test', '81d9ab0bd9825a4ab916761fc2d655dc81a698aa552020d0fa965e0bdaffd261', '01M8D9EDBQ3ZMP2S0QFNJXWJ0P', '01M8D9EDY91JCD5MTB4TPJA44W', 'http-01', NULL, 'builtin', NULL, 'new', 'p256', 1, 'active', '01M8D9EE033PS39KWTDYFDBHZF', 1795742447000, 1953508846000, 1900432379248, 0, 1900432379248, NULL, 2, 1795742447619, 1795742447619, 0);
INSERT INTO certificate (id, num, source, names, names_hash, account_id, csr_id, validation, dns_method, http_method, profile, key_policy, key_type, managed, status, version_id, not_before_ms, not_after_ms, renew_at_ms, attempt, next_attempt_ms, pause_reason, rev, created_ms, updated_ms, deleted_ms) VALUES ('01M8D9EE8ZAQ5AHPJJJ050EWPT', 3, 'issued', 'three.example.test', 'da30f2740f434a1d847d0d900cefbcbc143fde3328c46c05fb75799d9ec89c00', '01M8D9EDBQ3ZMP2S0QFNJXWJ0P', '01M8D9EE2VD0PZ0GD3W2ZWWJ05', 'dns-01', 'delegation', NULL, NULL, 'new', 'p256', 1, 'active', '01M8D9EE8ZAQ5AHPJJJ050EWPV', 1795742447000, 1953508846000, 1897997184936, 0, 1897997184936, NULL, 2, 1795742447903, 1795742447903, 0);
INSERT INTO version (id, certificate_id, order_id, key_id, state, serial, subject, issuer, names, fingerprint, public_hash, key_type, not_before_ms, not_after_ms, chain, reason, created_ms) VALUES ('01M8D9EDVVDDRZJQ0TNPT7HV3E', '01M8D9EDVVDDRZJQ0TNPT7HV3D', '01M8D9EDRPE6SFST8VG6K1XQ2K', '01M8D9EDSE6058JTNTVZQV3W68', 'current', '67cc7b6c8a8a1e15', 'CN=*.one.example.test', 'CN=Pebble Intermediate CA 706ab3', '*.one.example.test
one.example.test', '5337f0f60bdc56d42203aa4e3f416c98bff841e1643e3420543dcf7cafb0d69e', '6c5df8d180ae8a03be7e36836712cd1bda9dd35316186f717bf6f167cc31e423', 'p256', 1795742447000, 1953508846000, '-----BEGIN CERTIFICATE-----
MIICrjCCAZagAwIBAgIIZ8x7bIqKHhUwDQYJKoZIhvcNAQELBQAwKDEmMCQGA1UE
AxMdUGViYmxlIEludGVybWVkaWF0ZSBDQSA3MDZhYjMwHhcNMjYxMTI3MDEyMDQ3
WhcNMzExMTI3MDEyMDQ2WjAdMRswGQYDVQQDDBIqLm9uZS5leGFtcGxlLnRlc3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ30+4ICM4arbKm9G5hO51BF3F4/JiV
Nru2qWxy9RIXuK4JeNVoDrgios/DBCpT8L70l4Ge53ZVYEl/+euRfGW/o4GxMIGu
MA4GA1UdDwEB/wQEAwIFoDAdBgNVHSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIw
DAYDVR0TAQH/BAIwADAdBgNVHQ4EFgQUSO7YSmttNZFjIFMRuzh2oE3JAA8wHwYD
VR0jBBgwFoAUacZgzxLOzMyFXht2+QS00s8C5m8wLwYDVR0RBCgwJoISKi5vbmUu
ZXhhbXBsZS50ZXN0ghBvbmUuZXhhbXBsZS50ZXN0MA0GCSqGSIb3DQEBCwUAA4IB
AQA54/tMWjpQrPgzzbmydSEh6XVGL26sXz55eqn+wzK/AE9ymAqgsZvURhNaBm/d
rgu+c/N/Q5Npb48B6LGiRyORF3J0s+mxRO8PGXyqa9P3kN63sqlHIjlnYSUCabTw
ISF8pZSZaeG2RUOVsfwm8BmnAfuzNz8nNiE+qcgw5x6PhUwNd3JxKkddhfkDQ5x1
m2o10LpQJvl+/6HTqwdUi1q+XTnF0l/96KehS7EE56UcwMLB41K8tNfQnxj3u0jT
MwtYCOE/jpCL3RGaut/Cz3995Xmp/wGN/5d7+kfR7tqm6WQ4kaXkbtVQyFwvydmN
uV+yozt94fouNlYs5W4PeDTD
-----END CERTIFICATE-----
-----BEGIN CERTIFICATE-----
MIIDUDCCAjigAwIBAgIIQNobvTI5iq0wDQYJKoZIhvcNAQELBQAwIDEeMBwGA1UE
AxMVUGViYmxlIFJvb3QgQ0EgNGI2MWE2MCAXDTI2MTEyNzAxMjA0NloYDzIwNTYx
MTI3MDEyMDQ2WjAoMSYwJAYDVQQDEx1QZWJibGUgSW50ZXJtZWRpYXRlIENBIDcw
NmFiMzCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALNfjkjmRTeygByn
nqTE/6e/EpLeO932wcHHcWFCAR6TDFhOnhbDp8ok3PKyP9ZKP5kJcETIkuEClChk
DHA5qV9Vu7fn09QNqvpZ50rqqfUfzTLmEeOrrD3KymPmWtqNw1tMN/bDr7bAgEIP
hIOjTlWmQExMxHzhx14kScl7kZFdoktvXrccFUnVTAzEb/YKTnW+FKdSqulSJs4l
K8M4P3GkOXxVKzwpReb2dcoBXvKN/z5uobcz4DrIGRg36QS5RpAX4+yuco+EVuIX
RjjJG3deFodmF39BDb5mGm26dR0SQaOt92Aac1meQEozkmT36qqsxAyX4K6RS4B/
HSIG8UkCAwEAAaOBgzCBgDAOBgNVHQ8BAf8EBAMCAoQwHQYDVR0lBBYwFAYIKwYB
BQUHAwEGCCsGAQUFBwMCMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFGnGYM8S
zszMhV4bdvkEtNLPAuZvMB8GA1UdIwQYMBaAFA7f0jIW35EQYbASH20eOyD7hArb
MA0GCSqGSIb3DQEBCwUAA4IBAQB281kRLw2BfLgvUFlPV7TmPz5yd+pftlA/8aA0
Z+zoRortIhwn3+JT1KRXLnbBWPCMIF0ozrIxMZFjsZKAHifxL64EUd0lcds/9Itz
dU3qHFMuw6ZcsG4a3pQsDjYrAK9EHYiKf+bJ0CvTILAD2DzELxxKFVzDEfdcLTlt
6gmn5zm/4+r3DSumP/WW4of3c3ufR3zX10pnJ4n9/zi3xQ35TdCB8P2jey5QJA03
wbeEcRLDSjW0LL1pygHX1sJD82Z+46WdegEfr1axKpDIxOHtnbcP4AvsIU4afkVo
aWaQ8ZbgyrsQXNMscIMhwU5RxytXny+X3vtDY0r6gU2Nm4cW
-----END CERTIFICATE-----
', NULL, 1795742447483);
INSERT INTO version (id, certificate_id, order_id, key_id, state, serial, subject, issuer, names, fingerprint, public_hash, key_type, not_before_ms, not_after_ms, chain, reason, created_ms) VALUES ('01M8D9EE033PS39KWTDYFDBHZF', '01M8D9EE033PS39KWTDYFDBHZE', '01M8D9EDXZ1E0EJNX4G6JSKD5K', '01M8D9EDY91JCD5MTB4TPJA44V', 'current', '51617cad7ab72b2f', 'CN=two.example.test', 'CN=Pebble Intermediate CA 706ab3', 'two.example.test', 'a51981d226dbbf6fcd668c06eecf70f693e9ba52088771098ea686378705748e', 'a7c25877db314d7057395cf98dfa86dd0b8d6283b87134adb4dc96317a74267c', 'p256', 1795742447000, 1953508846000, '-----BEGIN CERTIFICATE-----
MIICmDCCAYCgAwIBAgIIUWF8rXq3Ky8wDQYJKoZIhvcNAQELBQAwKDEmMCQGA1UE
AxMdUGViYmxlIEludGVybWVkaWF0ZSBDQSA3MDZhYjMwHhcNMjYxMTI3MDEyMDQ3
WhcNMzExMTI3MDEyMDQ2WjAbMRkwFwYDVQQDExB0d28uZXhhbXBsZS50ZXN0MFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEiQauuvO7Hjq/ly50603bCYbo9P68zb2N
Bw042RelXwfdRRAsemc0lBCCKUPG9PkeyGpC+ZYYTTxCRpURLQ5HR6OBnTCBmjAO
BgNVHQ8BAf8EBAMCBaAwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMCMAwG
A1UdEwEB/wQCMAAwHQYDVR0OBBYEFLvoaqq7c7h0sc2CZi6jiTGO8GZVMB8GA1Ud
IwQYMBaAFGnGYM8SzszMhV4bdvkEtNLPAuZvMBsGA1UdEQQUMBKCEHR3by5leGFt
cGxlLnRlc3QwDQYJKoZIhvcNAQELBQADggEBADK9UWbbBuz13q7989Frz2SRif2Y
+ymkxfOy4JN0SgIKhi3PxUKUC1lUoqAflS5Bl/Dm3RlePx7gI2xrNxOQvNl6CXkO
4EqOOtcd6Rwx6NGrzStkPH/HbK81eL1hMAdoqPGDdmvxxILYv/lguhbCUP9eTlRF
p420ASa/oLOy9J9V1PxXBaxE2QZcMWg7xDJs2pOLo42nj9eeu+pZWOGx6YDf6kqR
tM+YL/DZ5k0lOUrDppoXjyf3ELUvbYi+3phYgRW0T2yh/esHpQ8oThacxvwlUzBc
r2TWJatOozr2iOILgpMKgFLV0kVhehtkfrMk0BQpWCkR2DVu6Sml3IYcPjk=
-----END CERTIFICATE-----
-----BEGIN CERTIFICATE-----
MIIDUDCCAjigAwIBAgIIQNobvTI5iq0wDQYJKoZIhvcNAQELBQAwIDEeMBwGA1UE
AxMVUGViYmxlIFJvb3QgQ0EgNGI2MWE2MCAXDTI2MTEyNzAxMjA0NloYDzIwNTYx
MTI3MDEyMDQ2WjAoMSYwJAYDVQQDEx1QZWJibGUgSW50ZXJtZWRpYXRlIENBIDcw
NmFiMzCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALNfjkjmRTeygByn
nqTE/6e/EpLeO932wcHHcWFCAR6TDFhOnhbDp8ok3PKyP9ZKP5kJcETIkuEClChk
DHA5qV9Vu7fn09QNqvpZ50rqqfUfzTLmEeOrrD3KymPmWtqNw1tMN/bDr7bAgEIP
hIOjTlWmQExMxHzhx14kScl7kZFdoktvXrccFUnVTAzEb/YKTnW+FKdSqulSJs4l
K8M4P3GkOXxVKzwpReb2dcoBXvKN/z5uobcz4DrIGRg36QS5RpAX4+yuco+EVuIX
RjjJG3deFodmF39BDb5mGm26dR0SQaOt92Aac1meQEozkmT36qqsxAyX4K6RS4B/
HSIG8UkCAwEAAaOBgzCBgDAOBgNVHQ8BAf8EBAMCAoQwHQYDVR0lBBYwFAYIKwYB
BQUHAwEGCCsGAQUFBwMCMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFGnGYM8S
zszMhV4bdvkEtNLPAuZvMB8GA1UdIwQYMBaAFA7f0jIW35EQYbASH20eOyD7hArb
MA0GCSqGSIb3DQEBCwUAA4IBAQB281kRLw2BfLgvUFlPV7TmPz5yd+pftlA/8aA0
Z+zoRortIhwn3+JT1KRXLnbBWPCMIF0ozrIxMZFjsZKAHifxL64EUd0lcds/9Itz
dU3qHFMuw6ZcsG4a3pQsDjYrAK9EHYiKf+bJ0CvTILAD2DzELxxKFVzDEfdcLTlt
6gmn5zm/4+r3DSumP/WW4of3c3ufR3zX10pnJ4n9/zi3xQ35TdCB8P2jey5QJA03
wbeEcRLDSjW0LL1pygHX1sJD82Z+46WdegEfr1axKpDIxOHtnbcP4AvsIU4afkVo
aWaQ8ZbgyrsQXNMscIMhwU5RxytXny+X3vtDY0r6gU2Nm4cW
-----END CERTIFICATE-----
', NULL, 1795742447619);
INSERT INTO version (id, certificate_id, order_id, key_id, state, serial, subject, issuer, names, fingerprint, public_hash, key_type, not_before_ms, not_after_ms, chain, reason, created_ms) VALUES ('01M8D9EE8ZAQ5AHPJJJ050EWPV', '01M8D9EE8ZAQ5AHPJJJ050EWPT', '01M8D9EE7FE1RDVP54FF0REKXS', '01M8D9EE344P9FZ97H2718GSEB', 'current', '4c70ee23ecb391ce', 'CN=three.example.test', 'CN=Pebble Intermediate CA 706ab3', 'three.example.test', '925c1d0197c3095129366c61a3dc38b366038bc244e60c7e5c2fab8ebde3b884', 'e2c396e2c216ed5c9fa49af2e3bc04d8bfbf282ef64f0700402ca6c67cba3ab0', 'p256', 1795742447000, 1953508846000, '-----BEGIN CERTIFICATE-----
MIICnDCCAYSgAwIBAgIITHDuI+yzkc4wDQYJKoZIhvcNAQELBQAwKDEmMCQGA1UE
AxMdUGViYmxlIEludGVybWVkaWF0ZSBDQSA3MDZhYjMwHhcNMjYxMTI3MDEyMDQ3
WhcNMzExMTI3MDEyMDQ2WjAdMRswGQYDVQQDExJ0aHJlZS5leGFtcGxlLnRlc3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASquwKiJeKe2DbLPBdPAtrdkqKDFLkK
s7gybMs3MRLjFMLBiNCCBklP+aZoTJRHdmGX3/8fd987tq50tDbSQ0RAo4GfMIGc
MA4GA1UdDwEB/wQEAwIFoDAdBgNVHSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIw
DAYDVR0TAQH/BAIwADAdBgNVHQ4EFgQUyRk3EsQHT3+8Ig9iyNUSFBOXbGIwHwYD
VR0jBBgwFoAUacZgzxLOzMyFXht2+QS00s8C5m8wHQYDVR0RBBYwFIISdGhyZWUu
ZXhhbXBsZS50ZXN0MA0GCSqGSIb3DQEBCwUAA4IBAQAbGobMMdN/MmObicY3LlVh
gtR4RVkOyDSY0yf79QdAL+4RbeVyW8J66m/ZZCvVJgp6uZduou35Z9fv0wPuseT1
wdgWNMS/VbRastYNEQGfHnXiMAReha4n5PR5OuB5Z/eA4Agzn9CxUI8FSVFimUcT
RB7CfEwC1RXmSkERrC2pnyGCfNmC6eOr5ZUqHl2ZRkZwwW0reEU3x3q2GMpv/r4l
bdCWkP0ZTult5rLsMj1onBW3XVpHPdt/2bGF4nFg8FkykZexkxRQW6QoY5HPlDqk
U6f2e8Kq54MGqQTYbLh11RdzYERxsudcMECns26Oa+Y6jXKvX2oama4bt+pjwm3o
-----END CERTIFICATE-----
-----BEGIN CERTIFICATE-----
MIIDUDCCAjigAwIBAgIIQNobvTI5iq0wDQYJKoZIhvcNAQELBQAwIDEeMBwGA1UE
AxMVUGViYmxlIFJvb3QgQ0EgNGI2MWE2MCAXDTI2MTEyNzAxMjA0NloYDzIwNTYx
MTI3MDEyMDQ2WjAoMSYwJAYDVQQDEx1QZWJibGUgSW50ZXJtZWRpYXRlIENBIDcw
NmFiMzCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBALNfjkjmRTeygByn
nqTE/6e/EpLeO932wcHHcWFCAR6TDFhOnhbDp8ok3PKyP9ZKP5kJcETIkuEClChk
DHA5qV9Vu7fn09QNqvpZ50rqqfUfzTLmEeOrrD3KymPmWtqNw1tMN/bDr7bAgEIP
hIOjTlWmQExMxHzhx14kScl7kZFdoktvXrccFUnVTAzEb/YKTnW+FKdSqulSJs4l
K8M4P3GkOXxVKzwpReb2dcoBXvKN/z5uobcz4DrIGRg36QS5RpAX4+yuco+EVuIX
RjjJG3deFodmF39BDb5mGm26dR0SQaOt92Aac1meQEozkmT36qqsxAyX4K6RS4B/
HSIG8UkCAwEAAaOBgzCBgDAOBgNVHQ8BAf8EBAMCAoQwHQYDVR0lBBYwFAYIKwYB
BQUHAwEGCCsGAQUFBwMCMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFGnGYM8S
zszMhV4bdvkEtNLPAuZvMB8GA1UdIwQYMBaAFA7f0jIW35EQYbASH20eOyD7hArb
MA0GCSqGSIb3DQEBCwUAA4IBAQB281kRLw2BfLgvUFlPV7TmPz5yd+pftlA/8aA0
Z+zoRortIhwn3+JT1KRXLnbBWPCMIF0ozrIxMZFjsZKAHifxL64EUd0lcds/9Itz
dU3qHFMuw6ZcsG4a3pQsDjYrAK9EHYiKf+bJ0CvTILAD2DzELxxKFVzDEfdcLTlt
6gmn5zm/4+r3DSumP/WW4of3c3ufR3zX10pnJ4n9/zi3xQ35TdCB8P2jey5QJA03
wbeEcRLDSjW0LL1pygHX1sJD82Z+46WdegEfr1axKpDIxOHtnbcP4AvsIU4afkVo
aWaQ8ZbgyrsQXNMscIMhwU5RxytXny+X3vtDY0r6gU2Nm4cW
-----END CERTIFICATE-----
', NULL, 1795742447903);
INSERT INTO lane (name, cap, parked_until_ms, reason) VALUES ('local', 16, 0, NULL);
INSERT INTO lane (name, cap, parked_until_ms, reason) VALUES ('propagation', 4, 0, NULL);
INSERT INTO lane (name, cap, parked_until_ms, reason) VALUES ('vendor:https://127.0.0.1:41949/dir', 16, 0, NULL);
INSERT INTO orders (id, num, account_id, certificate_id, csr_id, names, names_hash, validation, dns_method, http_method, profile, key_type, mode, requester, request_hash, turn_hash, holds_turn, status, step, url, finalize_url, certificate_url, finalize_sent, ca_expires_ms, give_up_ms, step_since_ms, polls, attempts, starts, lane, due_ms, gen, lease_owner, lease_until_ms, waiting_for, reason, want_finalize, want_refresh, want_cancel, set_aside, rev, created_ms, updated_ms, ended_ms, deleted_ms) VALUES ('01M8D9EDRPE6SFST8VG6K1XQ2K', 1, '01M8D9EDBQ3ZMP2S0QFNJXWJ0P', '01M8D9EDVVDDRZJQ0TNPT7HV3D', '01M8D9EDSE6058JTNTVZQV3W69', '*.one.example.test
one.example.test', 'af999341882d9bc427361948d3474e5d9b29720e7d43f9647804a9ccca99efc5', 'dns-01', 'delegation', NULL, NULL, 'p256', 'automatic', '01M8D9ECTT7PXYQX0WEW5PJ0QW', '4577eafe3300114b75da8bdc5af0037a594c0966758d3ef2f68b67a7d5e03e26', '0afac9e37a78877adacada30b67cd4806cd7f39b8128d69846fbb74f1b3f8212', 0, 'valid', 'done', 'https://127.0.0.1:41949/my-order/Iv5OQ-GKrOBXuU4wssrKXK3w5loz_Cy1HZ83ZmuKHWQ', 'https://127.0.0.1:41949/finalize-order/Iv5OQ-GKrOBXuU4wssrKXK3w5loz_Cy1HZ83ZmuKHWQ', 'https://127.0.0.1:41949/certZ/67cc7b6c8a8a1e15', 1, 1795828847000, 0, 1795742447483, 0, 0, 0, 'vendor:https://127.0.0.1:41949/dir', 1795742447483, 3, NULL, 0, NULL, NULL, 0, 0, 0, 0, 1, 1795742447382, 1795742447483, 1795742447483, 0);
INSERT INTO orders (id, num, account_id, certificate_id, csr_id, names, names_hash, validation, dns_method, http_method, profile, key_type, mode, requester, request_hash, turn_hash, holds_turn, status, step, url, finalize_url, certificate_url, finalize_sent, ca_expires_ms, give_up_ms, step_since_ms, polls, attempts, starts, lane, due_ms, gen, lease_owner, lease_until_ms, waiting_for, reason, want_finalize, want_refresh, want_cancel, set_aside, rev, created_ms, updated_ms, ended_ms, deleted_ms) VALUES ('01M8D9EDXZ1E0EJNX4G6JSKD5K', 2, '01M8D9EDBQ3ZMP2S0QFNJXWJ0P', '01M8D9EE033PS39KWTDYFDBHZE', '01M8D9EDY91JCD5MTB4TPJA44W', 'two.example.test', '81d9ab0bd9825a4ab916761fc2d655dc81a698aa552020d0fa965e0bdaffd261', 'http-01', NULL, 'builtin', NULL, 'p256', 'automatic', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'e4ad3c54f612f3d91efa08338f62616826d8e06aad363a96f14de8f9363b2e76', '93dc80c9edf7f558310b67c03cf36e698842adda77f9e36a43f8852dd8fe27cf', 0, 'valid', 'done', 'https://127.0.0.1:41949/my-order/v1A6zSTTLrVmwY2qOpYDVcc1bLWDjOWNJfXZqS-ycns', 'https://127.0.0.1:41949/finalize-order/v1A6zSTTLrVmwY2qOpYDVcc1bLWDjOWNJfXZqS-ycns', 'https://127.0.0.1:41949/certZ/51617cad7ab72b2f', 1, 1795828847000, 0, 1795742447619, 0, 0, 0, 'vendor:https://127.0.0.1:41949/dir', 1795742447619, 3, NULL, 0, NULL, NULL, 0, 0, 0, 0, 1, 1795742447551, 1795742447619, 1795742447619, 0);
INSERT INTO orders (id, num, account_id, certificate_id, csr_id, names, names_hash, validation, dns_method, http_method, profile, key_type, mode, requester, request_hash, turn_hash, holds_turn, status, step, url, finalize_url, certificate_url, finalize_sent, ca_expires_ms, give_up_ms, step_since_ms, polls, attempts, starts, lane, due_ms, gen, lease_owner, lease_until_ms, waiting_for, reason, want_finalize, want_refresh, want_cancel, set_aside, rev, created_ms, updated_ms, ended_ms, deleted_ms) VALUES ('01M8D9EE7FE1RDVP54FF0REKXS', 3, '01M8D9EDBQ3ZMP2S0QFNJXWJ0P', '01M8D9EE8ZAQ5AHPJJJ050EWPT', '01M8D9EE2VD0PZ0GD3W2ZWWJ05', 'three.example.test', 'da30f2740f434a1d847d0d900cefbcbc143fde3328c46c05fb75799d9ec89c00', 'dns-01', 'delegation', NULL, NULL, 'p256', 'automatic', '01M8D9ECTT7PXYQX0WEW5PJ0QW', '302659abc3a1c6893b1bf91287e03afd899a60e0ef3771d74b452456518fb163', '38f1a9a6ff9f5a5eab21f988535cbc4ddf8eeb922521aab9057037bef399e08c', 0, 'valid', 'done', 'https://127.0.0.1:41949/my-order/S0u4DwA7v6gSUlidfzZWD3MSqs8TzIeN4nk82PT3eNs', 'https://127.0.0.1:41949/finalize-order/S0u4DwA7v6gSUlidfzZWD3MSqs8TzIeN4nk82PT3eNs', 'https://127.0.0.1:41949/certZ/4c70ee23ecb391ce', 1, 1795828847000, 0, 1795742447903, 0, 0, 0, 'vendor:https://127.0.0.1:41949/dir', 1795742447903, 3, NULL, 0, NULL, NULL, 0, 0, 0, 0, 1, 1795742447855, 1795742447903, 1795742447903, 0);
INSERT INTO orders (id, num, account_id, certificate_id, csr_id, names, names_hash, validation, dns_method, http_method, profile, key_type, mode, requester, request_hash, turn_hash, holds_turn, status, step, url, finalize_url, certificate_url, finalize_sent, ca_expires_ms, give_up_ms, step_since_ms, polls, attempts, starts, lane, due_ms, gen, lease_owner, lease_until_ms, waiting_for, reason, want_finalize, want_refresh, want_cancel, set_aside, rev, created_ms, updated_ms, ended_ms, deleted_ms) VALUES ('01M8D9EEST9F8343XFD0CST76E', 4, '01M8D9EDBQ3ZMP2S0QFNJXWJ0P', NULL, '01M8D9EESVDQSW0RSKHM0S8KEP', 'waits.never.test', '9c3f4e641ceaaab3568bcda4b04eefbf708a1a0923935ece97fba4afbd5e4f30', 'dns-01', 'manual', NULL, NULL, 'p256', 'automatic', '01M8D9ECTT7PXYQX0WEW5PJ0QW', '9bc597e9e370a76263ee7c47d6c9975b8ff355155d51b741f2f154fe8cd37025', 'a880dd5023d22d8cd7694f9c6720eb16038db9bbea0f9993f687e25962edcc0f', 1, 'pending', 'propagate', 'https://127.0.0.1:41949/my-order/PdtkRYj4dwx1r_srQU7Hfps8A5pVVzAUKdesbtNLdiU', 'https://127.0.0.1:41949/finalize-order/PdtkRYj4dwx1r_srQU7Hfps8A5pVVzAUKdesbtNLdiU', NULL, 0, 1795828848000, 1795828848000, 1795742448446, 2, 0, 0, 'propagation', 1795742454742, 3, NULL, 0, NULL, NULL, 0, 0, 0, 0, 1, 1795742448442, 1795742448448, 0, 0);
INSERT INTO authz (id, order_id, identifier, wildcard, url, status, challenge_url, challenge_status, token, record_id, accepted, expires_ms, reason, position) VALUES ('01M8D9EDSN290TFZKSRPDR44TN', '01M8D9EDRPE6SFST8VG6K1XQ2K', 'one.example.test', 0, 'https://127.0.0.1:41949/authZ/9Rf4fBus5cEbApbdPm29IF2_he2khDnfLIv4omZG24g', 'valid', 'https://127.0.0.1:41949/chalZ/UwOX3EajiE0mnmBMmH25SxSL1Pfl6DYivxE7YaA7hIU', 'pending', 'X_iwd2aRobWtcy-jU28B5mJOKu2XaWkSZ12v8B1_T4o', '01M8D9EDSN290TFZKSRPDR44TQ', 1, 1795746047000, NULL, 0);
INSERT INTO authz (id, order_id, identifier, wildcard, url, status, challenge_url, challenge_status, token, record_id, accepted, expires_ms, reason, position) VALUES ('01M8D9EDSN290TFZKSRPDR44TP', '01M8D9EDRPE6SFST8VG6K1XQ2K', 'one.example.test', 1, 'https://127.0.0.1:41949/authZ/2APnP3_I8-3KH8pboVKbe1owCu9HWq4HXRGWwFVbLbk', 'valid', 'https://127.0.0.1:41949/chalZ/eqB9RigqStC7Cd7XD4rurIgPSf-jqlxjalYUHdrYp_M', 'pending', '4ONyoEbbEDr3lyXo9kZCei0kkho6O53lcMmEbAGfQRM', '01M8D9EDSN290TFZKSRPDR44TR', 1, 1795746047000, NULL, 1);
INSERT INTO authz (id, order_id, identifier, wildcard, url, status, challenge_url, challenge_status, token, record_id, accepted, expires_ms, reason, position) VALUES ('01M8D9EDYB7DF01ASH1AGEMX7Z', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 'two.example.test', 0, 'https://127.0.0.1:41949/authZ/CaFAVbsB6oPlTt7swrXeAdG71mOtL0rlwrPNly9G6fI', 'valid', 'https://127.0.0.1:41949/chalZ/r5g3UX-KOS7wI3yl3YoUQ5lnZyxnkWbn_lNJKhFtVI8', 'valid', 'VS_e06fh84lfn6SDHrgkLnmDF9pFTuFtResigeD1C24', '01M8D9EDYB7DF01ASH1AGEMX80', 1, 1795746047000, NULL, 0);
INSERT INTO authz (id, order_id, identifier, wildcard, url, status, challenge_url, challenge_status, token, record_id, accepted, expires_ms, reason, position) VALUES ('01M8D9EE7JAE12151MD2Q82W82', '01M8D9EE7FE1RDVP54FF0REKXS', 'three.example.test', 0, 'https://127.0.0.1:41949/authZ/ZhjqDoR1UPGXe17pkn-pLWvlDCWNlQej0heKmnRU3XI', 'valid', 'https://127.0.0.1:41949/chalZ/-k04YV4vuCSCLIn-uG6sVP_uZ0RCfxpLTWzT5grkMGM', 'valid', '9XkCsK4mI9bTCG-E9KBqEFTJpJHUVA-tsHsHOUxmqbc', '01M8D9EE7JAE12151MD2Q82W83', 1, 1795746047000, NULL, 0);
INSERT INTO authz (id, order_id, identifier, wildcard, url, status, challenge_url, challenge_status, token, record_id, accepted, expires_ms, reason, position) VALUES ('01M8D9EESXC1TH6DSH4RDM8D09', '01M8D9EEST9F8343XFD0CST76E', 'waits.never.test', 0, 'https://127.0.0.1:41949/authZ/c3MIFLq2zfpJ5ljdvqbVRtbGjSVj98z7usDQ6Y5YwKg', 'pending', 'https://127.0.0.1:41949/chalZ/_u1ZCClRqQEAFxmqLb78WgpCB_EHcWvPa9P572qkGGU', 'pending', 'BwudCJpMI37bXACg6LVkvNP4t0U24HXdK2tdcJVNBOs', '01M8D9EESXC1TH6DSH4RDM8D0A', 0, 1795746048000, NULL, 0);
INSERT INTO record (id, num, order_id, kind, method, domain, token, value, ttl, status, detail, published_ms, ready_ms, withdrawn_ms, rev, created_ms, updated_ms) VALUES ('01M8D9EDSN290TFZKSRPDR44TQ', 1, '01M8D9EDRPE6SFST8VG6K1XQ2K', 'dns-01', 'delegation', '_acme-challenge.one.example.test', NULL, 'YpJGulsJwA9l5wslvgtCgVhf4xNP2BNSfuLwT220AQY', 1, 'withdrawn', NULL, 1795742447429, 1795742447429, 1795742447483, 4, 1795742447413, 1795742447483);
INSERT INTO record (id, num, order_id, kind, method, domain, token, value, ttl, status, detail, published_ms, ready_ms, withdrawn_ms, rev, created_ms, updated_ms) VALUES ('01M8D9EDSN290TFZKSRPDR44TR', 2, '01M8D9EDRPE6SFST8VG6K1XQ2K', 'dns-01', 'delegation', '_acme-challenge.one.example.test', NULL, '0COnW7tsTRFCakJ6XdZpJ-54SV9negf-fXiOEuq2M0o', 1, 'withdrawn', NULL, 1795742447429, 1795742447429, 1795742447483, 4, 1795742447413, 1795742447483);
INSERT INTO record (id, num, order_id, kind, method, domain, token, value, ttl, status, detail, published_ms, ready_ms, withdrawn_ms, rev, created_ms, updated_ms) VALUES ('01M8D9EDYB7DF01ASH1AGEMX80', 3, '01M8D9EDXZ1E0EJNX4G6JSKD5K', 'http-01', 'builtin', 'two.example.test', 'VS_e06fh84lfn6SDHrgkLnmDF9pFTuFtResigeD1C24', 'VS_e06fh84lfn6SDHrgkLnmDF9pFTuFtResigeD1C24.GaTMXMRx11o549hzoR68I_wZYQGdbmo_IZAofjY5TlQ', 0, 'withdrawn', NULL, 1795742447565, 1795742447565, 1795742447619, 4, 1795742447563, 1795742447619);
INSERT INTO record (id, num, order_id, kind, method, domain, token, value, ttl, status, detail, published_ms, ready_ms, withdrawn_ms, rev, created_ms, updated_ms) VALUES ('01M8D9EE7JAE12151MD2Q82W83', 4, '01M8D9EE7FE1RDVP54FF0REKXS', 'dns-01', 'delegation', '_acme-challenge.three.example.test', NULL, 'x5TYCFEgFXJSt4V9aSiCTP4mTvmYa-aJSjsxAYLoQt4', 1, 'withdrawn', NULL, 1795742447859, 1795742447859, 1795742447903, 4, 1795742447858, 1795742447903);
INSERT INTO record (id, num, order_id, kind, method, domain, token, value, ttl, status, detail, published_ms, ready_ms, withdrawn_ms, rev, created_ms, updated_ms) VALUES ('01M8D9EESXC1TH6DSH4RDM8D0A', 5, '01M8D9EEST9F8343XFD0CST76E', 'dns-01', 'manual', '_acme-challenge.waits.never.test', NULL, '0ttgG0p7sEClVAlJHnIgoQBai3RSxF6qyck7ty0u-jQ', 60, 'not-ready', '{"seen":false,"text":"could not look up the TXT records of ''_acme-challenge.waits.never.test'': no name servers could be found","told":0}', 1795742448446, 0, 0, 3, 1795742448445, 1795742448448);
INSERT INTO feed_item (id, seq, kind, name, value, ttl, live, changed_ms) VALUES (1, 1, 'zone', '_acme-challenge.one.example.test', '', 60, 1, 1795742447414);
INSERT INTO feed_item (id, seq, kind, name, value, ttl, live, changed_ms) VALUES (2, 4, 'txt', '_acme-challenge.one.example.test', 'YpJGulsJwA9l5wslvgtCgVhf4xNP2BNSfuLwT220AQY', 1, 0, 1795742447484);
INSERT INTO feed_item (id, seq, kind, name, value, ttl, live, changed_ms) VALUES (3, 5, 'txt', '_acme-challenge.one.example.test', '0COnW7tsTRFCakJ6XdZpJ-54SV9negf-fXiOEuq2M0o', 1, 0, 1795742447484);
INSERT INTO feed_item (id, seq, kind, name, value, ttl, live, changed_ms) VALUES (4, 7, 'http', 'VS_e06fh84lfn6SDHrgkLnmDF9pFTuFtResigeD1C24', 'VS_e06fh84lfn6SDHrgkLnmDF9pFTuFtResigeD1C24.GaTMXMRx11o549hzoR68I_wZYQGdbmo_IZAofjY5TlQ', 0, 0, 1795742447619);
INSERT INTO feed_item (id, seq, kind, name, value, ttl, live, changed_ms) VALUES (5, 8, 'zone', '_acme-challenge.three.example.test', '', 60, 1, 1795742447858);
INSERT INTO feed_item (id, seq, kind, name, value, ttl, live, changed_ms) VALUES (6, 10, 'txt', '_acme-challenge.three.example.test', 'x5TYCFEgFXJSt4V9aSiCTP4mTvmYa-aJSjsxAYLoQt4', 1, 0, 1795742447903);
INSERT INTO delegation (id, num, name, made_for_order, rev, created_ms, deleted_ms) VALUES ('01M8D9EDSP707GS00M5E1754EH', 1, 'one.example.test', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1, 1795742447414, 0);
INSERT INTO delegation (id, num, name, made_for_order, rev, created_ms, deleted_ms) VALUES ('01M8D9EE7JAE12151MD2Q82W86', 2, 'three.example.test', '01M8D9EE7FE1RDVP54FF0REKXS', 1, 1795742447858, 0);
INSERT INTO debt (id, order_id, record_id, kind, method, what, state, held, lane, due_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, reason, created_ms, paid_ms) VALUES ('01M8D9EDSP707GS00M5E1754EG', '01M8D9EDRPE6SFST8VG6K1XQ2K', '01M8D9EDSN290TFZKSRPDR44TQ', 'withdraw-dns', 'delegation', '{"kind":"dns-01","zone":"_acme-challenge.one.example.test","name":"_acme-challenge.one.example.test","token":null,"value":"YpJGulsJwA9l5wslvgtCgVhf4xNP2BNSfuLwT220AQY","ttl":1}', 'paid', 0, 'local', 1795742447414, 0, NULL, 0, 0, 0, 0, NULL, 1795742447414, 1795742447484);
INSERT INTO debt (id, order_id, record_id, kind, method, what, state, held, lane, due_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, reason, created_ms, paid_ms) VALUES ('01M8D9EDSP707GS00M5E1754EJ', '01M8D9EDRPE6SFST8VG6K1XQ2K', '01M8D9EDSN290TFZKSRPDR44TR', 'withdraw-dns', 'delegation', '{"kind":"dns-01","zone":"_acme-challenge.one.example.test","name":"_acme-challenge.one.example.test","token":null,"value":"0COnW7tsTRFCakJ6XdZpJ-54SV9negf-fXiOEuq2M0o","ttl":1}', 'paid', 0, 'local', 1795742447414, 0, NULL, 0, 0, 0, 0, NULL, 1795742447414, 1795742447484);
INSERT INTO debt (id, order_id, record_id, kind, method, what, state, held, lane, due_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, reason, created_ms, paid_ms) VALUES ('01M8D9EDYB7DF01ASH1AGEMX82', '01M8D9EDXZ1E0EJNX4G6JSKD5K', '01M8D9EDYB7DF01ASH1AGEMX80', 'withdraw-http', 'builtin', '{"kind":"http-01","zone":"two.example.test","name":"two.example.test","token":"VS_e06fh84lfn6SDHrgkLnmDF9pFTuFtResigeD1C24","value":"VS_e06fh84lfn6SDHrgkLnmDF9pFTuFtResigeD1C24.GaTMXMRx11o549hzoR68I_wZYQGdbmo_IZAofjY5TlQ","ttl":0}', 'paid', 0, 'local', 1795742447563, 0, NULL, 0, 0, 0, 0, NULL, 1795742447563, 1795742447619);
INSERT INTO debt (id, order_id, record_id, kind, method, what, state, held, lane, due_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, reason, created_ms, paid_ms) VALUES ('01M8D9EE7JAE12151MD2Q82W85', '01M8D9EE7FE1RDVP54FF0REKXS', '01M8D9EE7JAE12151MD2Q82W83', 'withdraw-dns', 'delegation', '{"kind":"dns-01","zone":"_acme-challenge.three.example.test","name":"_acme-challenge.three.example.test","token":null,"value":"x5TYCFEgFXJSt4V9aSiCTP4mTvmYa-aJSjsxAYLoQt4","ttl":1}', 'paid', 0, 'local', 1795742447858, 0, NULL, 0, 0, 0, 0, NULL, 1795742447858, 1795742447903);
INSERT INTO debt (id, order_id, record_id, kind, method, what, state, held, lane, due_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, reason, created_ms, paid_ms) VALUES ('01M8D9EESXC1TH6DSH4RDM8D0C', '01M8D9EEST9F8343XFD0CST76E', '01M8D9EESXC1TH6DSH4RDM8D0A', 'withdraw-dns', 'manual', '{"kind":"dns-01","zone":"_acme-challenge.waits.never.test","name":"_acme-challenge.waits.never.test","token":null,"value":"0ttgG0p7sEClVAlJHnIgoQBai3RSxF6qyck7ty0u-jQ","ttl":60}', 'owed', 1, 'local', 1795742448445, 0, NULL, 0, 0, 0, 0, NULL, 1795742448445, 0);
INSERT INTO job (id, num, kind, subject_kind, subject_id, args, state, result, reason, lane, due_ms, give_up_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, created_by, created_ms, updated_ms, ended_ms) VALUES ('01M8D9ED5M1XHD4WZGJWTKWHR5', 3, 'prune', NULL, NULL, '{}', 'queued', NULL, NULL, 'local', 1795746046773, 0, 0, NULL, 0, 0, 0, 0, NULL, 1795742446773, 1795742446773, 0);
INSERT INTO job (id, num, kind, subject_kind, subject_id, args, state, result, reason, lane, due_ms, give_up_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, created_by, created_ms, updated_ms, ended_ms) VALUES ('01M8D9ED5M1XHD4WZGJWTKWHR6', 4, 'account-watch', NULL, NULL, '{}', 'queued', NULL, NULL, 'local', 1795743046773, 0, 0, NULL, 0, 0, 0, 0, NULL, 1795742446773, 1795742446773, 0);
INSERT INTO job (id, num, kind, subject_kind, subject_id, args, state, result, reason, lane, due_ms, give_up_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, created_by, created_ms, updated_ms, ended_ms) VALUES ('01M8D9ED5M1XHD4WZGJWTKWHR7', 5, 'delegation-watch', NULL, NULL, '{}', 'queued', NULL, NULL, 'local', 1795743046773, 0, 0, NULL, 0, 0, 0, 0, NULL, 1795742446773, 1795742446773, 0);
INSERT INTO job (id, num, kind, subject_kind, subject_id, args, state, result, reason, lane, due_ms, give_up_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, created_by, created_ms, updated_ms, ended_ms) VALUES ('01M8D9ED5N1ZRZ39RXFV7RTAKG', 1, 'renewal', NULL, NULL, '{}', 'queued', NULL, NULL, 'local', 1795742506773, 0, 0, NULL, 0, 0, 0, 0, NULL, 1795742446773, 1795742446773, 0);
INSERT INTO job (id, num, kind, subject_kind, subject_id, args, state, result, reason, lane, due_ms, give_up_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, created_by, created_ms, updated_ms, ended_ms) VALUES ('01M8D9ED5N1ZRZ39RXFV7RTAKH', 2, 'renewal-check', NULL, NULL, '{}', 'queued', NULL, NULL, 'local', 1795746046773, 0, 0, NULL, 0, 0, 0, 0, NULL, 1795742446773, 1795742446773, 0);
INSERT INTO job (id, num, kind, subject_kind, subject_id, args, state, result, reason, lane, due_ms, give_up_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, created_by, created_ms, updated_ms, ended_ms) VALUES ('01M8D9EDBQ3ZMP2S0QFNJXWJ0R', 6, 'account-register', 'account', '01M8D9EDBQ3ZMP2S0QFNJXWJ0P', '{"import":false,"eab_fetch":false}', 'done', '{"account_id":"01M8D9EDBQ3ZMP2S0QFNJXWJ0P","facts":{"tos_url":null,"website":null,"eab_required":false,"caa_identities":[],"profiles":[],"new_nonce":"https://127.0.0.1:41949/nonce-plz","new_account":"https://127.0.0.1:41949/sign-me-up","new_order":"https://127.0.0.1:41949/order-plz","revoke_cert":"https://127.0.0.1:41949/revoke-cert","key_change":"https://127.0.0.1:41949/rollover-account-key","renewal_info":null}}', NULL, 'vendor:https://127.0.0.1:41949/dir', 1795742626968, 0, 1, NULL, 0, 0, 0, 0, '01M8D9ECTT7PXYQX0WEW5PJ0QW', 1795742446967, 1795742446973, 1795742446973);
INSERT INTO job (id, num, kind, subject_kind, subject_id, args, state, result, reason, lane, due_ms, give_up_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, created_by, created_ms, updated_ms, ended_ms) VALUES ('01M8D9EDVW6A026T51Z03QWRBG', 7, 'renewal-info', 'directory', 'https://127.0.0.1:41949/dir', '{"directory_url":"https://127.0.0.1:41949/dir"}', 'queued', NULL, NULL, 'vendor:https://127.0.0.1:41949/dir', 1795828847904, 0, 3, NULL, 0, 0, 0, 0, NULL, 1795742447484, 1795742447905, 0);
INSERT INTO job (id, num, kind, subject_kind, subject_id, args, state, result, reason, lane, due_ms, give_up_ms, gen, lease_owner, lease_until_ms, starts, attempts, set_aside, created_by, created_ms, updated_ms, ended_ms) VALUES ('01M8D9EE2VD0PZ0GD3W2ZWWJ04', 8, 'csr-create', 'csr', '01M8D9EE2VD0PZ0GD3W2ZWWJ05', '{"csr_id":"01M8D9EE2VD0PZ0GD3W2ZWWJ05","names":["three.example.test"],"key_type":"p256","subject":{"o":null,"ou":null,"c":null,"l":null,"st":null}}', 'done', '{"csr_id":"01M8D9EE2VD0PZ0GD3W2ZWWJ05"}', NULL, 'local', 1795742627715, 0, 1, NULL, 0, 0, 0, 0, '01M8D9ECTT7PXYQX0WEW5PJ0QW', 1795742447707, 1795742447716, 1795742447716);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDBX8M2T3CAV6CS5ZTYN', 'account', '01M8D9EDBQ3ZMP2S0QFNJXWJ0P', 1795742446973, 'info', 'registered', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDRPE6SFST8VG6K1XQ2N', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447382, 'info', 'order made', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDSE6058JTNTVZQV3W6A', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447406, 'info', 'made a key (p256) and a CSR', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDSG935WJZDA6MGMGVQ4', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447408, 'info', 'the authority took the order (2 authorizations)', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDSN290TFZKSRPDR44TS', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447413, 'info', 'to be proved by dns-01: 2 of 2 names', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDT5DYKRZ889Z2QNPXQA', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447429, 'info', 'published by Certwright itself and answered by all listeners', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDT6DTZYD7HKCQW1X558', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447430, 'info', 'told the authority to look', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDTXB8B3FMK34G2NBJ0Y', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447453, 'info', 'the authority has validated all names', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDV3AGR32WJ1673DKM5P', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447459, 'info', 'finalized: the CSR was sent', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDVVDDRZJQ0TNPT7HV3F', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447483, 'info', 'certificate 67cc7b6c8a8a1e15 from Pebble Intermediate CA 706ab3, valid until 2031-11-27T01:20:46.000Z', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDXZ1E0EJNX4G6JSKD5N', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447551, 'info', 'order made', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDY91JCD5MTB4TPJA44X', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447561, 'info', 'made a key (p256) and a CSR', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDYA0NB2XF3Y56DN82MC', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447562, 'info', 'the authority took the order (1 authorization)', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDYB7DF01ASH1AGEMX81', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447563, 'info', 'to be proved by http-01: 1 of 1 name', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDYD0KAPTJV2NRDQ3DR2', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447565, 'info', 'published by Certwright itself and answered by all listeners', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDYD0KAPTJV2NRDQ3DR3', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447565, 'info', 'told the authority to look', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDZ68Q9KB24SATEYCR8N', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447590, 'info', 'the authority has validated ''two.example.test''', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EDZBFHHVBGFKKQN22DM3', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447595, 'info', 'finalized: the CSR was sent', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EE033PS39KWTDYFDBHZG', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447619, 'info', 'certificate 51617cad7ab72b2f from Pebble Intermediate CA 706ab3, valid until 2031-11-27T01:20:46.000Z', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EE7FE1RDVP54FF0REKXV', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 1795742447855, 'info', 'order made', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EE7JAE12151MD2Q82W81', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 1795742447858, 'info', 'the authority took the order (1 authorization)', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EE7JAE12151MD2Q82W84', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 1795742447858, 'info', 'to be proved by dns-01: 1 of 1 name', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EE7K2FAAVVRHZJJY3HR2', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 1795742447859, 'info', 'published by Certwright itself and answered by all listeners', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EE7M6K43VR3CW1MCE3T4', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 1795742447860, 'info', 'told the authority to look', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EE8795HHV5843C2CM5WW', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 1795742447879, 'info', 'the authority has validated ''three.example.test''', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EE898TDVSD9W13CVR27J', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 1795742447881, 'info', 'finalized: the CSR was sent', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EE8ZAQ5AHPJJJ050EWPW', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 1795742447903, 'info', 'certificate 4c70ee23ecb391ce from Pebble Intermediate CA 706ab3, valid until 2031-11-27T01:20:46.000Z', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EEST9F8343XFD0CST76G', 'order', '01M8D9EEST9F8343XFD0CST76E', 1795742448442, 'info', 'order made', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EESW64DVYYR6WF8A660H', 'order', '01M8D9EEST9F8343XFD0CST76E', 1795742448444, 'info', 'made a key (p256) and a CSR', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EESXC1TH6DSH4RDM8D08', 'order', '01M8D9EEST9F8343XFD0CST76E', 1795742448445, 'info', 'the authority took the order (1 authorization)', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EESXC1TH6DSH4RDM8D0B', 'order', '01M8D9EEST9F8343XFD0CST76E', 1795742448445, 'info', 'to be proved by dns-01: 1 of 1 name', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EESY0MZBT1MDG1G7S6Z6', 'order', '01M8D9EEST9F8343XFD0CST76E', 1795742448446, 'info', 'waits for you: publish the record of ''_acme-challenge.waits.never.test''', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EFF0DRGND8QKH6B1WVWC', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447433, 'info', 'our DNS server was asked for ''_acme-challenge.one.example.test'' 6 times from 127.0.0.0/24, all answered with the value', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EFW21QDDFWGEASS6ZBMA', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447561, 'info', 'our HTTP responder was asked for ''two.example.test'' 3 times from 127.0.0.0/24 as host ''two.example.test:44519'', all answered with the value', NULL);
INSERT INTO event (id, subject_kind, subject_id, at_ms, level, text, detail) VALUES ('01M8D9EFW21QDDFWGEASS6ZBMB', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 1795742447857, 'info', 'our DNS server was asked for ''_acme-challenge.three.example.test'' 3 times from 127.0.0.0/24, all answered with the value', NULL);
INSERT INTO users (id, num, name, role, password_hash, failures, locked_until_ms, disabled, last_login_ms, rev, created_ms, updated_ms, deleted_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QW', 1, 'admin', 'admin', '$argon2id$v=19$m=19456,t=2,p=1$IalHhEEtxJ7Az8cTzu4idw$CFG1X8vDOiEfiNNhOZL407IA6JksKEO+pvcSlKkAkBw', 0, 0, 0, 1795742448911, 1, 1795742446426, 1795742446426, 0);
INSERT INTO users (id, num, name, role, password_hash, failures, locked_until_ms, disabled, last_login_ms, rev, created_ms, updated_ms, deleted_ms) VALUES ('01M8D9EF3S1H17752SYV8CHCN7', 2, 'bob', 'operator', '$argon2id$v=19$m=19456,t=2,p=1$5kDdug0onJL2ne8N40HPGg$PqFi6uO0NqZbcaV+tMZ1gPBMi7j7NXSHhKxRtMNu91U', 0, 0, 0, 0, 1, 1795742448761, 1795742448761, 0);
INSERT INTO session (hash, user_id, csrf, address, created_ms, seen_ms, expires_ms) VALUES ('275f98d7dac67be040f48ad1a04c9984511ce60f2694dbbd1c946acf58263dfa', '01M8D9ECTT7PXYQX0WEW5PJ0QW', '', '127.0.0.1', 1795742448911, 1795742448911, 1795785648911);
INSERT INTO token (id, num, name, user_id, role, hash, prefix, created_ms, expires_ms, used_ms, revoked_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QX', 1, 'setup', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'd79cb4c39f152a4a05aafe3643ea50d789d62c3a3c0275665e979160efa2e3de', 'cw_HYpbs', 1795742446426, 1803518446426, 1795742446966, 0);
INSERT INTO setup_token (hash, created_ms, expires_ms, used_ms) VALUES ('00', 1, 2, 0);
INSERT INTO idempotency (user_id, route, key, body_hash, object_kind, object_id, created_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QW', 'createCsr', '01M8D9EDZ4EAJCHYV8YHQDWQSG', '306dea1dd3393838db4961fcf54ca2a84bb8d8304684bf6f62f8420c32cb55b9', 'job', '01M8D9EE2VD0PZ0GD3W2ZWWJ04', 1795742447707);
INSERT INTO idempotency (user_id, route, key, body_hash, object_kind, object_id, created_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QW', 'createOrder', '01M8D9EDNKCJX36M5GXHWF6EGT', '539360eeadd4736218d02f6623f00083271f2c888f27bd502a3635186fcbcd21', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', 1795742447382);
INSERT INTO idempotency (user_id, route, key, body_hash, object_kind, object_id, created_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QW', 'createOrder', '01M8D9EDTK4FH40A89ADSHC20C', '146cdb7cac0c6e6829ad5594cafadf493823bdcc8ce8d30656c6eb9f542bcd4a', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 1795742447551);
INSERT INTO idempotency (user_id, route, key, body_hash, object_kind, object_id, created_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QW', 'createOrder', '01M8D9EE4F3QTHCJ86SX7AKTDJ', 'ee19e7e2c933b474838caf0c96cac1a6adc7d5f21e17c3d6235207680192bf14', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 1795742447855);
INSERT INTO idempotency (user_id, route, key, body_hash, object_kind, object_id, created_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QW', 'createOrder', 'fixture', '65a9a797bbb32e8a6a37171e932aa6ea0b03ded59235d05f83195c921e020efa', 'order', '01M8D9EEST9F8343XFD0CST76E', 1795742448442);
INSERT INTO idempotency (user_id, route, key, body_hash, object_kind, object_id, created_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QW', 'createProvider', '01M8D9EF9DAJ34SPVZZ13ZMK9R', 'e2a58f02fce7a99577ab1c50b010a337781124339f5c33db78f357aaade86aef', 'provider', '01M8D9EFF0DRGND8QKH6B1WVWA', 1795742449120);
INSERT INTO idempotency (user_id, route, key, body_hash, object_kind, object_id, created_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QW', 'createRule', '01M8D9EDHB8VDG81YRV69ETZ1S', '75c217b56a8d3ff65e3d5623b0e409b539261554bc2d2d8c0dded15b0ba5dcd5', 'rule', '01M8D9EDKZ68AGFPK5DV2BJ13D', 1795742447231);
INSERT INTO idempotency (user_id, route, key, body_hash, object_kind, object_id, created_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QW', 'createUser', '01M8D9EETG0A0A5PGMK6FS9B05', '71a2971415e21e14af68c79334724fc36b32f8cac631eb147da5f398d53257bd', 'user', '01M8D9EF3S1H17752SYV8CHCN7', 1795742448761);
INSERT INTO idempotency (user_id, route, key, body_hash, object_kind, object_id, created_ms) VALUES ('01M8D9ECTT7PXYQX0WEW5PJ0QW', 'registerAccount', '01M8D9ED80D9KSA1HVYYP6D9Y3', '9088ea02d469c44d6cdb87a7fe302c1c17d74ac4dd433e36dfd620c9306f64de', 'job', '01M8D9EDBQ3ZMP2S0QFNJXWJ0R', 1795742446967);
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9ECYP17YAYCDJJKES4CRW', 1795742446550, 'host', NULL, 'host', 'setup.admin', 'user', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', NULL, NULL, NULL);
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EDBQ3ZMP2S0QFNJXWJ0S', 1795742446967, 'token', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'account.register', 'account', '01M8D9EDBQ3ZMP2S0QFNJXWJ0P', 'admin@certwright.test --- Custom', NULL, '127.0.0.1', '01M8D9EDBPDVSE8X5T09G25D4C');
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EDKZ68AGFPK5DV2BJ13E', 1795742447231, 'token', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'rule.create', 'rule', '01M8D9EDKZ68AGFPK5DV2BJ13D', '*', NULL, '127.0.0.1', '01M8D9EDKZ68AGFPK5DV2BJ13C');
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EDRPE6SFST8VG6K1XQ2M', 1795742447382, 'token', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'order.create', 'order', '01M8D9EDRPE6SFST8VG6K1XQ2K', '*.one.example.test', NULL, '127.0.0.1', '01M8D9EDRPE6SFST8VG6K1XQ2J');
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EDVW6A026T51Z03QWRBH', 1795742447484, 'system', NULL, 'system', 'certificate.issue', 'certificate', '01M8D9EDVVDDRZJQ0TNPT7HV3D', '*.one.example.test', NULL, NULL, NULL);
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EDXZ1E0EJNX4G6JSKD5M', 1795742447551, 'token', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'order.create', 'order', '01M8D9EDXZ1E0EJNX4G6JSKD5K', 'two.example.test', NULL, '127.0.0.1', '01M8D9EDXZ1E0EJNX4G6JSKD5J');
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EE033PS39KWTDYFDBHZJ', 1795742447619, 'system', NULL, 'system', 'certificate.issue', 'certificate', '01M8D9EE033PS39KWTDYFDBHZE', 'two.example.test', NULL, NULL, NULL);
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EE2VD0PZ0GD3W2ZWWJ06', 1795742447707, 'token', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'csr.create', 'csr', '01M8D9EE2VD0PZ0GD3W2ZWWJ05', 'three.example.test', NULL, '127.0.0.1', '01M8D9EE2VD0PZ0GD3W2ZWWJ03');
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EE7FE1RDVP54FF0REKXT', 1795742447855, 'token', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'order.create', 'order', '01M8D9EE7FE1RDVP54FF0REKXS', 'three.example.test', NULL, '127.0.0.1', '01M8D9EE7FE1RDVP54FF0REKXR');
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EE8ZAQ5AHPJJJ050EWPY', 1795742447903, 'system', NULL, 'system', 'certificate.issue', 'certificate', '01M8D9EE8ZAQ5AHPJJJ050EWPT', 'three.example.test', NULL, NULL, NULL);
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EEST9F8343XFD0CST76F', 1795742448442, 'token', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'order.create', 'order', '01M8D9EEST9F8343XFD0CST76E', 'waits.never.test', NULL, '127.0.0.1', '01M8D9EEST9F8343XFD0CST76D');
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EF3S1H17752SYV8CHCN8', 1795742448761, 'token', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'user.create', 'user', '01M8D9EF3S1H17752SYV8CHCN7', 'bob', NULL, '127.0.0.1', '01M8D9EEXF4HAQ7GYVF72FEHCJ');
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EF8F0TD2GXZ9GR0SK485', 1795742448911, 'user', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'session.create', 'user', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', NULL, '127.0.0.1', '01M8D9EF743ECWT2K28Y3EWPBE');
INSERT INTO audit (id, at_ms, actor_kind, actor_id, actor_name, action, object_kind, object_id, object_name, detail, address, request_id) VALUES ('01M8D9EFF0DRGND8QKH6B1WVWB', 1795742449120, 'token', '01M8D9ECTT7PXYQX0WEW5PJ0QW', 'admin', 'provider.create', 'provider', '01M8D9EFF0DRGND8QKH6B1WVWA', 'dns', NULL, '127.0.0.1', '01M8D9EFBR59PFHZBRZK0MWA1P');
INSERT INTO schema_migration (version, name, checksum, applied_ms) VALUES (1, 'init', 'd3b30fb123afca00', 1795742446325);
COMMIT;
