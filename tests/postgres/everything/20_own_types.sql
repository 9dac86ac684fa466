-- Enums, domains, composites, ranges, shell-less base types by way of functions, and values of all of them.
CREATE SCHEMA kinds;
-- Values added out of order: their sort order is not the order of their making.
CREATE TYPE kinds.mood AS ENUM ('fine', 'Bad', '');
ALTER TYPE kinds.mood ADD VALUE 'worst' BEFORE 'fine';
ALTER TYPE kinds.mood ADD VALUE 'so-so' BEFORE 'fine';
ALTER TYPE kinds.mood ADD VALUE 'it''s "ok", \really' AFTER 'fine';
ALTER TYPE kinds.mood ADD VALUE 'größte' ;
ALTER TYPE kinds.mood RENAME VALUE 'Bad' TO 'bad';
COMMENT ON TYPE kinds.mood IS 'how it went';
CREATE TYPE kinds.nothing AS ENUM ();
CREATE TYPE "select"."Enum, with ""quotes"" and spaces" AS ENUM ('a b', 'a,b', '{a}', 'NULL', 'null', '"');

CREATE DOMAIN kinds.positive AS integer CHECK (VALUE > 0);
CREATE DOMAIN kinds.percent AS kinds.positive DEFAULT 50 CONSTRAINT most_100 CHECK (VALUE <= 100);
CREATE DOMAIN kinds.code AS varchar(8) COLLATE app.plain NOT NULL DEFAULT 'none' CHECK (VALUE ~ '^[a-z]*$');
CREATE DOMAIN kinds.price AS numeric(12, 2) CHECK (VALUE >= 0);
CREATE DOMAIN kinds.moods AS kinds.mood[] CHECK (array_ndims(VALUE) = 1);
CREATE DOMAIN kinds.not_checked_yet AS text;
ALTER DOMAIN kinds.not_checked_yet ADD CONSTRAINT later CHECK (VALUE <> '') NOT VALID;
COMMENT ON DOMAIN kinds.percent IS 'a domain over a domain';
COMMENT ON CONSTRAINT most_100 ON DOMAIN kinds.percent IS 'no more than all';

CREATE TYPE kinds.point3 AS (x double precision, y double precision, "z ""axis""" double precision);
CREATE TYPE kinds.nested AS (label text, place kinds.point3, places kinds.point3[], feeling kinds.mood);
CREATE TYPE kinds.no_fields AS ();
CREATE TYPE kinds.lost_a_field AS (a integer, b text, c date);
ALTER TYPE kinds.lost_a_field DROP ATTRIBUTE b;
CREATE DOMAIN kinds.upper_half AS kinds.point3 CHECK ((VALUE).y >= 0);
CREATE TYPE kinds.holds_domain AS (share kinds.percent, halves kinds.upper_half[]);
COMMENT ON COLUMN kinds.nested.place IS 'where';

CREATE FUNCTION kinds.minus(a time, b time) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT
    AS 'SELECT extract(epoch FROM a - b)::double precision';
CREATE TYPE kinds.hours AS RANGE (SUBTYPE = time, SUBTYPE_DIFF = kinds.minus);
CREATE TYPE kinds.words AS RANGE (SUBTYPE = text, COLLATION = "C");
CREATE DOMAIN kinds.open_hours AS kinds.hours CHECK (NOT isempty(VALUE));
CREATE TYPE kinds.only_a_shell;

-- A base type that wraps an existing one: its functions are the server's own.
CREATE TYPE kinds.wrapped;
CREATE FUNCTION kinds.wrapped_in(cstring) RETURNS kinds.wrapped LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION kinds.wrapped_out(kinds.wrapped) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE kinds.wrapped (INPUT = kinds.wrapped_in, OUTPUT = kinds.wrapped_out, LIKE = text);

-- A cast to text that lies: what a type prints is not what this gives.
CREATE FUNCTION kinds.lie(kinds.mood) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT 'a lie'$$;
CREATE CAST (kinds.mood AS text) WITH FUNCTION kinds.lie(kinds.mood);
CREATE FUNCTION kinds.lie(kinds.wrapped) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT 'a lie'$$;
CREATE CAST (kinds.wrapped AS text) WITH FUNCTION kinds.lie(kinds.wrapped) AS ASSIGNMENT;

CREATE TABLE kinds.all_of_them (
    id integer PRIMARY KEY,
    mood kinds.mood,
    moods kinds.mood[],
    odd "select"."Enum, with ""quotes"" and spaces",
    odds "select"."Enum, with ""quotes"" and spaces"[],
    positive kinds.positive,
    percent kinds.percent,
    code kinds.code,
    price kinds.price,
    domain_of_array kinds.moods,
    domains kinds.percent[],
    not_checked_yet kinds.not_checked_yet,
    nested kinds.nested,
    nesteds kinds.nested[],
    no_fields kinds.no_fields,
    lost_a_field kinds.lost_a_field,
    upper_half kinds.upper_half,
    holds_domain kinds.holds_domain,
    hours kinds.hours,
    words kinds.words,
    open_hours kinds.open_hours,
    wrapped kinds.wrapped,
    wrappeds kinds.wrapped[]
);
INSERT INTO kinds.all_of_them VALUES
    (1, 'worst', '{worst,"",bad,NULL,"it''s \"ok\", \\really"}', 'a,b', '{"a b","a,b","{a}","NULL",null,NULL,"\""}',
     1, 100, 'abc', 12.30, '{so-so,größte}', '{1,NULL,100}', 'x',
     ROW('quote " comma , paren ) backslash \ newline
 end', ROW(1.5, '-Infinity', 'NaN'), ARRAY[ROW(1, 2, 3)::kinds.point3, NULL], 'fine'),
     ARRAY[ROW(NULL, NULL, NULL, NULL)::kinds.nested, NULL, ROW('', ROW(NULL, NULL, NULL), '{}', '')::kinds.nested],
     ROW(), ROW(1, '2026-01-31'), ROW(1, 0, -1), ROW(7, ARRAY[ROW(0, 1, 2)::kinds.point3]),
     '[08:00,17:30)', '["a ""b""","c, d")', '(,09:00]', 'as text', '{"a b",NULL}'),
    (2, '', '{}', 'NULL', '{}', 2147483647, 1, '', 0, '{bad}', '{}', NULL, ROW('', NULL, '{}', NULL), '{}',
     NULL, ROW(NULL, NULL), NULL, NULL, 'empty', '[,]', '(,)', '', '{}'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, 'none', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
     'empty', NULL, NULL, NULL);
INSERT INTO kinds.all_of_them (id, mood, moods) VALUES (4, 'bad', '[-1:1]={fine,bad,NULL}'), (5, 'so-so', '{{fine,bad},{"",NULL}}');

-- Types in a table of their own that another table's column holds as a whole row.
CREATE TABLE kinds.rows_as_values (id integer PRIMARY KEY, whole kinds.all_of_them, many kinds.all_of_them[]);
INSERT INTO kinds.rows_as_values SELECT id, a, ARRAY[a, NULL] FROM kinds.all_of_them AS a WHERE id < 3;
