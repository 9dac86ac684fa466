//! How fast COPY BINARY becomes cells and cells COPY data, on one core, of rows made in memory:
//! `TABARK_RATE_ROWS=2000000 cargo test --release -p tabark --lib types::rates -- --nocapture`. Without the variable it is a test of
//! a few rows.

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write;
    use std::time::Instant;

    use super::super::{ColumnType, CopyColumn, CopyForm, CopyReader, CopyWriter, TypeFacts};
    use crate::model::Cell;

    fn column(name: &str, modifier: i32) -> CopyColumn {
        let facts = TypeFacts {
            schema: "pg_catalog".into(),
            name: name.into(),
            kind: 'b',
            category: 'X',
            oid: 0,
            modifier,
            output: String::new(),
            element: None,
            base: None,
        };
        CopyColumn { name: name.into(), column_type: ColumnType::of(&facts) }
    }

    fn cell_of<'c>(column: &CopyColumn, row: i64, text: &'c [u8]) -> Cell<'c> {
        match column.name.as_str() {
            "bool" => Cell::Integer(row & 1),
            "text" => Cell::Text(text),
            "uuid" => Cell::Text(b"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            "float8" => Cell::Real(0.25),
            "date" => Cell::Integer(8_000 + row % 4_000),
            "timestamptz" => Cell::Integer(1_772_366_400_000_000 + row),
            "numeric" => Cell::Integer(row * 7_919 % 10_000_000),
            _ => Cell::Integer(row),
        }
    }

    #[test]
    fn rows_come_and_go() {
        let asked: Option<i64> = std::env::var("TABARK_RATE_ROWS").ok().and_then(|rows| rows.parse().ok());
        let rows = asked.unwrap_or(2_000);
        let money = (15 << 16 | 2) + 4;
        let names = |names: &[&str]| {
            names.iter().map(|name| column(name, if *name == "numeric" { money } else { -1 })).collect()
        };
        let shapes: [(&str, Vec<CopyColumn>); 4] = [
            ("5 narrow columns", names(&["int4", "int8", "bool", "timestamptz", "text"])),
            ("2 integers", names(&["int4", "int8"])),
            ("uuid and numeric", names(&["uuid", "numeric", "numeric", "numeric"])),
            (
                "16 as of lineitem",
                names(&[
                    "int8", "int4", "int4", "int4", "numeric", "numeric", "numeric", "numeric", "text", "text", "date",
                    "date", "date", "text", "text", "text",
                ]),
            ),
        ];
        for (shape, columns) in shapes {
            let mut told = format!("{shape}:");
            let mut stream = Vec::new();
            for form in [CopyForm::Text, CopyForm::Binary] {
                let writer = CopyWriter::of_form(columns.clone(), form).unwrap();
                stream.clear();
                writer.begin(&mut stream);
                let start = Instant::now();
                for row in 0..rows {
                    let cells: Vec<Cell<'_>> =
                        columns.iter().map(|column| cell_of(column, row, b"a short text")).collect();
                    writer.row(&cells, &mut stream).unwrap();
                }
                told += &format!(" {form:?} written {:.1}", rate(rows, start));
                writer.end(&mut stream);
            }
            let mut reader = CopyReader::new(columns);
            let (mut found, mut sum) = (0_i64, 0_i64);
            let start = Instant::now();
            let mut sink = |cells: &[Cell<'_>]| {
                found += 1;
                for cell in cells {
                    if let Cell::Integer(value) = cell {
                        sum = sum.wrapping_add(*value);
                    }
                }
                Ok(())
            };
            for piece in stream.chunks(256 << 10) {
                reader.piece(piece, &mut sink).unwrap();
            }
            told += &format!(", read {:.1} million rows/s, {:.0} MB", rate(rows, start), stream.len() as f64 / 1e6);
            assert_eq!((reader.finish().unwrap(), found), (rows.cast_unsigned(), rows));
            assert!(sum > 0 || rows == 0);
            if asked.is_some() {
                let _ = writeln!(std::io::stderr(), "{told}");
            }
        }
    }

    fn rate(rows: i64, start: Instant) -> f64 {
        rows as f64 / start.elapsed().as_secs_f64().max(1e-9) / 1e6
    }
}
