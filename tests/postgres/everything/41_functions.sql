-- Functions, procedures, aggregates, operators that tables, indexes, triggers and views need.
CREATE SCHEMA code;
CREATE FUNCTION code.next_number(step integer DEFAULT 1, OUT number integer) LANGUAGE plpgsql AS $body$
BEGIN
    -- A $$ and a '; within.
    number := step + 1;
END
$body$;
CREATE FUNCTION code.lower_bare(word text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
    SET search_path = pg_catalog, "select" SET work_mem = '5MB' AS 'SELECT lower($1)';
CREATE FUNCTION code.is_small(value integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    $$BEGIN RETURN value IS NULL OR value < 1000; END$$;
CREATE FUNCTION code.variadic_one(VARIADIC words text[]) RETURNS SETOF text LANGUAGE sql STABLE ROWS 10 AS 'SELECT unnest(words)';
CREATE FUNCTION code.table_one(n integer) RETURNS TABLE (id integer, "a word" text) LANGUAGE sql SECURITY DEFINER LEAKPROOF
    AS $$SELECT i, 'w' || i FROM generate_series(1, n) AS i$$;
CREATE FUNCTION code.polymorphic(a anyelement, b anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT coalesce($1, $2[1])';
CREATE FUNCTION code."odd "" name; with $$"("odd "" argument" text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE PROCEDURE code.do_nothing(INOUT x integer) LANGUAGE plpgsql AS 'BEGIN x := x; END';
CREATE AGGREGATE code.product(numeric) (SFUNC = numeric_mul, STYPE = numeric, INITCOND = '1');
CREATE FUNCTION code.same_mood(kinds.mood, kinds.mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR code.=== (FUNCTION = code.same_mood, LEFTARG = kinds.mood, RIGHTARG = kinds.mood, COMMUTATOR = OPERATOR(code.===));
CREATE FUNCTION code.backwards(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT btint4cmp($2, $1)';
CREATE OPERATOR CLASS code.backwards_ops FOR TYPE integer USING btree AS
    OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 code.backwards(integer, integer);
CREATE FUNCTION code.touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN coalesce(NEW, OLD); END$$;
CREATE FUNCTION code.must_not_run() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'a trigger ran'; END$$;
CREATE FUNCTION code.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN NULL; END$$;
CREATE TEXT SEARCH DICTIONARY code.plain_words (TEMPLATE = simple, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION code.own_search (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION code.own_search ALTER MAPPING FOR asciiword WITH code.plain_words, english_stem;
COMMENT ON FUNCTION code.is_small(integer) IS 'is it?';
COMMENT ON AGGREGATE code.product(numeric) IS 'all of them';
GRANT EXECUTE ON FUNCTION code.is_small(integer) TO tbk_reader;
REVOKE ALL ON FUNCTION code.table_one(integer) FROM PUBLIC;
