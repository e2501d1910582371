-- Which approval a change was applied with.

ALTER TABLE changes ADD COLUMN approval_id {uuid};
