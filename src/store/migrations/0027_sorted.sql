-- SPDX-License-Identifier: Apache-2.0
-- Lists of what people name themselves go by name too, and tokens by their end: each order has its index, each list of live rows too.

CREATE INDEX users_live ON users (created_ms, id) WHERE deleted_ms = 0;
CREATE INDEX users_by_name ON users (lower(name), id) WHERE deleted_ms = 0;
CREATE INDEX provider_by_name ON provider (lower(name), id) WHERE deleted_ms = 0;
CREATE INDEX validation_rule_by_suffix ON validation_rule (lower(suffix), id) WHERE deleted_ms = 0;
CREATE INDEX dns_view_by_name ON dns_view (lower(name), id) WHERE deleted_ms = 0;
CREATE INDEX view_rule_by_suffix ON view_rule (lower(suffix), id) WHERE deleted_ms = 0;
CREATE INDEX channel_by_name ON channel (lower(name), id) WHERE deleted_ms = 0;

CREATE INDEX token_by_name ON token (lower(name), id);
CREATE INDEX token_by_end ON token (expires_ms, id);
CREATE INDEX token_user_name ON token (user_id, lower(name), id);
CREATE INDEX token_user_end ON token (user_id, expires_ms, id);
