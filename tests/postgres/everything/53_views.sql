-- Views and materialized views that depend on each other.
CREATE SCHEMA views;
CREATE VIEW views.simple AS SELECT id, word AS "a ""word""" FROM public.plain WHERE id < 10;
CREATE VIEW views.on_view WITH (security_barrier) AS SELECT "a ""word""", count(*) AS n FROM views.simple GROUP BY 1 HAVING count(*) > 0;
CREATE VIEW views.checked AS SELECT id, word FROM public.plain WHERE id > 5 WITH LOCAL CHECK OPTION;
CREATE VIEW views.checked_twice AS SELECT * FROM views.checked WHERE id < 500 WITH CASCADED CHECK OPTION;
CREATE RECURSIVE VIEW views.counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 10;
CREATE VIEW views.by_function AS SELECT t.id, t."a word", m.n FROM code.table_one(3) AS t, LATERAL (SELECT t.id * 2 AS n) AS m;
-- The key makes the other columns depend on the group: such a view needs the primary key itself.
CREATE VIEW views.needs_key AS SELECT id, word FROM public.plain GROUP BY id;
CREATE VIEW views.with_defaults AS SELECT id, b FROM guarded.triggered;
ALTER VIEW views.with_defaults ALTER COLUMN b SET DEFAULT 'from the view';
CREATE VIEW views.no_columns AS SELECT FROM public.plain;
-- Two views that need each other, which can only come of replacing one.
CREATE VIEW views.round_1 AS SELECT 1 AS n;
CREATE VIEW views.round_2 AS SELECT n FROM views.round_1;
CREATE OR REPLACE VIEW views.round_1 AS SELECT 2 AS n WHERE EXISTS (SELECT FROM public.plain);
-- A function that reads a view which calls the function.
CREATE FUNCTION views.of_circle() RETURNS bigint LANGUAGE plpgsql STABLE AS $$BEGIN RETURN (SELECT count(*) FROM views.circle); END$$;
CREATE VIEW views.circle AS SELECT 1 AS one WHERE false AND views.of_circle() > 0;
-- A function whose arguments are the rows of a view and of a table.
CREATE FUNCTION views.takes_row(public.plain) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.word';
CREATE FUNCTION views.takes_view_row(views.simple) RETURNS text LANGUAGE sql STABLE AS 'SELECT $1."a ""word"""';
CREATE VIEW views.by_row AS SELECT views.takes_row(p) AS word FROM public.plain AS p;
CREATE MATERIALIZED VIEW views.zz_first AS SELECT id, word FROM public.plain WHERE id % 100 = 0;
CREATE UNIQUE INDEX first_key ON views.zz_first (id);
CREATE INDEX first_word ON views.zz_first (lower(word)) WHERE id > 1;
CREATE MATERIALIZED VIEW views.aa_second WITH (fillfactor = 80) AS SELECT count(*) AS n, max(id) AS most FROM views.zz_first;
CREATE VIEW views.on_materialized AS SELECT n FROM views.aa_second;
CREATE MATERIALIZED VIEW views.mm_third AS SELECT n + 1 AS n FROM views.on_materialized;
CREATE MATERIALIZED VIEW views.not_filled AS SELECT 1 AS one WITH NO DATA;
CREATE STATISTICS views.of_first ON id, word FROM views.zz_first;
COMMENT ON VIEW views.simple IS 'simple';
COMMENT ON COLUMN views.simple."a ""word""" IS 'the word';
COMMENT ON MATERIALIZED VIEW views.zz_first IS 'first';
ALTER MATERIALIZED VIEW views.zz_first OWNER TO tbk_owner;
GRANT SELECT ON public.plain TO tbk_owner;
