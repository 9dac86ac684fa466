-- Indexes of every method and form.
CREATE SCHEMA indexes;
CREATE TABLE indexes.things (
    id integer PRIMARY KEY, a integer, b text, c timestamptz, tags text[], document jsonb, place point, range int4range, words tsvector, host inet,
    "odd ""column""" text
);
INSERT INTO indexes.things
    SELECT n, n % 17, 'b' || n % 5, timestamptz '2026-01-01 00:00+00' + n * interval '1 hour', ARRAY['t' || n % 3], jsonb_build_object('n', n), point(n, -n),
        int4range(n, n + 5), to_tsvector('simple', 'w' || n), ('10.0.0.' || n % 256)::inet, NULL
    FROM generate_series(1, 500) AS n;
CREATE INDEX plain_one ON indexes.things (a);
CREATE INDEX ordered ON indexes.things (a DESC NULLS LAST, b ASC NULLS FIRST, c DESC);
CREATE INDEX hashed ON indexes.things USING hash (b);
CREATE INDEX by_gin ON indexes.things USING gin (tags) WITH (fastupdate = off, gin_pending_list_limit = 128);
CREATE INDEX by_gin_path ON indexes.things USING gin (document jsonb_path_ops);
CREATE INDEX by_gist ON indexes.things USING gist (place, range) WITH (buffering = on);
CREATE INDEX by_spgist ON indexes.things USING spgist (host inet_ops);
CREATE INDEX by_brin ON indexes.things USING brin (c timestamptz_minmax_ops, a) WITH (pages_per_range = 4, autosummarize = on);
CREATE INDEX by_expression ON indexes.things (lower(b), (a + 1), (document ->> 'n'), code.lower_bare("odd ""column"""));
CREATE INDEX partial ON indexes.things (b) WHERE a > 3 AND b IS NOT NULL;
CREATE UNIQUE INDEX including ON indexes.things (id) INCLUDE (b, c);
CREATE INDEX with_opclass ON indexes.things (b text_pattern_ops, a code.backwards_ops);
CREATE INDEX with_collation ON indexes.things (b COLLATE "C" DESC, b COLLATE "select"."order ""by""");
CREATE UNIQUE INDEX with_options ON indexes.things (a, id) WITH (fillfactor = 50, deduplicate_items = off);
CREATE INDEX "Index ""quoted"". with dots" ON indexes.things ("odd ""column""") WHERE "odd ""column""" <> 'it''s';
CREATE INDEX words_gin ON indexes.things USING gin (words);
CREATE INDEX with_trigrams ON indexes.things USING gist (b extensions.gist_trgm_ops (siglen = 32));
ALTER INDEX indexes.by_expression ALTER COLUMN 2 SET STATISTICS 250;
COMMENT ON INDEX indexes.partial IS 'some of them';
-- What a unique index that was built beside running work leaves when it fails: nobody may take it for a valid one.
CREATE TABLE indexes.half_built (id integer PRIMARY KEY, word text);
CREATE UNIQUE INDEX never_finished ON indexes.half_built (word);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'indexes.never_finished'::regclass;
INSERT INTO indexes.half_built VALUES (1, 'a'), (2, 'b');
