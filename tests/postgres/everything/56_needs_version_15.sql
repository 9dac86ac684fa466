-- needs: SELECT current_setting('server_version_num')::integer >= 150000
-- What 15 brought: nulls that are equal, references that set some columns, views by the rights of who reads, parts of tables published.
CREATE TABLE app.equal_nulls (id integer PRIMARY KEY, a integer UNIQUE NULLS NOT DISTINCT);
INSERT INTO app.equal_nulls VALUES (1, NULL), (2, 1);
CREATE UNIQUE INDEX nulls_are_equal ON indexes.things (a, id) NULLS NOT DISTINCT WITH (fillfactor = 50, deduplicate_items = off);
ALTER TABLE app.order_lines ADD CONSTRAINT replaces_or_nothing
    FOREIGN KEY (replaced_customer, replaced_number) REFERENCES app.orders ON DELETE SET NULL (replaced_number);
CREATE TABLE numbers.rounded (id integer PRIMARY KEY, hundreds numeric(5, -2), small numeric(2, 4));
INSERT INTO numbers.rounded VALUES (1, 1234567, 0.0012), (2, 'NaN', NULL), (3, -100, -0.0099);
CREATE VIEW views.by_rights_of_reader WITH (security_barrier, security_invoker = true) AS SELECT id FROM views.simple;
CREATE PUBLICATION tbk_rows FOR TABLE public.plain (id, word) WHERE (id > 5);
CREATE PUBLICATION tbk_schema FOR TABLES IN SCHEMA a;
