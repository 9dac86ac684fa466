//! Where the programs of each major version are.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::super::note::note;
use super::super::tree;

/// All major versions that tabark supports.
const SUPPORTED: [u32; 6] = [13, 14, 15, 16, 17, 18];
/// Those that tests run on, unless `TABARK_TEST_MAJORS` names others.
const USUAL: [u32; 3] = [15, 17, 18];

/// The major versions that tests run on, oldest first: those that `TABARK_TEST_MAJORS` names, such as `13,14,16`, else the
/// usual ones.
pub(crate) fn majors() -> &'static [u32] {
    static MAJORS: OnceLock<Vec<u32>> = OnceLock::new();
    MAJORS.get_or_init(|| {
        let Ok(named) = std::env::var("TABARK_TEST_MAJORS") else { return USUAL.to_vec() };
        let mut majors: Vec<u32> = named.split(',').map(|major| major.trim().parse().unwrap()).collect();
        assert!(majors.iter().all(|major| SUPPORTED.contains(major)), "TABARK_TEST_MAJORS is {named:?}");
        majors.sort_unstable();
        majors.dedup();
        majors
    })
}

/// The programs of one version of PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) major: u32,
    folder: PathBuf,
}

impl Tools {
    /// A program, such as `pg_dump`. Some packages hold a server alone: what they lack is taken from the newest version at
    /// hand.
    pub(crate) fn path(&self, program: &str) -> PathBuf {
        let own = self.folder.join(program);
        if own.exists() { own } else { newest().folder.join(program) }
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
        let by = if USUAL.contains(&major) { "tests/run" } else { "tests/postgres/older" };
        let told = format!("PostgreSQL {major} is not installed where tests look for it; {by} installs it");
        assert!(std::env::var_os("TABARK_POSTGRES_REQUIRED").is_none_or(|value| value != "1"), "{told}");
        note(&format!("skipped: {told}"));
    }
    found
}

/// The newest programs at hand: `psql` and `pg_dump` of a version reach all servers that are not newer.
pub(crate) fn newest() -> Tools {
    let has_all = |tools: &Tools| ["psql", "pg_dump"].iter().all(|program| tools.folder.join(program).exists());
    SUPPORTED.into_iter().rev().filter_map(find).find(has_all).unwrap()
}

/// `TABARK_POSTGRES_15` and so on name the folder of the programs; else it is the one that `tests/run` or
/// `tests/postgres/older` made, else Debian's.
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
