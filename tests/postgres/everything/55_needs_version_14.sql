-- needs: SELECT current_setting('server_version_num')::integer >= 140000
-- What 14 brought: multiranges, endless numbers, bodies of functions in SQL, compression by column, statistics of expressions.
CREATE TYPE kinds.shifts AS RANGE (SUBTYPE = time, SUBTYPE_DIFF = kinds.minus, MULTIRANGE_TYPE_NAME = kinds.many_shifts);
CREATE TABLE kinds.multiranges (id integer PRIMARY KEY, named kinds.many_shifts, unnamed kinds.hours_multirange);
INSERT INTO kinds.multiranges VALUES (1, '{[08:00,12:00),(13:00,)}', '{(,09:00]}'), (2, '{}', '{}'), (3, NULL, NULL);
CREATE TABLE more_types.multiranges (
    id integer PRIMARY KEY, many_i4 int4multirange, many_i8 int8multirange, many_n nummultirange, many_t tsmultirange,
    many_tz tstzmultirange, many_d datemultirange
);
INSERT INTO more_types.multiranges VALUES
    (1, '{}', '{}', '{}', '{}', '{}', '{}'),
    (2, '{(,)}', '{(,)}', '{(,)}', '{(,)}', '{(,)}', '{(,)}'),
    (3, '{[1,3),[5,9]}', '{(,0),[10,)}', '{[1.1,2.2],(3.3,4.4)}', '{[2026-01-01,2026-02-01),[2026-03-01,)}', '{[-infinity,2026-01-01 00:00+00)}',
     '{[2026-01-01,2026-01-02],[2026-01-04,infinity)}'),
    (4, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO more_types.ranges (id, n) VALUES (10, '[-Infinity,Infinity]');
INSERT INTO numbers.decimals (id, free) VALUES (30, 'Infinity'), (31, '-Infinity');
CREATE FUNCTION code.standard_body(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT CASE WHEN a > b THEN a ELSE b END;
    END;
CREATE TABLE app.compressed (id integer PRIMARY KEY, big text COMPRESSION pglz);
INSERT INTO app.compressed VALUES (1, repeat('b', 9000));
CREATE STATISTICS app.of_expressions (mcv) ON (id % 10), (lower(plain)), typical FROM app.storage;
CREATE INDEX by_spgist_including ON indexes.things USING spgist (host inet_ops) INCLUDE (id);
CREATE INDEX by_brin_multi ON indexes.things USING brin (c timestamptz_minmax_multi_ops (values_per_range = 64), a);
