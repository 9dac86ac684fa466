//! Lines that are seen even when tests pass.

use std::io::Write;

/// Writes one line past the capture of test output: what was skipped, and why, must not go unseen.
pub(crate) fn note(line: &str) {
    // Nobody may be listening; that is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}
