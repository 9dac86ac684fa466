-- What the bench measures on PostgreSQL where it finds no data: small, and of its own. `rows` says how large.
CREATE TABLE kinds (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO kinds SELECT n, 'kind ' || n FROM generate_series(1, 7) AS n;
CREATE TABLE people (id bigint PRIMARY KEY, token uuid NOT NULL, name text NOT NULL, since timestamptz NOT NULL, settings jsonb);
INSERT INTO people
    SELECT n, md5(n::text)::uuid, 'Person ' || n, timestamptz '2024-01-01 00:00+00' + n * interval '7 minutes',
        jsonb_build_object('theme', CASE n % 3 WHEN 0 THEN 'dark' ELSE 'light' END, 'size', n % 20)
    FROM generate_series(1, :rows / 10) AS n;
CREATE TABLE events (
    id bigint PRIMARY KEY, person bigint NOT NULL REFERENCES people, kind integer NOT NULL REFERENCES kinds, at timestamptz NOT NULL,
    place point, amount numeric(10, 2), score double precision, tags text[], note text
);
INSERT INTO events
    SELECT n, 1 + n * 7919 % (:rows / 10), 1 + n % 7, timestamptz '2025-01-01 00:00+00' + n * interval '31 seconds',
        point(n % 360 - 180, n % 180 - 90), (n * 31 % 100000) / 100.0, sin(n), ARRAY['t' || n % 5, 't' || n % 11],
        CASE WHEN n % 4 = 0 THEN md5(n::text) || ' ' || repeat('note ', n % 30) END
    FROM generate_series(1, :rows) AS n;
CREATE INDEX events_person ON events (person, at);
CREATE INDEX events_at ON events (at);
