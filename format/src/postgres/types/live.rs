//! Values of every type beside the servers' own idea of them.

#[cfg(all(test, unix))]
mod tests {
    use super::super::{ColumnType, CopyColumn, CopyForm, CopyReader, CopyWriter, TypeFacts};
    use crate::error::Result;
    use crate::model::Cell;
    use crate::postgres::client::Client;
    use crate::postgres::settings::ConnectionSettings;
    use crate::test_servers::postgres::servers;

    /// Types and values of them, as SQL writes both.
    const VALUES: &[(&str, &[&str])] = &[
        ("boolean", &["true", "false"]),
        ("smallint", &["-32768", "0", "32767"]),
        ("integer", &["-2147483648", "0", "2147483647"]),
        ("bigint", &["-9223372036854775808", "0", "9223372036854775807"]),
        ("oid", &["0", "4294967295"]),
        ("money", &["'-92233720368547758.08'", "0", "'1234567.89'"]),
        (
            "real",
            &["0", "'-0'", "1.1", "'NaN'", "'Infinity'", "'-Infinity'", "1e-45", "3.4028235e38", "0.1", "16777216"],
        ),
        (
            "float8",
            &["0", "'-0'", "1.1", "'NaN'", "'Infinity'", "'-Infinity'", "5e-324", "1.7976931348623157e308", "1e23"],
        ),
        ("text", &["''", "'a'", "E'tab\\t, line\\n, \\\\, \\r\\b\\f\\v'", "'é日本'", "'\\N'", "'\\.'"]),
        ("varchar(5)", &["''", "'abcde'", "'a '"]),
        ("character(5)", &["''", "'abc'", "' a'"]),
        ("name", &["'x'", "''"]),
        ("\"char\"", &["'a'", "''", "'\\'", "E'\\n'"]),
        ("bytea", &["''", "'\\x00ff5c0a'", "decode(repeat('ab', 5000), 'hex')"]),
        (
            "date",
            &[
                "'infinity'",
                "'-infinity'",
                "'4714-11-24 BC'",
                "'5874897-12-31'",
                "'0001-12-31 BC'",
                "'0001-01-01'",
                "'2024-02-29'",
                "'1999-12-31'",
                "'2000-01-01'",
                "'1970-01-01'",
                "'10000-01-01'",
            ],
        ),
        ("time", &["'00:00'", "'24:00'", "'23:59:59.999999'", "'12:34:56.7'"]),
        (
            "timestamp",
            &[
                "'infinity'",
                "'-infinity'",
                "'4714-11-24 00:00 BC'",
                "'294276-12-31 23:59:59.999999'",
                "'294247-01-10 04:00:54.775807'",
                "'294247-01-10 04:00:54.775808'",
                "'0044-03-15 12:00:00.000001 BC'",
                "'1999-12-31 23:59:59.999999'",
                "'2024-02-29 12:00'",
            ],
        ),
        (
            "timestamptz",
            &[
                "'infinity'",
                "'-infinity'",
                "'4714-11-24 00:00+00 BC'",
                "'294276-12-31 23:59:59.999999+00'",
                "'294247-01-10 04:00:54.775808+00'",
                "'2026-03-01 12:00:00.5+05:30'",
                "'0001-01-01 00:00+00'",
            ],
        ),
        ("timetz", &["'12:00:00.5+05:30'", "'24:00-15:59'"]),
        ("uuid", &["'00000000-0000-0000-0000-000000000000'", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'"]),
        ("json", &["'{\"a\" :  [1, 2]}'", "'null'", "'\"\\u00e9\"'"]),
        ("jsonb", &["'{\"a\" :  [1, 2.50]}'", "'null'", "'\"a\\nb\"'"]),
        ("xml", &[]),
        (
            "numeric",
            &[
                "0",
                "0.0",
                "0.000",
                "-1",
                "1.50",
                "10000",
                "99999999",
                "0.0001",
                "-0.00010",
                "12345.6789",
                "'NaN'",
                "9223372036854775807",
                "-9223372036854775808",
                "9223372036854775808",
                "1e131071",
                "('0.' || repeat('1234567890', 1638) || '123')::numeric",
                "1e-16383",
                "100000000.00000001",
                "0.10000000000000000000000000001",
                "repeat('9', 131072)::numeric",
            ],
        ),
        ("numeric(10,2)", &["0", "-0.05", "12345678.9", "99999999.99", "-99999999.99", "'NaN'", "100", "10000"]),
        (
            "numeric(38,10)",
            &[
                "0",
                "922337203.6854775807",
                "-922337203.6854775808",
                "9999999999999999999999999999.0123456789",
                "0.0000000001",
            ],
        ),
        ("numeric(18,18)", &["0", "0.000000000000000001", "-0.999999999999999999", "0.5"]),
        ("numeric(19,18)", &["9.223372036854775807", "-9.223372036854775808", "9.9", "1", "-1.000000000000000001"]),
        ("numeric(30,20)", &["1.00000000000000000001", "0"]),
        ("numeric(5,0)", &["12345", "0", "-1"]),
        (
            "interval",
            &[
                "'0'",
                "'1 year'",
                "'-1 year'",
                "'1 mon -1 day'",
                "'-1 mon 1 day'",
                "'1 year 2 mons 3 days 04:05:06.789'",
                "'-04:05:06.7'",
                "'1 day -00:00:01'",
                "'-1 day 00:00:01'",
                "'178956970 years 7 mons'",
                "'-178956970 years -8 mons'",
                "'2147483647 days'",
                "'-1 year 1 mon'",
                "'100:00:00'",
                "'00:00:00.000001'",
                "'-1 mon +1 day -00:00:00.5'",
                "'1 day 1 mon'",
                "'-5 days'",
            ],
        ),
        ("mood", &["'sad'", "'very happy, \"\"'"]),
        (
            "inet",
            &[
                "'1.2.3.4'",
                "'1.2.3.4/8'",
                "'::1'",
                "'fe80::1:2/64'",
                "'::ffff:1.2.3.4'",
                "'0.0.0.0/0'",
                "'2001:db8::/32'",
                "'::1.2.3.4/96'",
            ],
        ),
        ("cidr", &["'10.0.0.0/8'", "'1.2.3.4/32'", "'2001:db8::/32'", "'::/0'"]),
        ("macaddr", &["'08:00:2b:01:02:03'"]),
        ("macaddr8", &["'08:00:2b:01:02:03:04:05'"]),
        ("bit(5)", &["'10101'", "'00000'"]),
        ("varbit", &["''", "'1'", "'10101010'", "'101010101'"]),
        (
            "integer[]",
            &[
                "'{}'",
                "'{1,NULL,-3}'",
                "'{{1,2},{3,4}}'",
                "'[0:2]={1,2,3}'",
                "'[-1:0][5:6]={{1,2},{3,NULL}}'",
                "'{{{{{{1}}}}}}'",
            ],
        ),
        (
            "text[]",
            &[
                "'{}'",
                "'{\"\"}'",
                "'{\"NULL\",NULL,null}'",
                "array['a,b', 'c\"d', 'e\\f', ' g ', '{h}', E'i\\nj', 'é']",
                "'{{a},{b}}'",
            ],
        ),
        ("float8[]", &["'{NaN,-Infinity,1e300,5e-324,-0,0.1}'"]),
        ("real[]", &["'{NaN,Infinity,1e-45,0.1}'"]),
        ("boolean[]", &["'{t,f,NULL}'"]),
        ("date[]", &["'{infinity,\"0044-03-15 BC\",2024-02-29}'"]),
        (
            "timestamptz[]",
            &[
                "'{infinity,-infinity,\"2026-03-01 12:00:00.5+00\",\"294276-12-31 23:59:59.999999+00\",\"0044-03-15 00:00+00 BC\"}'",
            ],
        ),
        ("numeric[]", &["'{1.50,NaN,-0.0001,123456789012345678901234567890}'"]),
        ("numeric(10,2)[]", &["'{1.50,2}'"]),
        ("uuid[]", &["'{00000000-0000-0000-0000-000000000001}'"]),
        ("bytea[]", &["array['\\x00ff'::bytea, '']"]),
        ("jsonb[]", &["array['{\"a\": \"b,c\"}'::jsonb]"]),
        ("interval[]", &["'{\"1 day 02:00:00\",NULL}'"]),
        ("time[]", &["'{12:00:00.5}'"]),
        ("varchar(3)[]", &["'{abc,NULL}'"]),
        ("inet[]", &["'{1.2.3.4/8,::1}'"]),
        ("mood[]", &["'{sad,\"very happy, \\\"\\\"\"}'"]),
        ("money[]", &["'{1.50,\"1,234.00\"}'"]),
        ("short", &["'abc'", "''"]),
        ("short[]", &["'{abc,NULL}'"]),
        ("price", &["12.5", "0"]),
        ("prices", &["'{12.5,3}'"]),
        ("pair", &["row(1, 'a,b')", "row(null, '')"]),
        ("pair[]", &["array[row(1, 'a')::pair]"]),
        ("int4range", &["'[1,5)'", "'empty'", "'(,)'"]),
        ("tsvector", &["'a:1 b:2,3A'"]),
        ("tsquery", &["'a & !b'"]),
        ("point", &["'(1.1,-2)'"]),
        ("box", &["'(1,1),(0,0)'"]),
        ("box[]", &["'{(1,1),(0,0);(2,2),(1,1)}'"]),
        ("pg_lsn", &["'16/B374D848'"]),
        ("int2vector", &["'1 2 3'"]),
        ("oidvector", &["'1 2 3'"]),
        ("regclass", &["'pg_class'::regclass"]),
        ("jsonpath", &["'$.a[*]'"]),
        ("xid8", &["'18446744073709551615'"]),
        ("tid", &["'(1,2)'"]),
    ];

    /// The same, each since a version.
    const NEWER_VALUES: &[(u32, &str, &[&str])] = &[
        (140_000, "numeric", &["'Infinity'", "'-Infinity'", "1.50"]),
        (140_000, "int4multirange", &["'{[1,3),[5,7)}'"]),
        // More hours than an i32 holds were not read before.
        (150_000, "interval", &["'2562047788:00:54.775807'", "'-2562047788:00:54.775807'"]),
        (150_000, "numeric(5,-2)", &["1234500", "100", "0"]),
    ];

    const SETUP: &str =
        "SET DateStyle = ISO; SET IntervalStyle = postgres; SET TimeZone = UTC; SET extra_float_digits = 3;
    SET bytea_output = hex; SET lc_monetary = 'C';
    CREATE TEMPORARY TABLE seen (n int);
    CREATE TYPE pg_temp.mood AS ENUM ('sad', 'very happy, \"\"');
    CREATE TYPE pg_temp.pair AS (a int, b text);
    CREATE DOMAIN pg_temp.short AS varchar(3);
    CREATE DOMAIN pg_temp.priceless AS numeric(6,2);
    CREATE DOMAIN pg_temp.price AS pg_temp.priceless CHECK (value >= 0);
    CREATE DOMAIN pg_temp.prices AS numeric(6,2)[];
    SET search_path = pg_catalog, pg_temp";

    fn facts(client: &mut Client, oid: &str, modifier: i32) -> Result<TypeFacts> {
        let row = client.value(&format!(
            "SELECT n.nspname, t.typname, t.typtype, t.typcategory, t.oid, t.typelem, t.typbasetype, t.typtypmod,
            quote_ident(f.nspname) || '.' || quote_ident(p.proname)
         FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_proc p ON p.oid = t.typoutput
         JOIN pg_namespace f ON f.oid = p.pronamespace WHERE t.oid = {oid}"
        ))?;
        let mut below = |column, modifier| -> Result<_> {
            Ok(match row.text(column) {
                "0" => None,
                oid => Some(Box::new(facts(client, oid, modifier)?)),
            })
        };
        let first = |column| row.text(column).chars().next().unwrap_or_default();
        Ok(TypeFacts {
            schema: row.text(0).into(),
            name: row.text(1).into(),
            kind: first(2),
            category: first(3),
            oid: row.number(4)?,
            modifier,
            output: row.text(8).into(),
            element: below(5, modifier)?,
            base: below(6, row.number(7)?)?,
        })
    }

    fn copied(client: &mut Client, sql: &str) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        client.copy_out(sql, &mut |piece| {
            all.extend_from_slice(piece);
            Ok(())
        })?;
        Ok(all)
    }

    /// What a test compares of numbers that both print, each in its own way.
    fn normal(logical: crate::model::Logical, text: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(text);
        let lines = text.lines().map(|line| match (logical, line.parse::<f64>()) {
            (crate::model::Logical::Real, Ok(value)) => format!("{value:?}\n"),
            _ => format!("{line}\n"),
        });
        lines.collect::<String>().into_bytes()
    }

    #[test]
    #[expect(clippy::unwrap_used, reason = "tests")]
    fn values_of_every_type_are_what_the_server_says_and_come_back() {
        for server in servers() {
            let database = server.database("types");
            compare(&mut Client::connect(&ConnectionSettings::parse(&database.url()).unwrap()).unwrap());
        }
    }

    #[expect(clippy::unwrap_used, reason = "tests")]
    fn compare(client: &mut Client) {
        client.run(SETUP).unwrap();
        let version = client.version();
        let newer =
            NEWER_VALUES.iter().filter(|(since, ..)| version >= *since).map(|(_, name, values)| (*name, *values));
        for (number, (name, values)) in VALUES.iter().copied().chain(newer).enumerate() {
            let (from, to) = (format!("pg_temp.from{number}"), format!("pg_temp.to{number}"));
            client.run(&format!("CREATE TABLE {from} (v {name}); CREATE TABLE {to} (LIKE {from})")).unwrap();
            for value in values.iter().chain([&"NULL"]) {
                client.run(&format!("INSERT INTO {from} VALUES ({value})")).unwrap();
            }
            let column = client.value(&format!(
                "SELECT atttypid, atttypmod FROM pg_attribute WHERE attrelid = '{from}'::regclass AND attnum = 1"
            ));
            let column = column.unwrap();
            let column_type = ColumnType::of(&facts(client, column.text(0), column.number(1).unwrap()).unwrap());
            let columns = || vec![CopyColumn { name: "v".into(), column_type: column_type.clone() }];
            let bytes = copied(
                client,
                &format!("COPY (SELECT {} FROM {from}) TO STDOUT (FORMAT binary)", column_type.select("v")),
            );
            let bytes = bytes.unwrap();

            let (mut text, mut again) = (Vec::new(), Vec::new());
            let mut reader = CopyReader::new(columns());
            let writer = CopyWriter::new(columns()).unwrap();
            let text_writer = CopyWriter::of_form(columns(), CopyForm::Text).unwrap();
            writer.begin(&mut again);
            let mut sink = |cells: &[Cell<'_>]| -> Result<()> {
                assert!(column_type.logical().may_hold(cells.first().unwrap().kind()), "{name}: {cells:?}");
                text_writer.row(cells, &mut text)?;
                writer.row(cells, &mut again)
            };
            for piece in bytes.chunks(7) {
                reader.piece(piece, &mut sink).unwrap();
            }
            assert_eq!(reader.finish().unwrap(), values.len() as u64 + 1);
            writer.end(&mut again);

            let expected = copied(client, &format!("COPY {from} TO STDOUT")).unwrap();
            if !column_type.is_money() {
                let show = |text: &[u8]| String::from_utf8(normal(column_type.logical(), text)).unwrap();
                assert!(show(&text) == show(&expected), "{name}:\n{}\n{}", show(&text), show(&expected));
            }
            let whole = copied(client, &format!("COPY {from} TO STDOUT (FORMAT binary)")).unwrap();
            for (form, data) in [(writer.form(), &again), (CopyForm::Text, &text)] {
                let format = if form == CopyForm::Binary { "(FORMAT binary)" } else { "" };
                client.run(&format!("TRUNCATE {to}")).unwrap();
                let mut copy = client.copy_in(&format!("COPY {to} FROM STDIN {format}")).unwrap();
                copy.write(data).unwrap();
                let taken = copy.finish().unwrap_or_else(|error| panic_with(name, &error.to_string()));
                assert_eq!(taken, values.len() as u64 + 1);
                let back = copied(client, &format!("COPY {to} TO STDOUT (FORMAT binary)")).unwrap();
                assert!(back == whole, "{name} {form:?}");
            }
        }
    }

    #[expect(clippy::panic, reason = "tests")]
    fn panic_with(name: &str, why: &str) -> u64 {
        panic!("{name}: {why}")
    }
}
