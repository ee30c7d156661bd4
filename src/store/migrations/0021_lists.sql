-- SPDX-License-Identifier: Apache-2.0
-- Before this instant the authority does not want to be asked again (its Retry-After): nobody makes the order due earlier.
ALTER TABLE orders ADD COLUMN look_after_ms @INT@ NOT NULL DEFAULT 0;

-- PostgreSQL fixes the columns of "*" when a view is made: made anew, so that they show the new one.
DROP VIEW live_record;
DROP VIEW live_orders;
CREATE VIEW live_orders AS SELECT o.* FROM orders o JOIN account a ON a.id = o.account_id
  WHERE o.deleted_ms = 0 AND a.deleted_ms = 0;
CREATE VIEW live_record AS SELECT r.* FROM record r JOIN live_orders o ON o.id = r.order_id;
