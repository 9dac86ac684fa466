//! Certificates for tests, made by `openssl`.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use super::note::note;

/// A folder with an authority `ca`, another one `other`, a server's certificate for "localhost" and one of the user "carl", which
/// `ca` signed, and a certificate `own` for "localhost" that is its own authority.
pub(crate) struct Certificates(TempDir);

const MADE: &str = "set -e
authority() { openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj \"/CN=$1\" -keyout $1.key -out $1.crt; }
signed() {
    openssl req -newkey rsa:2048 -nodes -subj \"/CN=$1\" -keyout $2.key -out $2.csr
    printf 'basicConstraints=CA:FALSE\\n%s\\n' \"$3\" >$2.ext
    openssl x509 -req -in $2.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile $2.ext -out $2.crt
}
authority ca; authority other; authority localhost
mv localhost.crt own.crt; mv localhost.key own.key
signed localhost server subjectAltName=DNS:localhost
signed carl carl ''
chmod 600 *.key";

impl Certificates {
    /// Makes them; `None`, with one line that says so, where there is no `openssl`.
    pub(crate) fn make() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let Ok(output) = Command::new("sh").args(["-c", MADE]).current_dir(folder.path()).output() else {
            note("skipped: TLS, as there is no shell");
            return None;
        };
        if Command::new("openssl").arg("version").output().is_err() {
            note("skipped: TLS, as openssl is not installed");
            return None;
        }
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
        Some(Self(folder))
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}
