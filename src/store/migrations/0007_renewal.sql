-- SPDX-License-Identifier: Apache-2.0
-- Renewal: what the engine knows about when and why a certificate is renewed, and what people are told.

-- One row per certificate with something issued; all of it is about version_id. Written by the engine, never raises certificate.rev.
-- account_id, directory_url: who issued that version. why: what chose certificate.renew_at_ms. waits: what a person has to do first.
CREATE TABLE renewal (
  certificate_id TEXT PRIMARY KEY REFERENCES certificate (id),
  version_id TEXT,
  account_id TEXT,
  directory_url TEXT,
  ari_id TEXT,
  ari_next_ms @INT@ NOT NULL DEFAULT 0,
  ari_failures @INT@ NOT NULL DEFAULT 0,
  ari_reason TEXT,
  window_start_ms @INT@ NOT NULL DEFAULT 0,
  window_end_ms @INT@ NOT NULL DEFAULT 0,
  explanation_url TEXT,
  why TEXT NOT NULL,
  waits TEXT NOT NULL,
  tried_ms @INT@ NOT NULL DEFAULT 0,
  failing_since_ms @INT@ NOT NULL DEFAULT 0,
  reason TEXT,
  install_since_ms @INT@ NOT NULL DEFAULT 0,
  key_max_days @INT@ NOT NULL DEFAULT 398,
  window_id TEXT
) @STRICT@;
CREATE INDEX renewal_ari ON renewal (directory_url, ari_next_ms) WHERE ari_next_ms > 0;
CREATE INDEX renewal_install ON renewal (install_since_ms) WHERE install_since_ms > 0;

CREATE INDEX certificate_renew_at ON certificate (renew_at_ms, id) WHERE deleted_ms = 0 AND managed = 1 AND renew_at_ms > 0;
CREATE INDEX certificate_watched ON certificate (not_after_ms, id) WHERE deleted_ms = 0 AND managed = 0;
-- One live renewal per certificate.
CREATE UNIQUE INDEX orders_live_renewal ON orders (certificate_id)
  WHERE certificate_id IS NOT NULL AND ended_ms = 0 AND deleted_ms = 0;

-- When renewals may run. cron: five fields, in the time zone; is_default: for certificates without one of their own.
CREATE TABLE renewal_window (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  name TEXT NOT NULL,
  cron TEXT NOT NULL,
  minutes @INT@ NOT NULL,
  zone TEXT NOT NULL,
  tag TEXT,
  is_default @INT@ NOT NULL,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX renewal_window_num ON renewal_window (num);
CREATE UNIQUE INDEX renewal_window_name ON renewal_window (name) WHERE deleted_ms = 0;
CREATE INDEX renewal_window_live ON renewal_window (created_ms, id) WHERE deleted_ms = 0;

-- What somebody has to know. One cause is one open row, however many certificates it touches; the senders read this table.
-- told_ms and remind_ms are the senders'; changed_ms moves when a certificate joins or the cause is worded anew.
CREATE TABLE notice (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  kind TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  cause TEXT NOT NULL,
  next_step TEXT,
  touched @INT@ NOT NULL DEFAULT 0,
  first_expiry_ms @INT@ NOT NULL DEFAULT 0,
  raised_ms @INT@ NOT NULL,
  changed_ms @INT@ NOT NULL,
  told_ms @INT@ NOT NULL DEFAULT 0,
  remind_ms @INT@ NOT NULL DEFAULT 0,
  ended_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX notice_num ON notice (num);
CREATE UNIQUE INDEX notice_open ON notice (kind, subject_kind, subject_id) WHERE ended_ms = 0;
CREATE INDEX notice_live ON notice (raised_ms, id) WHERE ended_ms = 0;
CREATE INDEX notice_raised ON notice (raised_ms, id);
CREATE INDEX notice_ended ON notice (ended_ms) WHERE ended_ms > 0;

CREATE TABLE notice_certificate (
  notice_id TEXT NOT NULL REFERENCES notice (id),
  certificate_id TEXT NOT NULL,
  not_after_ms @INT@ NOT NULL,
  added_ms @INT@ NOT NULL,
  PRIMARY KEY (notice_id, certificate_id)
) @STRICT@;
CREATE INDEX notice_certificate_of ON notice_certificate (certificate_id);

ALTER TABLE version ADD COLUMN revoked_ms @INT@ NOT NULL DEFAULT 0;
