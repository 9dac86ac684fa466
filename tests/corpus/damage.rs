//! A large archive of real rows, damaged at random: verification sees it without looking into a cell.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use tabark::Layer;
use tabark::archive::{Archive, VerifyOptions, verify};
use tabark::container::ReadStorage;

use super::corpus::samples;

const FLIPS: usize = 300;
const CUTS: usize = 100;

/// An archive of which one byte reads differently, or whose end is not there.
#[derive(Clone)]
struct Damaged {
    bytes: Arc<Vec<u8>>,
    length: usize,
    flipped: Option<(usize, u8)>,
}

impl ReadStorage for Damaged {
    fn len(&self) -> u64 {
        self.length as u64
    }

    fn read(&self, offset: u64, length: usize) -> io::Result<Cow<'_, [u8]>> {
        let ends_early = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let start = usize::try_from(offset).map_err(|_| ends_early())?;
        let end = start.checked_add(length).filter(|end| *end <= self.length).ok_or_else(ends_early)?;
        let bytes = &self.bytes[start..end];
        match self.flipped {
            Some((at, by)) if (start..end).contains(&at) => {
                let mut bytes = bytes.to_vec();
                bytes[at - start] ^= by;
                Ok(Cow::Owned(bytes))
            }
            _ => Ok(Cow::Borrowed(bytes)),
        }
    }
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// An archive of the smallest database and a large one, and where its first snapshot ends.
fn archive() -> Option<(Damaged, usize)> {
    let (small, large) = (samples().first()?, samples().last()?);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.tabark");
    super::dump_into(&path, small, 1);
    let first = std::fs::metadata(&path).unwrap().len();
    super::dump_into(&path, large, 2);
    let bytes = Arc::new(std::fs::read(&path).unwrap());
    Some((Damaged { length: bytes.len(), bytes, flipped: None }, usize::try_from(first).unwrap()))
}

/// Snapshots that can be listed, and whether verification finds nothing; `None` if the archive does not open.
fn look(storage: Damaged) -> Option<(usize, Vec<Layer>)> {
    let archive = match Archive::from_storage(Arc::new(storage)) {
        Ok(archive) => archive,
        Err(error) => {
            assert!(error.is_damaged(), "{error}");
            return None;
        }
    };
    let report = verify(&archive, &VerifyOptions::default(), &()).unwrap();
    let layers = report.findings.iter().filter_map(|finding| finding.error.layer()).collect();
    Some((archive.snapshots().map_or(0, |list| list.len()), layers))
}

#[test]
fn a_flipped_byte_anywhere_is_found() {
    let Some((whole, _)) = archive() else { return };
    assert_eq!(look(whole.clone()), Some((2, vec![])));
    let mut numbers = Numbers(1);
    for _ in 0..FLIPS {
        let by = 1 << numbers.below(8);
        let at = numbers.below(whole.length);
        let damaged = Damaged { flipped: Some((at, by)), ..whole.clone() };
        let found = look(damaged);
        assert!(found.is_none_or(|(_, layers)| !layers.is_empty()), "a flip of {by} at byte {at} went unnoticed");
    }
}

#[test]
fn a_cut_anywhere_leaves_whole_snapshots_or_none() {
    let Some((whole, first)) = archive() else { return };
    let mut numbers = Numbers(2);
    for round in 0..CUTS {
        // Half of the cuts in the first snapshot, which is the smaller one.
        let length = if round % 2 == 0 { numbers.below(first) } else { first + numbers.below(whole.length - first) };
        let found = look(Damaged { length, ..whole.clone() });
        match found {
            None => assert!(length < first, "{length} of {first}"),
            Some((1, layers)) if length == first => assert!(layers.is_empty()),
            Some((count, layers)) => assert_eq!((count, layers), (1, vec![Layer::Tail]), "{length}"),
        }
    }
}
