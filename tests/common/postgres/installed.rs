//! Where the programs of each major version are.

use std::path::PathBuf;
use std::process::Command;

use super::super::note::note;
use super::super::tree;

/// The major versions that tests run on.
pub(crate) const MAJORS: [u32; 3] = [15, 17, 18];

/// The programs of one version of PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) major: u32,
    folder: PathBuf,
}

impl Tools {
    /// A program, such as `pg_dump`.
    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// A program as a command that nothing in the caller's environment changes.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.path(program));
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C").current_dir("/");
        command
    }

    /// What `postgres --version` says.
    pub(crate) fn version(&self) -> String {
        let output = self.command("postgres").arg("--version").output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// The programs of a major version; `None`, with one line that says so, where they are not installed. Where
/// `TABARK_POSTGRES_REQUIRED` is set, that fails the test.
pub(crate) fn tools(major: u32) -> Option<Tools> {
    let found = find(major);
    if found.is_none() {
        let told = format!("PostgreSQL {major} is not installed where tests look for it; tests/run installs it");
        assert!(std::env::var_os("TABARK_POSTGRES_REQUIRED").is_none_or(|value| value != "1"), "{told}");
        note(&format!("skipped: {told}"));
    }
    found
}

/// The newest programs at hand: `psql` and `pg_dump` of a version reach all servers that are not newer.
pub(crate) fn newest() -> Tools {
    MAJORS.into_iter().rev().find_map(find).unwrap()
}

/// `TABARK_POSTGRES_15` and so on name the folder of the programs; else it is the one that `tests/run` made, else Debian's.
fn find(major: u32) -> Option<Tools> {
    let said = std::env::var_os(format!("TABARK_POSTGRES_{major}")).map(PathBuf::from);
    let kept = tree::kept();
    let target = kept.parent().unwrap();
    let made = target.join(format!("test-postgres/{major}/bin"));
    let debian = PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"));
    let places = said.map_or_else(|| vec![made, debian], |said| vec![said]);
    let folder = places.into_iter().find(|folder| folder.join("postgres").exists())?;
    // Programs find their libraries from where they really are.
    let folder = folder.canonicalize().unwrap();
    Some(Tools { major, folder })
}
