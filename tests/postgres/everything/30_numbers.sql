-- Numbers at their edges.
CREATE SCHEMA numbers;
CREATE TABLE numbers.integers (
    id integer PRIMARY KEY, small smallint, medium integer, large bigint, truth boolean, object oid, "char" "char", paid money
);
INSERT INTO numbers.integers VALUES
    (1, -32768, -2147483648, -9223372036854775808, false, 0, '', '-92233720368547758.08'),
    (2, 32767, 2147483647, 9223372036854775807, true, 4294967295, 'a', '92233720368547758.07'),
    (3, 0, 0, 0, NULL, 2147483648, '~', '0'),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (5, -1, -1, -1, true, 1, '"', '-0.01'),
    (6, 1, 1, 1, true, 1, '\', '1234.56'),
    (7, 1, 1, 1, true, 1, ' ', '0.1');

CREATE TABLE numbers.reals (id integer PRIMARY KEY, single real, double double precision);
INSERT INTO numbers.reals VALUES
    (1, 'NaN', 'NaN'), (2, 'Infinity', 'Infinity'), (3, '-Infinity', '-Infinity'), (4, '-0', '-0'), (5, '0', '0'),
    (6, '1e-45', '4.9406564584124654e-324'), (7, '-1e-45', '-4.9406564584124654e-324'),
    (8, '1.17549421e-38', '2.2250738585072009e-308'), (9, '1.17549435e-38', '2.2250738585072014e-308'),
    (10, '3.4028235e38', '1.7976931348623157e308'), (11, '-3.4028235e38', '-1.7976931348623157e308'),
    (12, '0.1', '0.1'), (13, '0.3', '0.30000000000000004'), (14, '16777217', '9007199254740993'),
    (15, '1e15', '1e15'), (16, '1e16', '1e16'), (17, '123456', '123456789012345678'), (18, NULL, NULL),
    (19, '8.5', '5e-5');
-- NaN with bits of its own, which only the binary form carries: made by receiving them.
CREATE TABLE numbers.odd_nans (id integer PRIMARY KEY, double double precision, single real);
INSERT INTO numbers.odd_nans VALUES (1, 'NaN', 'NaN'), (2, -'NaN'::double precision, -'NaN'::real);

CREATE TABLE numbers.decimals (
    id integer PRIMARY KEY, free numeric, money numeric(15, 2), whole numeric(9, 0), fine numeric(38, 18),
    past_18 numeric(40, 19), longest numeric(1000, 500), key_like numeric(18, 18)
);
INSERT INTO numbers.decimals VALUES
    (1, 'NaN', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN', 'NaN'),
    (4, '0', '0', '0', '0', '0', '0', '0'),
    (5, '-0', '-0.00', '-0', '-0', '-0', '-0', '-0'),
    (6, '1.10', '1.1', '1', '1.1', '1.1', '1.1', '0.999999999999999999'),
    (7, '1.1', '-9999999999999.99', '-999999999', '-99999999999999999999.999999999999999999', '-123456789012345678901.1234567890123456789', '1e499', '-0.999999999999999999'),
    (8, '1.1000000000000000000000000000000000000001', '9999999999999.99', '999999999', '0.000000000000000001', '0.0000000000000000001', '1e-500', '0.000000000000000001'),
    (9, '9223372036854775807', '92233720368.54', '1', '9.223372036854775807', '1', '1', '0.1'),
    (10, '9223372036854775808', '92233720368.55', '1', '9.223372036854775808', '1', '1', '0.1'),
    (11, '-9223372036854775808', '1', '1', '-9.223372036854775808', '1', '1', '0.1'),
    (12, '-9223372036854775809', '1', '1', '-9.223372036854775809', '1', '1', '0.1'),
    (13, '10000', '10000', '10000', '10000', '10000', '10000', '0.0001'),
    (14, '1e10', '100', '100', '1e10', '1e10', '1e10', '0.0001'),
    (15, '1.0e10', '1', '1', '1', '1', '1', '0.5'),
    (16, '0.0000', '1', '1', '1', '1', '1', '0.5'),
    (17, repeat('9', 131072)::numeric, '1', '1', '1', '1', '1', '0.5'),
    (18, ('0.' || repeat('1', 16383))::numeric, '1', '1', '1', '1', '1', '0.5'),
    (19, (repeat('8', 131072) || '.' || repeat('7', 16383))::numeric, '1', '1', '1', '1', '1', '0.5'),
    (20, ('-0.' || repeat('0', 16382) || '1')::numeric, '1', '1', '1', '1', '1', '0.5'),
    (21, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- A column whose type was widened later: its old values still have the old display scale.
CREATE TABLE numbers.widened (id integer PRIMARY KEY, amount numeric(10, 2), share numeric(6, 4));
INSERT INTO numbers.widened VALUES (1, 1.25, 0.5), (2, -7.10, 0.25);
ALTER TABLE numbers.widened ALTER amount TYPE numeric;
INSERT INTO numbers.widened VALUES (3, 1.25000, 1);
