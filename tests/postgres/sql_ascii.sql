-- For a database whose encoding is SQL_ASCII: the server takes any bytes for text, in rows and in names.
CREATE TABLE bytes (id integer PRIMARY KEY, word text, padded char(4), words text[]);
INSERT INTO bytes VALUES
    (1, E'\xff\xfe', E'\xe9', ARRAY[E'\xff', 'plain']), (2, E'latin \xe9\xe8', E'\xc3', NULL), (3, E'utf-8 \xc3\xa9', 'abcd', '{}'),
    (4, E'half \xf0\x9f', NULL, NULL), (5, 'plain', 'a', '{a}'), (6, E'\x80', E'\x80\x81', NULL);
CREATE TABLE keys (word text PRIMARY KEY, n integer DEFAULT 1);
INSERT INTO keys VALUES (E'\xff'), ('a'), (E'\xc3\xa9'), (E'\xe9'), ('');
CREATE TYPE moods AS ENUM ('fine');
DO $$BEGIN EXECUTE E'ALTER TABLE keys ADD COLUMN "caf\xe9" text DEFAULT ''\xe9'''; EXECUTE E'CREATE TABLE "\xe9t\xe9" (id integer)'; END$$;
