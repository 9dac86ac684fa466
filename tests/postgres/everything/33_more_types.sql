-- Every other built-in type, and those of extensions.
CREATE SCHEMA more_types;
CREATE TABLE more_types.uuids (id uuid PRIMARY KEY, other uuid);
INSERT INTO more_types.uuids VALUES
    ('00000000-0000-0000-0000-000000000000', NULL),
    ('ffffffff-ffff-ffff-ffff-ffffffffffff', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'),
    ('80000000-0000-0000-0000-000000000000', '{7fffffff-ffff-ffff-ffff-ffffffffffff}');
CREATE TABLE more_types.jsons (id integer PRIMARY KEY, as_text json, as_tree jsonb, path jsonpath);
INSERT INTO more_types.jsons VALUES
    (1, '{"b":1,  "a":2, "a":3}', '{"b":1,  "a":2, "a":3}', '$'),
    (2, '"\u0041\ud83e\udd80\\ \/ \" \b\f\n\r\t \u0001"', '"\u0041\ud83e\udd80\\ \/ \" \b\f\n\r\t \u0001"', '$.a[*] ? (@ > 1)'),
    (3, '"\u0000"', '"not in jsonb"', 'strict $."a b"'),
    (4, '[1, 1.0, 1.00, 1e2, -0, -0.0, 1E-5, 12345678901234567890123456789.123456789]', '[1, 1.0, 1.00, 1e2, -0, -0.0, 1E-5, 12345678901234567890123456789.123456789]', '$.**'),
    (5, 'null', 'null', NULL), (6, NULL, NULL, NULL), (7, ' { } ', '{}', '$.x.type()'), (8, '[]', '[]', 'lax $[0 to last]'),
    (9, '  true ', '  false ', '$'), (10, '{"":{"":[[[]]]}}', '{"":{"":[[[]]]}}', '$'), (11, '"🦀"', '"🦀"', '$."🦀"');
INSERT INTO more_types.jsons (id, as_tree) SELECT 12, jsonb_agg(jsonb_build_object('n', n, 't', repeat('x', n))) FROM generate_series(1, 300) AS n;
CREATE TABLE more_types.networks (id integer PRIMARY KEY, host inet, net cidr, mac macaddr, mac8 macaddr8);
INSERT INTO more_types.networks VALUES
    (1, '0.0.0.0', '0.0.0.0/0', '00:00:00:00:00:00', '00:00:00:00:00:00:00:00'),
    (2, '192.168.1.5/24', '192.168.1.0/24', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff'),
    (3, '::', '::/0', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05'),
    (4, '::ffff:1.2.3.4', '2001:db8::/32', '08002b:010203', '08002b:010203'),
    (5, 'fe80::1/64', '255.255.255.255/32', NULL, NULL), (6, NULL, NULL, NULL, NULL);
CREATE TABLE more_types.shapes (id integer PRIMARY KEY, point point, line line, segment lseg, box box, path path, polygon polygon, circle circle);
INSERT INTO more_types.shapes VALUES
    (1, '(0,0)', '{1,-1,0}', '[(0,0),(1,1)]', '(1,1),(0,0)', '((0,0),(1,1),(2,0))', '((0,0),(1,1),(2,0))', '<(0,0),1>'),
    (2, '(NaN,Infinity)', '{0,1,-1e300}', '[(-Infinity,0),(0,Infinity)]', '(Infinity,1),(-Infinity,0)', '[(0.1,0.2),(1e-300,1e300)]', '((-0,0))', '<(NaN,0),Infinity>'),
    (3, '(-0,1e-310)', '{1,0,0.30000000000000004}', NULL, '(-1,-1),(-2,-2)', '[(0,0)]', NULL, '<(1,2),0>'),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE more_types.searches (id integer PRIMARY KEY, vector tsvector, query tsquery);
INSERT INTO more_types.searches VALUES
    (1, 'a:1A,2B fat:3C cat''s:4 ''space d'':5 back\\slash:6', '''a b'' & !c | d:*AB <-> e'),
    (2, to_tsvector('english', 'The quick brown foxes jumped over lazy dogs'), to_tsquery('english', 'fox & (dog | !cat) <3> quick')),
    (3, '', ''), (4, NULL, NULL), (5, 'z y x', '''it''''s'''), (6, 'ünï:16383', '!!a');
CREATE TABLE more_types.of_the_system (
    id integer PRIMARY KEY, a_class regclass, a_type regtype, a_role regrole, a_schema regnamespace, a_function regproc,
    a_signature regprocedure, an_operator regoper, a_full_operator regoperator, a_config regconfig, a_dictionary regdictionary,
    a_collation regcollation, lsn pg_lsn, row_id tid, transaction xid, transaction8 xid8, command cid, snapshot pg_snapshot,
    old_snapshot txid_snapshot, vector int2vector, oids oidvector, cursor refcursor
);
INSERT INTO more_types.of_the_system VALUES
    (1, 'pg_class', 'timestamp with time zone', 'postgres', 'pg_catalog', 'pg_catalog.now', 'pg_catalog.abs(integer)',
     'pg_catalog.||/', 'pg_catalog.+(integer,integer)', 'pg_catalog.english', 'pg_catalog.simple', 'pg_catalog."C"',
     'FFFFFFFF/FFFFFFFF', '(4294967295,65535)', '4294967295', '18446744073709551615', '0', '10:20:10,14,15', '10:20:10,14,15',
     '1 -32768 32767', '1 4294967295', 'a cursor'),
    (2, '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0', '0/0', '(0,0)', '0', '0', '4294967295', '1:1:', '1:1:', '', '', ''),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, 'kinds.all_of_them', 'kinds.mood', 'tbk_owner', 'app', '999999', 'kinds.minus(time,time)', '0', '0', '0', '0', 'app.plain',
     '16/B374D848', '(1,1)', '3', '4', '5', '1:3:2', '1:3:2', '5', '6 7', '"');

CREATE TABLE more_types.arrays (
    id integer PRIMARY KEY, numbers integer[], words text[], cube integer[][][], sized integer[3], dates date[], truths boolean[],
    decimals numeric(10, 2)[], bytes bytea[], instants timestamptz[], names name[], documents jsonb[], spans interval[],
    boxes box[], padded char(4)[], reals double precision[]
);
INSERT INTO more_types.arrays VALUES
    (1, '{1,2,NULL,-3}', '{a,"b c",NULL,"NULL","","{}","\"","\\","a,b"," lead","trail ","new\nline","'' 🦀"}', '{{{1,2},{3,4}},{{5,6},{7,NULL}}}',
     '{1,2,3,4,5}', '{infinity,-infinity,2026-01-31,"0044-03-15 BC"}', '{t,f,NULL}', '{1.10,NaN,-0.01}', '{"\\x00ff","\\x",NULL}',
     '{"2026-01-31 12:00:00.5+00",infinity}', '{a,NULL}', '{"{\"a\": [1, null]}","null",NULL}', '{"1 mon",NULL,"-00:00:01"}',
     '{(1,1),(0,0);(2,2),(1,1)}', '{"a   ",ab,"    "}', '{NaN,-0,Infinity,4.9e-324,0.1}'),
    (2, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
    (3, '[0:2]={1,2,3}', '[-5:-4]={x,y}', '[1:1][-2:-1][3:5]={{{1,2,3},{4,5,6}}}', '[2147483646:2147483646]={1}', NULL, '{{t,f},{f,t}}', NULL, NULL, NULL,
     NULL, NULL, NULL, NULL, NULL, NULL),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (5, '{{{{{{1,2}}}}}}', '{NULL,NULL}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

CREATE TABLE more_types.ranges (
    id integer PRIMARY KEY, i4 int4range, i8 int8range, n numrange, t tsrange, tz tstzrange, d daterange, listed int4range[]
);
INSERT INTO more_types.ranges VALUES
    (1, 'empty', 'empty', 'empty', 'empty', 'empty', 'empty', '{}'),
    (2, '(,)', '(,)', '(,)', '(,)', '(,)', '(,)', '{"(,)",empty,NULL}'),
    (3, '[1,5]', '(1,5)', '[1.10,2.0]', '[2026-01-01,2026-02-01)', '[2026-01-01 00:00+00,infinity]', '[2026-01-01,2026-01-31]',
     '{"[1,2)","(,3)"}'),
    (4, '[-2147483648,2147483647)', '[-9223372036854775808,)', '[-1,1e30]', '(,infinity)', '(-infinity,)', '(,infinity)', NULL),
    (5, NULL, NULL, '[NaN,NaN]', NULL, NULL, NULL, NULL);

CREATE TABLE more_types.of_extensions (
    id integer PRIMARY KEY, pairs extensions.hstore, nocase extensions.citext, place extensions.ltree, query extensions.lquery,
    cube extensions.cube, book extensions.isbn13, pair_list extensions.hstore[], ints extensions.query_int, gist_text extensions.citext UNIQUE
);
INSERT INTO more_types.of_extensions VALUES
    (1, '"a b"=>"c, \"d\"", e=>NULL, ""=>"", "f"=>"=>", g=>"\\"', 'MiXeD', 'Top.Science.Astronomy', '*.Astronomy.!pictures@',
     '(1,2,3),(4,5,6)', '978-0-393-04002-9', '{"\"a\"=>\"1\"",NULL}', '1&(2|3)&!4', 'A'),
    (2, '', '', '', '*', '(0.1)', NULL, '{}', '1', 'b'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE INDEX words_alike ON more_types.of_extensions USING gin ((nocase::text) extensions.gin_trgm_ops);
CREATE INDEX pairs_within ON more_types.of_extensions USING gist (pairs);
CREATE INDEX places ON more_types.of_extensions USING gist (place);
CREATE TABLE more_types.keys_of_extensions (
    word extensions.citext, tags extensions.hstore, words extensions.citext[], place extensions.ltree, PRIMARY KEY (word, tags, place)
);
INSERT INTO more_types.keys_of_extensions VALUES
    ('Straße', 'b=>1, a=>2', '{A,a,NULL,"b c"}', 'Top.Science'), ('straße', '', '{}', 'Top'), ('a', 'a=>NULL', '[0:1]={X,y}', ''),
    ('B', '"a b"=>"\"", ""=>""', NULL, 'Top.Science'), ('b', '', '{{a,B},{c,D}}', 'top');
CREATE TABLE more_types.large_values (id integer PRIMARY KEY, bytes bytea, words text, document jsonb, numbers integer[]);
-- One that compresses to little and one that does not; each is moved in many pieces.
INSERT INTO more_types.large_values VALUES
    (1, decode(repeat('00ff10', 2000000), 'hex'), repeat('é🦀 ', 100000), (SELECT jsonb_object_agg(n, repeat('x', 40)) FROM generate_series(1, 40000) AS n),
     (SELECT array_agg(n) FROM generate_series(1, 50000) AS n)),
    (2, (SELECT string_agg(decode(md5(n::text), 'hex'), '') FROM generate_series(1, 250000) AS n), '', '{}', '{}');
