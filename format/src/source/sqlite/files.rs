//! Names of database files: how SQLite must be given one, and what SQLite keeps beside it.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The files that SQLite keeps beside the database at this path, whether they are there or not: its `-wal`, its `-shm` and
/// its `-journal`, in this order.
///
/// They are named after the file itself: if the path is a link, they are beside what it leads to, except on Windows, where
/// SQLite does not follow it. A link that leads nowhere counts as the file.
#[must_use]
pub fn side_files(database: &Path) -> [PathBuf; 3] {
    let file = resolved(database);
    ["-wal", "-shm", "-journal"].map(|addition| {
        let mut name = file.as_os_str().to_owned();
        name.push(OsStr::new(addition));
        PathBuf::from(name)
    })
}

/// Links among the folders are left alone: they lead to the same files under either name, and the user knows this one.
fn resolved(database: &Path) -> Cow<'_, Path> {
    let is_link = !cfg!(windows) && database.is_symlink();
    match is_link.then(|| database.canonicalize()) {
        Some(Ok(file)) => Cow::Owned(file),
        _ => Cow::Borrowed(database),
    }
}

/// SQLite is compiled with URI names on: "file:x?mode=rwc" and ":memory:" would mean something else than the files of
/// that name. Behind a directory they do not.
pub(crate) fn plain(path: &Path) -> PathBuf {
    if path.is_relative() { Path::new(".").join(path) } else { path.to_owned() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use rusqlite::{Connection, OpenFlags};

    use super::*;

    #[test]
    fn a_file_name_that_looks_like_a_uri_is_a_file_name() {
        assert_eq!(plain(Path::new("file:x?mode=rwc")), Path::new("./file:x?mode=rwc"));
        assert_eq!(plain(Path::new(":memory:")), Path::new("./:memory:"));
        assert_eq!(plain(Path::new("/a/file:x?mode=rwc")), Path::new("/a/file:x?mode=rwc"));
        // What SQLite makes of such a name when it is given bare, which is why it never is.
        let connection = Connection::open_with_flags(
            "file:nowhere?mode=memory",
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        );
        assert!(connection.is_ok(), "URI names are off in this build: plain() may go");
    }

    #[test]
    fn side_files_are_named_after_the_path_of_a_file() {
        let named = side_files(Path::new("folder/a.db"));
        assert_eq!(named, ["folder/a.db-wal", "folder/a.db-shm", "folder/a.db-journal"].map(PathBuf::from));
    }

    #[cfg(unix)]
    #[test]
    fn side_files_are_beside_what_a_link_leads_to_as_sqlite_has_them() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().canonicalize().unwrap();
        std::fs::create_dir(folder.join("real")).unwrap();
        let (file, link, lost) = (folder.join("real/a.db"), folder.join("link.db"), folder.join("lost.db"));
        std::os::unix::fs::symlink("real/a.db", &link).unwrap();
        std::os::unix::fs::symlink("nowhere.db", &lost).unwrap();
        let connection = Connection::open(&file).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t(a)").unwrap();
        drop(connection);
        let connection = Connection::open(&link).unwrap();
        connection.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        let [wal, shm, journal] = side_files(&link);
        assert_eq!([&wal, &shm, &journal], side_files(&file).each_ref());
        assert!(wal.exists() && shm.exists());
        assert_eq!(side_files(&lost).first().unwrap(), &folder.join("lost.db-wal"));
    }
}
