-- needs: SELECT current_setting('server_version_num')::integer >= 160000
-- Before 16, a "char" above 127 was printed as a byte that is no text.
CREATE TABLE numbers.high_chars (id integer PRIMARY KEY, "char" "char");
INSERT INTO numbers.high_chars VALUES (1, (-1)::"char"), (2, (-128)::"char"), (3, (127)::"char"), (4, 0::"char");
CREATE TABLE numbers.literals (a integer DEFAULT 0x1F, b bigint DEFAULT 1_000_000);
INSERT INTO numbers.literals DEFAULT VALUES;
CREATE TABLE times.endless_spans (id integer PRIMARY KEY, stored_main text STORAGE MAIN);
