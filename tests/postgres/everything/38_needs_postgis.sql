-- needs: SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgis')
-- PostGIS: shapes of every dimension, what is empty, types that say what they hold, and rows of users in a table of the extension.
CREATE SCHEMA places;
CREATE EXTENSION postgis SCHEMA places;
-- A system of reference of one's own: beside the thousands that the extension brings, this is a user's row.
INSERT INTO places.spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES (990001, 'tabark', 1, 'LOCAL_CS["here"]', '+proj=merc');
CREATE TABLE places.shapes (
    id integer PRIMARY KEY, any_shape places.geometry, "point in metres" places.geometry(Point, 3857), height places.geometry(PointZ, 4326),
    measured places.geometry(LineStringM), all_four places.geometry(GeometryZM, 4326), "where" places.geography, area places.geography(MultiPolygon, 4326),
    own places.geometry(Point, 990001), many places.geometry[], regions places.geography(Polygon)[], flat places.box2d, solid places.box3d
);
SET search_path = places, pg_catalog;
INSERT INTO shapes VALUES
    (1, 'POINT(1 2)', 'SRID=3857;POINT(-0 1e300)', 'SRID=4326;POINT Z (1 2 3)', 'LINESTRING M (0 0 1, 1 1 2)', 'SRID=4326;POINT ZM (1 2 3 4)',
     'POINT(-179.999999999 89.5)', 'MULTIPOLYGON(((0 0,0 1,1 1,0 0)))', 'SRID=990001;POINT(0.1 0.2)',
     ARRAY['POINT EMPTY', NULL, 'SRID=4326;POINT(0.30000000000000004 4.9e-324)']::geometry[], ARRAY['POLYGON((0 0,0 1,1 1,0 0))', NULL]::geography[],
     'BOX(0 0, 1 1)', 'BOX3D(0 0 0, 1 1 1)'),
    (2, 'POINT EMPTY', 'SRID=3857;POINT EMPTY', 'SRID=4326;POINT Z EMPTY', 'LINESTRING M EMPTY', 'SRID=4326;GEOMETRYCOLLECTION ZM EMPTY', 'POINT EMPTY',
     'MULTIPOLYGON EMPTY', 'SRID=990001;POINT EMPTY', '{}', '{}', NULL, NULL),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, 'SRID=4326;GEOMETRYCOLLECTION(POINT(1 2),LINESTRING EMPTY,POLYGON((0 0,0 9,9 9,0 0),(1 2,1 3,2 3,1 2)))', NULL, NULL, NULL,
     'SRID=4326;MULTIPOINT ZM ((1 2 3 4),(5 6 7 8))', 'SRID=4267;LINESTRING(0 0,90 45)', NULL, NULL, '[0:1]={POINT(1 1):POINT(2 2)}', NULL, NULL, NULL),
    (5, 'CIRCULARSTRING(0 0,1 1,2 0)', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (6, 'TIN(((0 0 0,0 0 1,0 1 0,0 0 0)))', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (7, 'CURVEPOLYGON(COMPOUNDCURVE(CIRCULARSTRING(0 0,1 1,2 0),(2 0,0 0)))', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (8, ST_MakePoint('NaN', 'Infinity'), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (9, ST_Buffer('POINT(0 0)', 1, 'quad_segs=2000'), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
RESET search_path;
CREATE INDEX shapes_near ON places.shapes USING gist (any_shape);
CREATE INDEX shapes_near_in_space ON places.shapes USING gist (all_four places.gist_geometry_ops_nd);
CREATE INDEX shapes_on_earth ON places.shapes USING gist ("where");
CREATE INDEX shapes_extent ON places.shapes (places.ST_NPoints(any_shape)) WHERE NOT places.ST_IsEmpty(any_shape);
-- Two shapes are the same key only bit by bit, and in no order that people would name.
CREATE TABLE places.by_shape (shape places.geometry PRIMARY KEY, name text);
INSERT INTO places.by_shape VALUES ('POINT(1 1)', 'a'), ('POINT(0 0)', 'b'), ('LINESTRING(0 0,1 1)', 'c'), ('SRID=4326;POINT(1 1)', 'd');
CREATE VIEW places.areas AS SELECT id, places.ST_Area(area) AS square_metres, area FROM places.shapes WHERE area IS NOT NULL;
