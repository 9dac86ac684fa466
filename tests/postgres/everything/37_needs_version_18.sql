-- needs: SELECT current_setting('server_version_num')::integer >= 180000
-- What 18 brought: virtual generated columns, named and unchecked NOT NULL, keys without overlaps, constraints not enforced.
CREATE SCHEMA since_18;
CREATE TABLE since_18.computed (
    id integer PRIMARY KEY, price numeric(10, 2), taxed numeric GENERATED ALWAYS AS (price * 1.19) VIRTUAL,
    stored text GENERATED ALWAYS AS (id::text || '!') STORED
);
INSERT INTO since_18.computed (id, price) VALUES (1, 10), (2, NULL);
CREATE TABLE since_18.not_nulls (id integer CONSTRAINT "id is there" NOT NULL, later text, free text CONSTRAINT kept_here NOT NULL NO INHERIT);
INSERT INTO since_18.not_nulls VALUES (1, NULL, '');
ALTER TABLE since_18.not_nulls ADD CONSTRAINT not_checked NOT NULL later NOT VALID;
CREATE TABLE since_18.rooms (room integer, during tstzrange, PRIMARY KEY (room, during WITHOUT OVERLAPS));
INSERT INTO since_18.rooms VALUES (1, '[2026-01-01 00:00+00,2026-01-02 00:00+00)'), (1, '[2026-01-02 00:00+00,)'), (2, '[2026-01-01 00:00+00,)');
CREATE TABLE since_18.bookings (
    id integer PRIMARY KEY, room integer, during tstzrange, FOREIGN KEY (room, PERIOD during) REFERENCES since_18.rooms (room, PERIOD during)
);
INSERT INTO since_18.bookings VALUES (1, 1, '[2026-01-01 12:00+00,2026-01-03 00:00+00)');
CREATE TABLE since_18.not_enforced (
    id integer PRIMARY KEY, CONSTRAINT small CHECK (id < 10) NOT ENFORCED,
    CONSTRAINT elsewhere FOREIGN KEY (id) REFERENCES since_18.computed (id) NOT ENFORCED
);
INSERT INTO since_18.not_enforced VALUES (1), (100);
