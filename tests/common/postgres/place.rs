//! The folder in which this process keeps its servers, and the watchdog that clears it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Waits until the process that holds the other end of its input is gone, then stops every server below the folder and
/// removes it. A server that was killed leaves its file of process ids: what runs under such an id now is looked at first.
const WATCHDOG: &str = r#"
cat >/dev/null
for file in "$1"/*/data/postmaster.pid; do
    [ -f "$file" ] || continue
    read -r server <"$file"
    [ "$(cat "/proc/$server/comm" 2>/dev/null)" = postgres ] || continue
    kill -QUIT "$server" 2>/dev/null
    tries=0
    # One that ended may stay on the list of processes for a while, as a zombie.
    while [ "$tries" -lt 100 ] && grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$server/status"; do
        sleep 0.05
        tries=$((tries + 1))
    done
done
rm -rf "$1"
"#;

/// Where servers of this process live, and as whom they run.
#[derive(Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    /// The user and group of servers, where it is not ours: PostgreSQL refuses to run as root.
    pub(crate) user: Option<(u32, u32)>,
    servers: AtomicU32,
    // Its input closes with this process, which is all that it waits for.
    _watchdog: Child,
}

/// The place of this process.
pub(crate) fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(Place::new)
}

impl Place {
    fn new() -> Self {
        // The path of a socket has room for some hundred bytes.
        let below = std::env::temp_dir();
        let below = if below.as_os_str().len() > 40 { PathBuf::from("/tmp") } else { below };
        let folder = tempfile::Builder::new().prefix("tabark-pg-").tempdir_in(below).unwrap().keep();
        let user = is_root().then(unprivileged_user);
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        let mut watchdog = Command::new("sh");
        watchdog.args(["-c", WATCHDOG, "sh"]).arg(&folder);
        // A group of its own: an interrupt from the keyboard must reach the tests and not what clears up after them.
        watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/").process_group(0);
        let watchdog = watchdog.spawn().unwrap();
        let place = Self { folder, user, servers: AtomicU32::new(0), _watchdog: watchdog };
        place.give(&place.folder);
        place
    }

    /// A fresh folder for one server, which belongs to its user.
    pub(crate) fn new_server(&self) -> PathBuf {
        let folder = self.folder.join(self.servers.fetch_add(1, Ordering::Relaxed).to_string());
        fs::create_dir(&folder).unwrap();
        self.give(&folder);
        folder
    }

    /// Makes a file belong to the user of servers.
    pub(crate) fn give(&self, path: &Path) {
        if let Some((user, group)) = self.user {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }

    /// Has a command run as the user of servers.
    pub(crate) fn run_as_user(&self, command: &mut Command) {
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// `postgres`, which Debian's package makes, else `nobody`.
fn unprivileged_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let fields: Vec<&str> = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|f| f[0] == name)?;
        Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
    };
    ids("postgres").or_else(|| ids("nobody")).unwrap()
}
