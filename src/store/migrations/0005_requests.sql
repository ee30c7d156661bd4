-- SPDX-License-Identifier: Apache-2.0
-- What is said to an authority, and how often.

-- What an order asks for beyond names and profile; a row only where something was asked for. Kept for the renewals of its certificate.
-- profile_fallback: without the profile rather than not at all. profile_dropped: the authority refused it and that was allowed.
CREATE TABLE order_option (
  order_id TEXT PRIMARY KEY REFERENCES orders (id),
  profile_fallback @INT@ NOT NULL DEFAULT 0,
  profile_dropped @INT@ NOT NULL DEFAULT 0,
  preferred_chain TEXT,
  not_after_ms @INT@ NOT NULL DEFAULT 0
) @STRICT@;

-- How much of an authority's slow limits (hours, days) is used up. name: limit, directory URL, of whom. level: thousandths of what is left.
CREATE TABLE rate_bucket (
  name TEXT PRIMARY KEY,
  level @INT@ NOT NULL,
  at_ms @INT@ NOT NULL,
  full_ms @INT@ NOT NULL
) @STRICT@;
CREATE INDEX rate_bucket_full ON rate_bucket (full_ms);
