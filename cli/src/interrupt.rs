//! SIGINT, SIGTERM and SIGHUP ask for an orderly end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[cfg(unix)]
use signal_hook::consts::SIGHUP;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// A flag that SIGINT, SIGTERM and SIGHUP set from now on, instead of ending the program. The library looks at it and takes back
/// what it began; a second signal changes nothing, so that this is not cut short.
pub(crate) fn watch() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        flag::register(signal, Arc::clone(&stop))?;
    }
    #[cfg(unix)]
    if !keeps_hangups_away() {
        flag::register(SIGHUP, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// Did whoever started the program (`nohup`) have SIGHUP ignored? To take it then would end what was to go on. Where the
/// system does not tell, it is left as it is.
#[cfg(unix)]
fn keeps_hangups_away() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return true };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // One bit per signal, that of signal 1, SIGHUP, last.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
}
