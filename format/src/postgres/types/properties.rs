//! Arbitrary values of every type, out of COPY and back, beside other ways of working them out; and bytes that are no values.

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::{ColumnType, CopyColumn, CopyForm, CopyReader, CopyWriter, KeyOrder, TypeFacts};
    use crate::model::{Cell, Logical, Value};

    fn facts(name: &str, modifier: i32) -> TypeFacts {
        TypeFacts {
            schema: "pg_catalog".into(),
            name: name.into(),
            kind: 'b',
            category: 'X',
            oid: 23,
            modifier,
            output: format!("pg_catalog.{name}out"),
            element: None,
            base: None,
        }
    }

    fn array_of(element: TypeFacts) -> TypeFacts {
        let output = "pg_catalog.array_out".into();
        TypeFacts { output, element: Some(Box::new(element)), ..facts("_x", -1) }
    }

    fn of(name: &str) -> ColumnType {
        ColumnType::of(&facts(name, -1))
    }

    fn numeric(precision: i32, scale: i32) -> ColumnType {
        ColumnType::of(&facts("numeric", (precision << 16 | (scale & 0x7ff)) + 4))
    }

    /// The field of a cell, without its length.
    fn field(column_type: &ColumnType, cell: &Cell<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        column_type.push_binary(cell, &mut out).unwrap();
        out.split_off(4)
    }

    fn cell(column_type: &ColumnType, field: &[u8]) -> Value {
        Value::of(&column_type.decode(field, &mut Vec::new()).unwrap())
    }

    fn text(column_type: &ColumnType, cell: &Cell<'_>) -> String {
        let mut out = Vec::new();
        column_type.push_text(cell, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn comes_back(column_type: &ColumnType, cell: &Cell<'_>) {
        let field = field(column_type, cell);
        let mut scratch = Vec::new();
        let again = column_type.decode(&field, &mut scratch).unwrap();
        assert!(again.is_identical(cell), "{cell:?} became {again:?}");
        assert!(column_type.logical().may_hold(again.kind()));
    }

    /// A numeric as the server has it: groups of four digits, worked out digit by digit.
    fn digits_of(text: &str) -> Vec<u8> {
        let (sign, text) = text.strip_prefix('-').map_or((0, text), |text| (0x4000, text));
        let (whole, behind) = text.split_once('.').unwrap_or((text, ""));
        let padded = format!("{}{whole}", "0".repeat((4 - whole.len() % 4) % 4));
        let mut weight = i16::try_from(padded.len() / 4).unwrap() - 1;
        let all = format!("{padded}{behind}{}", "0".repeat((4 - behind.len() % 4) % 4));
        let mut groups: Vec<u16> =
            all.as_bytes().chunks(4).map(|group| str::from_utf8(group).unwrap().parse().unwrap()).collect();
        while groups.first() == Some(&0) {
            groups.remove(0);
            weight -= 1;
        }
        while groups.last() == Some(&0) {
            groups.pop();
        }
        if groups.is_empty() {
            weight = 0;
        }
        let count = |count: usize| u16::try_from(count).unwrap();
        let head = [count(groups.len()), weight.cast_unsigned(), sign, count(behind.len())];
        let head = head.iter().flat_map(|part| part.to_be_bytes());
        head.chain(groups.iter().flat_map(|group| group.to_be_bytes())).collect()
    }

    fn decimal_text() -> impl Strategy<Value = String> {
        let digits = |most: usize| vec(prop_oneof![Just(0_u8), Just(9), 0..10_u8], 0..most);
        (any::<bool>(), digits(60), digits(40)).prop_map(|(negative, whole, behind)| {
            let digits = |digits: Vec<u8>| digits.iter().map(|digit| (b'0' + digit) as char).collect::<String>();
            let whole = digits(whole).trim_start_matches('0').to_owned();
            let whole = if whole.is_empty() { "0".to_owned() } else { whole };
            let behind = digits(behind);
            let is_zero = whole == "0" && behind.bytes().all(|byte| byte == b'0');
            let sign = if negative && !is_zero { "-" } else { "" };
            if behind.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{behind}") }
        })
    }

    proptest! {
        #[test]
        fn decimals_are_those_of_schoolbook_digits(decimal in decimal_text(), scale in 0..=18_u8) {
            let bytes = digits_of(&decimal);
            for (column_type, scale) in [(of("numeric"), 0), (numeric(38, scale.into()), scale)] {
                let found = cell(&column_type, &bytes);
                let (whole, behind) = decimal.split_once('.').unwrap_or((&decimal, ""));
                let expected = match format!("{whole}{behind}").parse::<i64>() {
                    Ok(value) if behind.len() == usize::from(scale) => Value::Integer(value),
                    _ => Value::Text(decimal.clone().into_bytes()),
                };
                prop_assert_eq!(&found, &expected);
                prop_assert_eq!(&field(&column_type, &found.as_cell()), &bytes);
                prop_assert_eq!(&text(&column_type, &found.as_cell()), &decimal);
            }
        }

        #[test]
        fn integers_of_a_scale_come_back(value in any::<i64>(), scale in 0..=18_u8) {
            for value in [value, value % 10_000, value % 1_000_000_000] {
                comes_back(&numeric(38, scale.into()), &Cell::Integer(value));
            }
        }

        #[test]
        fn numbers_come_back(value in any::<i64>(), bits in any::<u64>(), single in any::<u32>()) {
            comes_back(&of("int8"), &Cell::Integer(value));
            comes_back(&of("int4"), &Cell::Integer(value >> 32));
            comes_back(&of("int2"), &Cell::Integer(value >> 48));
            comes_back(&of("oid"), &Cell::Integer((value >> 32) & 0xffff_ffff));
            comes_back(&of("money"), &Cell::Integer(value));
            comes_back(&of("float8"), &Cell::Real(f64::from_bits(bits)));
            let bytes = single.to_be_bytes();
            let wide = cell(&of("float4"), &bytes);
            prop_assert_eq!(field(&of("float4"), &wide.as_cell()), bytes);
        }

        #[test]
        fn times_come_back(days in any::<i32>(), micros in any::<i64>(), of_day in 0..=86_400_000_000_i64) {
            for (name, bytes) in [
                ("date", days.to_be_bytes().to_vec()),
                ("time", of_day.to_be_bytes().to_vec()),
                ("timestamp", micros.to_be_bytes().to_vec()),
                ("timestamptz", micros.to_be_bytes().to_vec()),
            ] {
                let column_type = of(name);
                let value = cell(&column_type, &bytes);
                prop_assert_eq!(&field(&column_type, &value.as_cell()), &bytes);
                // As an element of an array, it goes through its text.
                let printed = text(&column_type, &value.as_cell());
                let array = field(&ColumnType::of(&array_of(facts(name, -1))), &Cell::Text(format!("{{\"{printed}\"}}").as_bytes()));
                prop_assert!(array.ends_with(&bytes), "{}", printed);
            }
        }

        #[test]
        fn intervals_come_back(micros in any::<i64>(), days in any::<i32>(), months in any::<i32>(), parts in 0..8_u8) {
            let part = |bit: u8| parts & bit != 0;
            let (micros, days, months) =
                (if part(1) { micros } else { micros % 1_000_000 }, if part(2) { days } else { 0 }, if part(4) { months } else { 0 });
            let bytes = [&micros.to_be_bytes()[..], &days.to_be_bytes(), &months.to_be_bytes()].concat();
            let value = cell(&of("interval"), &bytes);
            prop_assert_eq!(field(&of("interval"), &value.as_cell()), bytes);
        }

        #[test]
        fn texts_and_bytes_come_back(bytes in vec(1..=255_u8, 0..40), uuid in any::<[u8; 16]>()) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            for name in ["text", "varchar", "bpchar", "name", "json", "jsonb"] {
                comes_back(&of(name), &Cell::Text(text.as_bytes()));
            }
            if str::from_utf8(&bytes).is_err() {
                comes_back(&of("text"), &Cell::RawText(&bytes));
            }
            comes_back(&of("bytea"), &Cell::Bytes(&bytes));
            let value = cell(&of("uuid"), &uuid);
            prop_assert_eq!(field(&of("uuid"), &value.as_cell()), uuid);
            for byte in bytes.iter().chain(&[0]) {
                let value = cell(&of("char"), &[*byte]);
                prop_assert_eq!(field(&of("char"), &value.as_cell()), [*byte]);
            }
        }

        #[test]
        fn arrays_of_texts_are_read_as_they_are_written(elements in vec(proptest::option::of("[a-zN\"\\\\{}, \n\u{e9}]{0,6}"), 1..6)) {
            let escaped = |element: &Option<String>| match element {
                None => "NULL".to_owned(),
                Some(element) => format!("\"{}\"", element.replace('\\', "\\\\").replace('"', "\\\"")),
            };
            let text = format!("{{{}}}", elements.iter().map(escaped).collect::<Vec<_>>().join(","));
            let count = |count: usize| i32::try_from(count).unwrap();
            let mut expected = [1_i32, i32::from(elements.contains(&None)), 23, count(elements.len()), 1].iter().flat_map(|part| part.to_be_bytes()).collect::<Vec<u8>>();
            for element in &elements {
                let length = element.as_ref().map_or(-1, |element| count(element.len()));
                expected.extend(length.to_be_bytes());
                expected.extend(element.iter().flat_map(|element| element.bytes()));
            }
            prop_assert_eq!(field(&ColumnType::of(&array_of(facts("text", -1))), &Cell::Text(text.as_bytes())), expected);
        }

        #[test]
        fn bytes_that_are_no_values_are_refused_and_nothing_more(bytes in vec(any::<u8>(), 0..40), cut in 0..40_usize) {
            let names = ["bool", "int2", "int4", "int8", "oid", "money", "float4", "float8", "text", "bpchar", "char", "bytea", "date", "time",
                "timestamp", "timestamptz", "uuid", "json", "jsonb", "numeric", "interval", "inet", "cidr", "macaddr", "macaddr8", "varbit", "other"];
            let mut types: Vec<ColumnType> = names.map(of).into();
            types.push(numeric(10, 2));
            types.extend(names.map(|name| ColumnType::of(&array_of(facts(name, -1)))));
            for column_type in &types {
                let mut scratch = Vec::new();
                let _ = column_type.decode(&bytes, &mut scratch);
                let mut out = Vec::new();
                for cell in [Cell::Text(b"{{1,2},{}"), Cell::RawText(&bytes), Cell::Bytes(&bytes), Cell::Integer(-1), Cell::Real(f64::NAN)] {
                    let _ = column_type.push_binary(&cell, &mut out);
                    let _ = column_type.push_text(&cell, &mut out);
                }
                let lossy = String::from_utf8_lossy(&bytes).into_owned();
                let _ = column_type.push_binary(&Cell::Text(lossy.as_bytes()), &mut out);
                let columns = vec![CopyColumn { name: "c".into(), column_type: column_type.clone() }];
                let mut stream = Vec::new();
                CopyWriter::of_form(columns.clone(), CopyForm::Binary).unwrap().begin(&mut stream);
                stream.extend_from_slice(&bytes);
                let mut reader = CopyReader::new(columns);
                let mut sink = |_: &[Cell<'_>]| Ok(());
                let (first, second) = stream.split_at(cut.min(stream.len()));
                let _ = reader.piece(first, &mut sink).and_then(|()| reader.piece(second, &mut sink));
            }
        }

        #[test]
        fn rows_do_not_depend_on_where_pieces_end(rows in vec((any::<i32>(), "[a-z\\\\\t]{0,9}"), 0..20), size in 1..70_usize) {
            let columns = || vec![
                CopyColumn { name: "a".into(), column_type: of("int4") },
                CopyColumn { name: "b".into(), column_type: of("text") },
            ];
            let writer = CopyWriter::new(columns()).unwrap();
            let mut stream = Vec::new();
            writer.begin(&mut stream);
            for (a, b) in &rows {
                writer.row(&[Cell::Integer(i64::from(*a)), if b.is_empty() { Cell::Null } else { Cell::Text(b.as_bytes()) }], &mut stream).unwrap();
            }
            let without_end = stream.len();
            writer.end(&mut stream);
            let read = |bytes: &[u8]| {
                let mut found = Vec::new();
                let mut reader = CopyReader::new(columns());
                let mut sink = |cells: &[Cell<'_>]| {
                    found.push(cells.iter().map(Value::of).collect::<Vec<_>>());
                    Ok(())
                };
                for piece in bytes.chunks(size) {
                    reader.piece(piece, &mut sink).unwrap();
                }
                (reader.finish(), found)
            };
            let (count, found) = read(&stream);
            prop_assert_eq!(count.unwrap(), rows.len() as u64);
            let expected: Vec<_> = rows.iter().map(|(a, b)| {
                let text = if b.is_empty() { Value::Null } else { Value::Text(b.clone().into_bytes()) };
                vec![Value::Integer(i64::from(*a)), text]
            }).collect();
            prop_assert_eq!(found, expected);
            // A truncated stream never passes for a whole one.
            prop_assert!(read(stream.get(..without_end).unwrap()).0.unwrap_err().message().contains("cut off"));
        }
    }

    #[test]
    fn numerics_of_131072_digits_before_and_16383_after_the_point() {
        for decimal in [
            format!("-{}", "9".repeat(131_072)),
            format!("0.{}1", "0".repeat(16_382)),
            "NaN".into(),
            "Infinity".into(),
            "-Infinity".into(),
        ] {
            comes_back(&of("numeric"), &Cell::Text(decimal.as_bytes()));
        }
        for too_long in [
            format!("1{}", "0".repeat(131_072)),
            format!("0.{}1", "0".repeat(16_383)),
            "1e5".into(),
            ".5".into(),
            "5.".into(),
            "--1".into(),
        ] {
            assert!(of("numeric").push_binary(&Cell::Text(too_long.as_bytes()), &mut Vec::new()).is_err());
        }
    }

    #[test]
    fn nans_keep_every_bit() {
        for bits in [0x7fc0_0000_u32, 0xffc0_0000, 0x7f80_0001, 0xffbf_ffff, 0x7fff_ffff, 0x8000_0000, 1, 0x7f80_0000] {
            let value = cell(&of("float4"), &bits.to_be_bytes());
            assert_eq!(field(&of("float4"), &value.as_cell()), bits.to_be_bytes());
        }
        // What no float4 is cannot become one.
        assert!(of("float4").push_binary(&Cell::Real(0.1), &mut Vec::new()).is_err());
        assert!(of("float4").push_binary(&Cell::Real(f64::from_bits(0x7ff0_0000_0000_0001)), &mut Vec::new()).is_err());
    }

    #[test]
    fn domains_are_what_is_below_them() {
        let domain = |base: TypeFacts, modifier| TypeFacts {
            schema: "public".into(),
            kind: 'd',
            modifier,
            base: Some(Box::new(base)),
            ..facts("d", modifier)
        };
        let price = domain(domain(facts("numeric", (6 << 16 | 2) + 4), -1), -1);
        assert_eq!(ColumnType::of(&price), numeric(6, 2));
        let list = domain(array_of(facts("int4", -1)), -1);
        assert_eq!(ColumnType::of(&list).select("\"a\""), "pg_catalog.array_out(\"a\")");
        assert!(ColumnType::of(&list).has_binary());
    }

    #[test]
    fn names_decide_only_in_the_systems_schema() {
        let foreign =
            ColumnType::of(&TypeFacts { schema: "public".into(), output: "public.f".into(), ..facts("int4", -1) });
        assert_eq!(
            (foreign.logical(), foreign.has_binary(), foreign.select("x")),
            (Logical::Opaque, false, "public.f(x)".into())
        );
        assert_eq!(of("bpchar").key_order(), KeyOrder::None);
        assert_eq!(of("text").key_order(), KeyOrder::WithCollateC);
        assert_eq!(numeric(18, 2).key_order(), KeyOrder::Same);
        assert_eq!(numeric(19, 2).key_order(), KeyOrder::None);
        assert_eq!(numeric(10, 19).logical(), Logical::DecimalText);
        assert_eq!(numeric(10, -2).logical(), Logical::DecimalText);
    }

    #[test]
    fn errors_name_the_column() {
        let columns = vec![CopyColumn { name: "age".into(), column_type: of("int4") }];
        let mut stream = Vec::new();
        CopyWriter::new(columns.clone()).unwrap().begin(&mut stream);
        stream.extend([0, 1, 0, 0, 0, 2, 7, 7]);
        let error = CopyReader::new(columns).piece(&stream, &mut |_: &[Cell<'_>]| Ok(())).unwrap_err();
        assert!(error.message().contains("\"age\""), "{error}");
    }
}
