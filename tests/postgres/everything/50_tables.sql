-- Tables: names, columns, defaults, constraints, storage.
CREATE TABLE public.plain (id integer PRIMARY KEY, word text);
INSERT INTO public.plain SELECT n, 'word ' || n FROM generate_series(1, 1000) AS n;
CREATE TABLE public."a.b" (id integer PRIMARY KEY, "c.d" text);
INSERT INTO public."a.b" VALUES (1, 'dots');
CREATE SCHEMA a;
CREATE TABLE a.b (id integer PRIMARY KEY);
INSERT INTO a.b VALUES (2);
CREATE TABLE "select"."table" ("from" integer, "where" text, "order" date, "USER" text, "user" text, PRIMARY KEY ("from", "where"));
INSERT INTO "select"."table" VALUES (1, 'x', '2026-01-31', 'upper', 'lower');
CREATE TABLE "Schema with ""quotes"", spaces. And ünïcode 🦀"."Table ""quoted"", 'single' and \backslash" (
    "Column with ""quotes""" integer PRIMARY KEY, "new
line" text DEFAULT 'new
line', "$1" text, "%s %I" text, "tab	" text, "🦀" text, " " text, "a row" text, "ctid " text
);
INSERT INTO "Schema with ""quotes"", spaces. And ünïcode 🦀"."Table ""quoted"", 'single' and \backslash" ("Column with ""quotes""") VALUES (1);
CREATE TABLE "line
break; DROP SCHEMA app CASCADE; --"."x
\connect postgres
\! touch /tmp/tabark-was-fooled
-- " (id integer PRIMARY KEY, "y
\! false" text);
INSERT INTO "line
break; DROP SCHEMA app CASCADE; --"."x
\connect postgres
\! touch /tmp/tabark-was-fooled
-- " VALUES (1, E'\\! false\n\\.\n');
COMMENT ON TABLE "line
break; DROP SCHEMA app CASCADE; --"."x
\connect postgres
\! touch /tmp/tabark-was-fooled
-- " IS 'x
\! false';
CREATE TABLE app."exactly 63 bytes is the longest name that a table here can have." (id integer);

CREATE TABLE app.no_columns ();
INSERT INTO app.no_columns DEFAULT VALUES;
INSERT INTO app.no_columns DEFAULT VALUES;
CREATE TABLE app.lost_all_columns (a integer, b text);
INSERT INTO app.lost_all_columns VALUES (1, 'a'), (2, 'b'), (3, 'c');
ALTER TABLE app.lost_all_columns DROP COLUMN a, DROP COLUMN b;
CREATE TABLE app.dropped_columns (a integer, b text, c integer NOT NULL, d date);
INSERT INTO app.dropped_columns VALUES (1, 'b', 3, '2026-01-31');
ALTER TABLE app.dropped_columns DROP COLUMN a, DROP COLUMN d, ADD COLUMN e text DEFAULT 'filled in', ADD PRIMARY KEY (c);
INSERT INTO app.dropped_columns VALUES ('bb', 4, 'ee');
CREATE TABLE app.no_rows (id integer PRIMARY KEY, word text);
CREATE TABLE app.no_key (id integer, word text);
INSERT INTO app.no_key VALUES (1, 'same'), (1, 'same'), (1, 'same'), (NULL, NULL), (NULL, NULL), (2, '');
CREATE UNLOGGED TABLE app.not_logged (id integer PRIMARY KEY, word text);
INSERT INTO app.not_logged VALUES (1, 'kept while nothing crashes');
CREATE TABLE app.named_t (t text, tableoid_ text, row_number integer);
INSERT INTO app.named_t VALUES ('t', 'x', 1);
CREATE TABLE app.of_type OF kinds.point3 (x WITH OPTIONS PRIMARY KEY, y DEFAULT 7);
INSERT INTO app.of_type VALUES (1, 2, 3), (2, DEFAULT, NULL);

CREATE TABLE app.defaults (
    id integer PRIMARY KEY, fixed text NOT NULL DEFAULT 'it''s; "fixed" \', now timestamptz DEFAULT now(), today date DEFAULT CURRENT_DATE,
    who name DEFAULT CURRENT_USER, token uuid DEFAULT gen_random_uuid(), number integer DEFAULT code.next_number(5),
    list text[] DEFAULT ARRAY['a', 'b']::text[], mood kinds.mood DEFAULT 'so-so', nothing text DEFAULT NULL, share kinds.percent,
    document jsonb DEFAULT '{"a": 1}', bits bit(3) DEFAULT B'101', bytes bytea DEFAULT '\x00ff', span interval DEFAULT '1 day',
    negative integer DEFAULT -1, calculated integer DEFAULT (1 + 2) * 3, class regclass DEFAULT 'app.no_rows'::regclass
);
INSERT INTO app.defaults (id) VALUES (1);
ALTER TABLE app.defaults ADD COLUMN added_later integer NOT NULL DEFAULT 5;
CREATE TABLE app.generated (
    id integer PRIMARY KEY, width integer, height integer, area integer GENERATED ALWAYS AS (width * height) STORED,
    "the label" text GENERATED ALWAYS AS ('#' || id::text) STORED, bare text GENERATED ALWAYS AS (code.lower_bare('ABC')) STORED
);
INSERT INTO app.generated (id, width, height) VALUES (1, 2, 3), (2, NULL, 3);
-- A generated column before the others, and one that nothing else stands beside.
CREATE TABLE app.generated_first (twice integer GENERATED ALWAYS AS (n * 2) STORED, n integer);
INSERT INTO app.generated_first (n) VALUES (1), (2);
CREATE TABLE app.generated_alone (three integer GENERATED ALWAYS AS (1 + 2) STORED);
INSERT INTO app.generated_alone DEFAULT VALUES;

CREATE TABLE app.checks (
    id integer PRIMARY KEY, a integer CONSTRAINT "a is positive" CHECK (a > 0), b integer CHECK (code.is_small(b)), c text,
    CONSTRAINT "both" CHECK (a < b OR c IS NULL), CONSTRAINT here_only CHECK (c <> '') NO INHERIT
);
INSERT INTO app.checks VALUES (1, 1, 2, 'x'), (2, NULL, NULL, NULL);
ALTER TABLE app.checks ADD CONSTRAINT not_looked_at CHECK (id > 1) NOT VALID;
CREATE TABLE app.uses_operator (mood kinds.mood CHECK (mood OPERATOR(code.===) 'fine'));
INSERT INTO app.uses_operator VALUES ('fine'), (NULL);
CREATE TABLE app.uniques (
    id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, a integer UNIQUE, b text, c text,
    CONSTRAINT "b and c" UNIQUE (b, c) INCLUDE (id) WITH (fillfactor = 70), UNIQUE (c) DEFERRABLE
);
INSERT INTO app.uniques VALUES (1, NULL, NULL, 'x'), (2, 1, NULL, 'y');
CREATE TABLE app.unique_not_null (a integer NOT NULL, b text COLLATE "C" NOT NULL, CONSTRAINT its_key UNIQUE (b, a));
INSERT INTO app.unique_not_null VALUES (1, 'b'), (2, 'a');
CREATE TABLE app.key_from_index (id integer NOT NULL, word text);
CREATE UNIQUE INDEX its_index ON app.key_from_index (id) INCLUDE (word);
ALTER TABLE app.key_from_index ADD CONSTRAINT key_of_index PRIMARY KEY USING INDEX its_index;
INSERT INTO app.key_from_index VALUES (2, 'b'), (1, 'a');
CREATE TABLE app.bookings (
    room integer, during tstzrange, cancelled boolean NOT NULL DEFAULT false,
    CONSTRAINT one_at_a_time EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (NOT cancelled) DEFERRABLE INITIALLY DEFERRED,
    EXCLUDE USING btree (room WITH =, lower(during) WITH =) INCLUDE (cancelled)
);
INSERT INTO app.bookings VALUES (1, '[2026-01-01 00:00+00,2026-01-02 00:00+00)'), (1, '[2026-01-02 00:00+00,)'), (2, 'empty');

CREATE TABLE app.people (id integer PRIMARY KEY, boss integer REFERENCES app.people, friend integer, CONSTRAINT "a friend" FOREIGN KEY (friend) REFERENCES app.people (id) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO app.people VALUES (1, 1, 3), (2, 1, 1), (3, 2, 2);
CREATE TABLE app.hens (id integer PRIMARY KEY, egg integer NOT NULL);
CREATE TABLE app.eggs (id integer PRIMARY KEY, hen integer NOT NULL CONSTRAINT laid_by REFERENCES app.hens);
ALTER TABLE app.hens ADD CONSTRAINT came_from FOREIGN KEY (egg) REFERENCES app.eggs DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO app.hens VALUES (1, 10), (2, 20);
INSERT INTO app.eggs VALUES (10, 2), (20, 1);
COMMIT;
CREATE TABLE app.orders (customer integer, number integer, note text, PRIMARY KEY (customer, number));
CREATE TABLE app.order_lines (
    customer integer, number integer, line integer, note text DEFAULT 'none', PRIMARY KEY (customer, number, line),
    CONSTRAINT of_order FOREIGN KEY (customer, number) REFERENCES app.orders ON UPDATE CASCADE ON DELETE RESTRICT,
    gift_customer integer, gift_number integer,
    CONSTRAINT as_gift FOREIGN KEY (gift_customer, gift_number) REFERENCES app.orders MATCH FULL ON DELETE SET NULL,
    replaced_customer integer NOT NULL DEFAULT 1, replaced_number integer,
    CONSTRAINT replaces FOREIGN KEY (replaced_customer, replaced_number) REFERENCES app.orders ON DELETE SET DEFAULT
);
INSERT INTO app.orders VALUES (1, 1, 'first'), (1, 2, NULL);
INSERT INTO app.order_lines (customer, number, line, replaced_number) VALUES (1, 1, 1, 2), (1, 1, 2, NULL);
CREATE TABLE app.plain_target (id integer PRIMARY KEY);
CREATE TABLE app.orphans (id integer PRIMARY KEY, parent integer);
INSERT INTO app.orphans VALUES (1, 999);
ALTER TABLE app.orphans ADD CONSTRAINT not_looked_at FOREIGN KEY (parent) REFERENCES app.plain_target (id) NOT VALID;

CREATE TABLE app.storage (
    id integer PRIMARY KEY, plain text, main text, ext text, big text, typical integer
) WITH (fillfactor = 60, autovacuum_enabled = false, toast.autovacuum_enabled = false, parallel_workers = 2);
ALTER TABLE app.storage ALTER plain SET STORAGE PLAIN, ALTER main SET STORAGE MAIN, ALTER ext SET STORAGE EXTERNAL,
    ALTER typical SET STATISTICS 500, ALTER typical SET (n_distinct = -0.5);
INSERT INTO app.storage VALUES (1, 'p', 'm', repeat('e', 9000), repeat('b', 9000), 5);
CREATE STATISTICS app.of_storage (dependencies, ndistinct) ON id, typical FROM app.storage;
CREATE STATISTICS app."odd statistics" (mcv) ON id, plain, typical FROM app.storage;
ALTER STATISTICS app.of_storage SET STATISTICS 300;
COMMENT ON STATISTICS app.of_storage IS 'what goes together';
CREATE TABLE app.clustered (id integer PRIMARY KEY, word text);
INSERT INTO app.clustered VALUES (3, 'a'), (1, 'c'), (2, 'b');
CREATE INDEX by_word ON app.clustered (word);
ALTER TABLE app.clustered CLUSTER ON by_word;
CREATE TABLE app.replica_full (a integer); ALTER TABLE app.replica_full REPLICA IDENTITY FULL;
CREATE TABLE app.replica_nothing (a integer); ALTER TABLE app.replica_nothing REPLICA IDENTITY NOTHING;
CREATE TABLE app.replica_index (a integer NOT NULL);
CREATE UNIQUE INDEX replica_by ON app.replica_index (a);
ALTER TABLE app.replica_index REPLICA IDENTITY USING INDEX replica_by;
CREATE TABLE app.other_method (a integer) USING heap;

COMMENT ON TABLE public.plain IS 'plain; with ''quotes''';
COMMENT ON COLUMN public."a.b"."c.d" IS E'two\nlines';
COMMENT ON CONSTRAINT "both" ON app.checks IS 'both';
COMMENT ON INDEX app.by_word IS 'by word';
