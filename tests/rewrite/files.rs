//! Looks into archives and their files.
#![allow(dead_code, reason = "each test uses a part of it")]

use tabark::archive::{Archive, VerifyOptions, WriterOptions, verify};
use tabark::container::{FrameKind, Reference};

use super::tables::{TestTable, header, with_snapshot};

/// Every byte and every cell is as it should be.
pub(crate) fn assert_intact(archive: &Archive) {
    let report = verify(archive, &VerifyOptions::default().full(true), &()).unwrap();
    assert!(report.is_intact(), "{report:?}");
}

/// Numbers and fingerprints of all snapshots.
pub(crate) fn fingerprints(archive: &Archive) -> Vec<(u64, [u8; 32])> {
    let all = archive.snapshots().unwrap().into_iter();
    all.map(|summary| (summary.number, archive.snapshot(summary).unwrap().manifest().fingerprint)).collect()
}

/// An archive of these states and nothing else.
pub(crate) fn archive_of(states: &[TestTable], options: WriterOptions) -> Vec<u8> {
    (1..).zip(states).fold(Vec::new(), |bytes, (time, state)| {
        with_snapshot(bytes, header(time), std::slice::from_ref(state), options)
    })
}

/// Does any frame of the file hold this text, when it is decompressed?
pub(crate) fn bodies_hold(bytes: &[u8], text: &str) -> bool {
    let archive = super::open(bytes);
    let container = archive.container();
    let holds = |raw: &[u8]| raw.windows(text.len()).any(|window| window == text.as_bytes());
    let mut offset = 64;
    let mut found = holds(bytes);
    while offset < container.storage_length() {
        let header = container.header_at(offset).unwrap();
        let length = header.frame_length().unwrap();
        let kinds = (0..=u8::MAX).filter_map(FrameKind::from_number).filter(|kind| *kind != FrameKind::Commit);
        let reference = Reference { offset, length, digest: header.header_digest };
        let body = { kinds }.find_map(|kind| container.body(&reference, kind).ok());
        found |= body.is_some_and(|raw| holds(&raw));
        offset += length;
    }
    assert_eq!(offset, container.storage_length());
    found
}
