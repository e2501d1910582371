-- A model whose bill was higher than its price allows is left out until an admin has looked at it.

ALTER TABLE models ADD COLUMN breach {json};
