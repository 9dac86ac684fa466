-- needs: SELECT setting NOT LIKE '%--without-icu%' FROM pg_config WHERE name = 'CONFIGURE'
-- Collations by ICU, one of which takes different texts for the same.
CREATE COLLATION app.no_case (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE COLLATION app.natural (PROVIDER = icu, LOCALE = 'en-u-kn-true');
CREATE TABLE texts.collated (no_case text COLLATE app.no_case PRIMARY KEY, "natural" text COLLATE app.natural, german text COLLATE "de-x-icu");
INSERT INTO texts.collated VALUES ('a', 'a10', 'ä'), ('B', 'a9', 'z'), ('c', 'a1', 'Ä');
CREATE INDEX collated_order ON texts.collated ("natural" COLLATE app.no_case DESC NULLS LAST, german);
CREATE TABLE texts.split_by_icu (part text COLLATE app.natural NOT NULL) PARTITION BY RANGE (part);
CREATE TABLE texts.split_by_icu_1 PARTITION OF texts.split_by_icu FOR VALUES FROM (MINVALUE) TO ('a10');
CREATE TABLE texts.split_by_icu_2 PARTITION OF texts.split_by_icu FOR VALUES FROM ('a10') TO (MAXVALUE);
INSERT INTO texts.split_by_icu VALUES ('a9'), ('a10'), ('a1');
