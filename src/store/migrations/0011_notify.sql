-- SPDX-License-Identifier: Apache-2.0
-- Who is told, and what is still to be told.

-- settings: JSON of what is not secret. events, vendors: lists joined by newline, "" = as model/channel.h says.
CREATE TABLE channel (
  id TEXT PRIMARY KEY,
  num @INT@ NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  enabled @INT@ NOT NULL,
  settings TEXT NOT NULL,
  events TEXT NOT NULL,
  vendors TEXT NOT NULL,
  sealed @BLOB@,
  connection TEXT,
  status TEXT NOT NULL,
  reason TEXT,
  tested_ms @INT@ NOT NULL DEFAULT 0,
  sent_ms @INT@ NOT NULL DEFAULT 0,
  digest_ms @INT@ NOT NULL,
  dropped @INT@ NOT NULL DEFAULT 0,
  rev @INT@ NOT NULL DEFAULT 1,
  created_ms @INT@ NOT NULL,
  updated_ms @INT@ NOT NULL,
  deleted_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE UNIQUE INDEX channel_num ON channel (num);
CREATE UNIQUE INDEX channel_name ON channel (name) WHERE deleted_ms = 0;
CREATE INDEX channel_created ON channel (created_ms, id);
CREATE VIEW live_channel AS SELECT * FROM channel WHERE deleted_ms = 0;

-- One row for each message and channel, written in the transaction of what it tells. What is sent of a notice is read when it is
-- sent, so that one message names all certificates that joined meanwhile.
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  channel_id TEXT NOT NULL REFERENCES channel (id),
  event TEXT NOT NULL,
  phase TEXT NOT NULL,
  notice_id TEXT,
  detail TEXT,
  subject TEXT,
  state TEXT NOT NULL,
  created_ms @INT@ NOT NULL,
  due_ms @INT@ NOT NULL,
  ended_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;
CREATE INDEX outbox_due ON outbox (channel_id, due_ms, id) WHERE state = 'waiting';
CREATE INDEX outbox_of_notice ON outbox (notice_id, channel_id) WHERE notice_id IS NOT NULL;
CREATE INDEX outbox_list ON outbox (channel_id, created_ms, id);
CREATE INDEX outbox_ended ON outbox (ended_ms) WHERE ended_ms > 0;
