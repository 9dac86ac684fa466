-- Texts and bytes.
CREATE SCHEMA texts;
CREATE TABLE texts.strings (
    id integer PRIMARY KEY, plain text, "limited" varchar(20), padded char(8), one char, named name, "unlimited" varchar, blanks bpchar
);
INSERT INTO texts.strings VALUES
    (1, '', '', '', '', '', '', ''),
    (2, E'quote '' double " back \\ tab \t newline \n return \r feed \f bell \x07 del \x7f', E'\\.', E'\\N', E'\\', 'name', E'\n', E'\t'),
    (3, E'\\.\n', E'\\N', 'trail   ', ' ', repeat('n', 63), E'\\\\.', 'trail   '),
    (4, E'\\.', E'\n\\.\n', '  lead', E'\n', E'\\.', E'\b\v', '  both  '),
    (5, 'emoji 🦀 family 👨‍👩‍👧‍👦 flag 🏳️‍🌈', 'é', E'e\u0301', 'ß', 'ünïcode', E'\U0010FFFF', E'\uFEFF'),
    (6, E'\u0001\u001f\u0080\u009f\u00a0\u2028\u2029\ufffe', 'NULL', 'null', 'N', 'NULL', E'\\\\N', 'NULL'),
    (7, repeat('long and easy to compress ', 100000), 'x', 'x', 'x', 'x', 'x', 'x'),
    (8, '-- not a comment', '/* nor this', '$$', '$', '$tag$', '''; DROP TABLE x; --', '"'),
    (9, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (10, 'العربية עברית 中文 ไทย', '中文', '中文', '中', 'עברית', 'ไทย', '中  ');
-- Values that do not compress, beyond a page: they live in the TOAST table.
CREATE TABLE texts.toasted (id integer PRIMARY KEY, hex text, bytes bytea);
INSERT INTO texts.toasted
    SELECT n, (SELECT string_agg(md5(n || ' ' || m), '') FROM generate_series(1, 50 * n * n) AS m),
        (SELECT string_agg(decode(md5(n || '-' || m), 'hex'), '') FROM generate_series(1, 100 * n * n) AS m)
    FROM generate_series(0, 12) AS n;
CREATE TABLE texts.bytes (id integer PRIMARY KEY, raw bytea);
INSERT INTO texts.bytes VALUES
    (1, ''), (2, '\x00'), (3, '\x5c'), (4, '\x5c2e0a'), (5, '\xff00ff'), (6, '\x89504e470d0a1a0a'), (7, NULL),
    (8, (SELECT string_agg(decode(lpad(to_hex(n), 2, '0'), 'hex'), '') FROM generate_series(0, 255) AS n)),
    (9, '\x50 47 43 4f 50 59 0a ff 0d 0a 00');
CREATE TABLE texts.bits (id integer PRIMARY KEY, fixed bit(12), one bit, "varying" varbit(20), unlimited bit varying);
INSERT INTO texts.bits VALUES
    (1, B'101010101010', B'1', B'', B''), (2, B'000000000000', B'0', B'1', B'0'), (3, X'FFF', B'1', X'ABCDE', repeat('10', 500)::varbit),
    (4, NULL, NULL, NULL, NULL);
CREATE TABLE texts.keys_by_text ("key" text PRIMARY KEY, value integer);
INSERT INTO texts.keys_by_text VALUES
    ('', 1), ('a', 2), ('A', 3), ('b', 4), ('ä', 5), ('Z', 6), ('a b', 7), ('a-b', 8), ('ab', 9), (E'\t', 10), ('🦀', 11), (E'\uFFFD', 12);
CREATE TABLE texts.keys_by_blanks ("key" char(4), "second" varchar(4) COLLATE "C", value integer, PRIMARY KEY ("key", "second"));
INSERT INTO texts.keys_by_blanks VALUES ('a', 'x ', 1), ('a', 'x', 2), ('a b', '', 3), (E'a\t', '', 4), ('', '', 5);
