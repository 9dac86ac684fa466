//! Which snapshots a policy of days and weeks keeps, said naively: of each period that has snapshots the newest, of the
//! newest so many periods.

const HOUR: i64 = 3_600_000_000;

fn day(time: i64) -> i64 {
    time.div_euclid(24 * HOUR)
}

/// Weeks from Monday; 1970-01-01 was a Thursday.
fn week(time: i64) -> i64 {
    (day(time) + 3).div_euclid(7)
}

/// Is the snapshot at this time the newest of its period, and are there snapshots in fewer than `most` later periods?
fn keeps(time: i64, all: &[(u64, i64)], most: usize, period: fn(i64) -> i64) -> bool {
    let mut later: Vec<i64> = all.iter().map(|(_, other)| period(*other)).filter(|it| *it > period(time)).collect();
    later.dedup();
    later.len() < most && !all.iter().any(|(_, other)| *other > time && period(*other) == period(time))
}

/// Numbers of those kept of `all`, numbers and times in ascending order.
pub(crate) fn daily_and_weekly(all: &[(u64, i64)], days: usize, weeks: usize) -> Vec<u64> {
    let kept = all.iter().filter(|(_, time)| keeps(*time, all, days, day) || keeps(*time, all, weeks, week));
    kept.map(|(number, _)| *number).collect()
}
