-- needs: SELECT current_setting('server_version_num')::integer >= 170000
-- What 17 brought: endless intervals, a locale provider of the server's own, identity on partitioned tables.
INSERT INTO times.spans VALUES (100, 'infinity', NULL, NULL), (101, '-infinity', NULL, NULL);
CREATE COLLATION app.own_provider (PROVIDER = builtin, LOCALE = 'C.UTF-8');
CREATE TABLE texts.own_provider (id integer PRIMARY KEY, word text COLLATE app.own_provider);
INSERT INTO texts.own_provider VALUES (1, 'ä'), (2, 'Z');
CREATE TABLE app.counted_parts (id bigint GENERATED ALWAYS AS IDENTITY (START WITH 10 INCREMENT BY 5), part integer NOT NULL)
    PARTITION BY LIST (part);
CREATE TABLE app.counted_parts_1 PARTITION OF app.counted_parts FOR VALUES IN (1);
CREATE TABLE app.counted_parts_2 PARTITION OF app.counted_parts FOR VALUES IN (2);
INSERT INTO app.counted_parts (part) VALUES (1), (2), (1);
