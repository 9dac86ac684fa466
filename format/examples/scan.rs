//! Reads all rows of a SQLite database by their pages and by SQL, and says how fast each was.
//!
//!     cargo run --release -p tabark --example scan -- [--pages | --sql] DATABASE.sqlite [TABLE…]
//!
//! With `--pages` or `--sql` the other is left out, for whoever looks at one with a profiler or a clock of his own.
#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a program that tells figures")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use tabark::model::{Cell, TableSchema};
use tabark::source::Source as _;
use tabark::source::sqlite::{Reading, SqliteSource};

fn main() -> tabark::Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let only_pages = arguments.next_if_eq("--pages").is_some();
    let only_sql = !only_pages && arguments.next_if_eq("--sql").is_some();
    let Some(database) = arguments.next() else {
        println!("usage: scan [--pages | --sql] DATABASE.sqlite [TABLE…]");
        return Ok(());
    };
    let wanted: Vec<String> = arguments.collect();
    println!("{:<24}{:>12}{:>9}{:>16}{:>16}", "table", "rows", "columns", "pages, M rows/s", "SQL, M rows/s");
    let (mut all, mut times) = (0, [0.0; 2]);
    let source = SqliteSource::open(Path::new(&database))?;
    let by_sql = source.with_reading(Reading::Sql);
    for table in &source.catalog().tables {
        if !wanted.is_empty() && !wanted.contains(&table.name) {
            continue;
        }
        let scanned = |left_out: bool, source| if left_out { Ok((0, f64::NAN)) } else { scan(source, table) };
        let (rows, by_pages) = scanned(only_sql, &source)?;
        let (rows_by_sql, by_sql) = scanned(only_pages, &by_sql)?;
        let rows = rows.max(rows_by_sql);
        let note = if source.reading_of(table) == Reading::Sql { "  (by SQL)" } else { "" };
        tell(&table.name, rows, table.columns.len(), [by_pages, by_sql], note);
        all += rows;
        times = [times[0] + by_pages, times[1] + by_sql];
    }
    tell("all", all, 0, times, "");
    Ok(())
}

/// Reads a table: its rows, and the seconds it took a processor (of the clock, where the system does not count them).
fn scan(source: &SqliteSource<'_>, table: &TableSchema) -> tabark::Result<(u64, f64)> {
    let mut rows = 0;
    let (begin, ran) = (Instant::now(), ran());
    source.read_table(table, &mut |cells: &[Cell<'_>]| {
        rows += 1;
        black_box(cells);
        Ok(())
    })?;
    let seconds = self::ran().zip(ran).map_or(begin.elapsed().as_secs_f64(), |(after, before)| after - before);
    Ok((rows, seconds))
}

/// Seconds for which this thread has run. Other programs on the same processors do not count.
fn ran() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split(' ').next()?.parse::<f64>().ok().map(|nanoseconds| nanoseconds / 1e9)
}

fn tell(name: &str, rows: u64, columns: usize, seconds: [f64; 2], note: &str) {
    // Too few rows take no time that a system counts.
    let [by_pages, by_sql] = seconds.map(|seconds| match rows as f64 / seconds / 1e6 {
        speed if speed.is_finite() => format!("{speed:.2}"),
        _ => "-".to_owned(),
    });
    println!("{name:<24}{rows:>12}{columns:>9}{by_pages:>16}{by_sql:>16}{note}");
}
