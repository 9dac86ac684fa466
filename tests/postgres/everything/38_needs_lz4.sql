-- needs: SELECT 'lz4' = ANY (enumvals) FROM pg_settings WHERE name = 'default_toast_compression'
CREATE TABLE texts.lz4 (id integer PRIMARY KEY, long text COMPRESSION lz4);
INSERT INTO texts.lz4 SELECT n, repeat('lz4 ', n * 10000) FROM generate_series(0, 5) AS n;
