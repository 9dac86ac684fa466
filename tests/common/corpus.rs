//! Real databases, kept packed in a folder beside the checkout.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::note::note;

/// A database of the corpus, unpacked.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// All databases of the corpus, smallest first; none, with one line that says so, where there is no corpus.
pub(crate) fn samples() -> &'static [Sample] {
    static SAMPLES: OnceLock<Vec<Sample>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let Some(folder) = std::env::var_os("TABARK_CORPUS") else {
            note("skipped: real databases, as TABARK_CORPUS does not say where they are; tests/run sets it");
            return Vec::new();
        };
        let packed = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut samples: Vec<Sample> = packed.filter_map(|path| unpack(&path)).collect();
        samples.sort_by_key(|sample| fs::metadata(&sample.path).unwrap().len());
        assert!(!samples.is_empty(), "{} holds no *.sqlite.zst", folder.display());
        samples
    })
}

/// Unpacks a database below the build's folder, where it stays for the next run.
fn unpack(packed: &Path) -> Option<Sample> {
    let name = packed.file_name()?.to_str()?.strip_suffix(".sqlite.zst")?.to_owned();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("corpus");
    fs::create_dir_all(&folder).unwrap();
    let size = fs::metadata(packed).unwrap().len();
    let path = folder.join(format!("{name}.{size}.sqlite"));
    if !path.exists() {
        // Two runs may unpack at once: each gives a whole file its name, and the last one stays.
        let mut unpacked = tempfile::NamedTempFile::new_in(&folder).unwrap();
        zstd::stream::copy_decode(File::open(packed).unwrap(), &mut unpacked).unwrap();
        unpacked.persist(&path).unwrap();
    }
    Some(Sample { name, path })
}
