-- Partitions of every kind, and inheritance.
CREATE SCHEMA parts;
CREATE TABLE parts.events (id bigint NOT NULL, at date NOT NULL, kind text NOT NULL DEFAULT 'none', note text, PRIMARY KEY (id, at, kind)) PARTITION BY RANGE (at);
CREATE TABLE parts.events_old PARTITION OF parts.events FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE parts.events_2025 PARTITION OF parts.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (kind);
CREATE TABLE parts.events_2025_ab PARTITION OF parts.events_2025 (note DEFAULT 'of a or b', CONSTRAINT short CHECK (length(note) < 100)) FOR VALUES IN ('a', 'b', 'it''s');
CREATE TABLE parts.events_2025_rest PARTITION OF parts.events_2025 DEFAULT PARTITION BY HASH (id);
CREATE TABLE parts.events_2025_rest_0 PARTITION OF parts.events_2025_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (fillfactor = 70);
CREATE TABLE parts.events_2025_rest_1 PARTITION OF parts.events_2025_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
-- Columns in another order, and one that was dropped.
CREATE TABLE parts.events_2026 (note text, gone integer, kind text NOT NULL DEFAULT 'none', at date NOT NULL, id bigint NOT NULL);
ALTER TABLE parts.events_2026 DROP COLUMN gone;
ALTER TABLE parts.events ATTACH PARTITION parts.events_2026 FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE INDEX events_by_kind ON parts.events (kind) WHERE note IS NOT NULL;
CREATE INDEX events_2026_alone ON parts.events_2026 (note);
CREATE INDEX events_only ON ONLY parts.events (note);
CREATE TRIGGER of_all AFTER INSERT ON parts.events FOR EACH ROW EXECUTE FUNCTION code.touch();
ALTER TABLE parts.events_old DISABLE TRIGGER of_all;
INSERT INTO parts.events
    SELECT n, date '2024-10-01' + n::integer, (ARRAY['a', 'b', 'c', 'd', 'it''s'])[n % 5 + 1], CASE WHEN n % 3 = 0 THEN 'note ' || n END FROM generate_series(1, 600) AS n;
CREATE TABLE parts.seen (event bigint, at date, kind text, PRIMARY KEY (event, at), FOREIGN KEY (event, at, kind) REFERENCES parts.events ON DELETE CASCADE);
INSERT INTO parts.seen SELECT id, at, kind FROM parts.events WHERE id % 50 = 0;
-- A partitioned table that refers to another one, and to itself.
CREATE TABLE parts.follow_ups (
    id bigint, at date, of_id bigint, of_at date, kind text, PRIMARY KEY (id, at), FOREIGN KEY (of_id, of_at) REFERENCES parts.follow_ups,
    CONSTRAINT about FOREIGN KEY (id, at, kind) REFERENCES parts.events DEFERRABLE
) PARTITION BY HASH (id, at);
CREATE TABLE parts.follow_ups_0 PARTITION OF parts.follow_ups FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE parts.follow_ups_1 PARTITION OF parts.follow_ups FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE parts.follow_ups_2 PARTITION OF parts.follow_ups FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO parts.follow_ups SELECT id, at, NULL, NULL, kind FROM parts.events WHERE id <= 20;
UPDATE parts.follow_ups SET (of_id, of_at) = (SELECT id, at FROM parts.events WHERE id = 1) WHERE id = 5;
CREATE TABLE parts.by_mood (mood kinds.mood, n integer) PARTITION BY LIST (mood);
CREATE TABLE parts.by_mood_good PARTITION OF parts.by_mood FOR VALUES IN ('fine', 'so-so');
CREATE TABLE parts.by_mood_null PARTITION OF parts.by_mood FOR VALUES IN (NULL);
CREATE TABLE parts.by_mood_rest PARTITION OF parts.by_mood DEFAULT;
INSERT INTO parts.by_mood VALUES ('fine', 1), (NULL, 2), ('worst', 3);
-- The hash of an enum's value depends on its OID, which differs between databases: dumps by partition cannot be loaded as they are.
CREATE TABLE parts.by_hash_of_mood (mood kinds.mood, n integer) PARTITION BY HASH (mood);
CREATE TABLE parts.by_hash_of_mood_0 PARTITION OF parts.by_hash_of_mood FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts.by_hash_of_mood_1 PARTITION OF parts.by_hash_of_mood FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts.by_hash_of_mood SELECT m, 1 FROM unnest(enum_range(NULL::kinds.mood)) AS m;
CREATE TABLE parts.by_expression (id integer, "a ""word""" text) PARTITION BY RANGE ((id % 10), lower("a ""word""") COLLATE "C" text_pattern_ops);
CREATE TABLE parts.by_expression_1 PARTITION OF parts.by_expression FOR VALUES FROM (0, MINVALUE) TO (5, 'm');
CREATE TABLE parts.by_expression_2 PARTITION OF parts.by_expression FOR VALUES FROM (5, 'm') TO (MAXVALUE, MAXVALUE);
INSERT INTO parts.by_expression VALUES (1, 'B'), (15, 'Z'), (19, 'a');
CREATE TABLE parts.without_partitions (id integer) PARTITION BY LIST (id);
COMMENT ON TABLE parts.events IS 'all of them';
COMMENT ON INDEX parts.events_by_kind IS 'in all parts';

CREATE SCHEMA family;
CREATE TABLE family.parent (id integer PRIMARY KEY, name text NOT NULL DEFAULT 'nobody', CONSTRAINT named CHECK (name <> ''));
CREATE TABLE family.other_parent (id integer, age integer DEFAULT 30, hidden text);
CREATE TABLE family.child (toy text, PRIMARY KEY (id)) INHERITS (family.parent, family.other_parent);
CREATE TABLE family.grandchild (doll text, toy text DEFAULT 'its own') INHERITS (family.child);
INSERT INTO family.parent VALUES (1, 'p');
INSERT INTO family.other_parent VALUES (1, 60, NULL);
INSERT INTO family.child (id, name, toy) VALUES (2, 'c', 'ball');
INSERT INTO family.grandchild (id, name, doll) VALUES (3, 'g', 'doll');
-- One that came to its parent later, with its columns in another order; a column of its own that is also inherited.
CREATE TABLE family.adopted (extra text, name text NOT NULL, id integer NOT NULL, CONSTRAINT named CHECK (name <> ''));
ALTER TABLE family.adopted INHERIT family.parent;
INSERT INTO family.adopted VALUES ('x', 'a', 4);
ALTER TABLE ONLY family.parent ALTER name SET DEFAULT 'only here';
ALTER TABLE family.child ALTER name SET DEFAULT 'a child';
