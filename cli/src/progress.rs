//! Progress on a terminal, silence in a pipe, and the way to stop.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tabark::observer::{Observer, Phase};

use crate::interrupt;
use crate::report::text::{shorten, visible};
use crate::report::units::{count, size};

/// Columns of the terminal that a table's name may take.
const NAME_WIDTH: usize = 30;

/// Before the first phase.
const SPINNER: &str = "{spinner} {msg}";

/// Shows what the library does, as long as standard error is a terminal, and passes on that the user wants to stop.
pub(crate) struct Progress {
    stop: Arc<AtomicBool>,
    bar: Option<ProgressBar>,
    done: Arc<Done>,
}

/// What is done in the phase begun last.
#[derive(Default)]
struct Done {
    rows: AtomicU64,
    bytes: AtomicU64,
    /// Is the bar's length in rows? Else in bytes.
    by_rows: AtomicBool,
}

impl Progress {
    /// From now on signals are taken, until the program ends.
    pub(crate) fn start() -> io::Result<Self> {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(style(SPINNER));
            bar.set_message("opening");
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Ok(Self { stop: interrupt::watch()?, bar, done: Arc::default() })
    }

    fn style_of_phase(&self, length_is_known: bool) -> ProgressStyle {
        let template = if length_is_known {
            "{msg} {bar:20} {percent:>3} %  {done}  {eta} left"
        } else {
            "{spinner} {msg}  {done}"
        };
        let done = Arc::clone(&self.done);
        style(template).with_key("done", move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
            let rows = done.rows.load(Ordering::Relaxed);
            let bytes = done.bytes.load(Ordering::Relaxed);
            if rows > 0 {
                let _ = write!(text, "{} rows, ", count(rows));
            }
            let _ = write!(text, "{}, {}/s", size(bytes), size(rate(bytes, state.elapsed())));
        })
    }
}

/// The templates are constants; one that did not parse would show the default bar.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn rate(bytes: u64, elapsed: Duration) -> u64 {
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(1000) / milliseconds
}

fn verb(phase: Phase) -> &'static str {
    match phase {
        Phase::Dump => "dumping",
        Phase::Rewrite => "rewriting",
        Phase::Verify => "hashing",
        Phase::Check => "checking",
        Phase::Restore => "restoring",
        Phase::Finish => "finishing",
        Phase::Prove => "proving",
        Phase::Compare => "comparing",
        _ => "working",
    }
}

impl Observer for Progress {
    fn begin(&self, phase: Phase, table: Option<&str>, rows: Option<u64>, bytes: Option<u64>) {
        let Some(bar) = &self.bar else { return };
        self.done.rows.store(0, Ordering::Relaxed);
        self.done.bytes.store(0, Ordering::Relaxed);
        self.done.by_rows.store(rows.is_some(), Ordering::Relaxed);
        let what = match table {
            Some(table) => format!("{} {}", verb(phase), shorten(&visible(table), NAME_WIDTH)),
            None => verb(phase).to_owned(),
        };
        let length = rows.or(bytes);
        bar.reset();
        bar.set_message(what);
        bar.set_style(self.style_of_phase(length.is_some()));
        match length {
            Some(length) => bar.set_length(length),
            None => bar.unset_length(),
        }
    }

    fn advance(&self, rows: u64, bytes: u64) {
        let Some(bar) = &self.bar else { return };
        self.done.rows.fetch_add(rows, Ordering::Relaxed);
        self.done.bytes.fetch_add(bytes, Ordering::Relaxed);
        bar.inc(if self.done.by_rows.load(Ordering::Relaxed) { rows } else { bytes });
    }

    fn is_cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
