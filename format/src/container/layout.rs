//! The frozen numbers of the container (`spec/format.md` §3). A test compares them with the specification's tables.

/// The first bytes of every archive. The first is not ASCII and line ends of both kinds follow, so that a transfer
/// which takes the file for text shows at once.
pub const ARCHIVE_MAGIC: [u8; 8] = [0x89, b'T', b'B', b'K', b'\r', b'\n', 0x1a, b'\n'];
/// The first bytes of every frame.
pub const FRAME_MAGIC: [u8; 4] = *b"TBKF";
/// The format version that this library writes, and the only one it reads.
pub const FORMAT_VERSION: u32 = 2;
/// Bytes of the archive header.
pub const HEADER_LENGTH: usize = 64;
/// Bytes of a frame header.
pub const FRAME_HEADER_LENGTH: usize = 104;
/// Bytes of a frame header that its header digest covers.
pub const FRAME_HEADER_HASHED: usize = 72;
/// Bytes of a commit's body.
pub const COMMIT_BODY_LENGTH: usize = 256;
/// Bytes of a commit with its frame header.
pub const COMMIT_FRAME_LENGTH: usize = FRAME_HEADER_LENGTH + COMMIT_BODY_LENGTH;
/// Bytes of a reference in a commit.
pub const REFERENCE_LENGTH: usize = 48;
/// Features that a reader must know; version 2 defines none.
pub const KNOWN_READER_FEATURES: u64 = 0;
/// Features that a writer must know; version 2 defines none.
pub const KNOWN_WRITER_FEATURES: u64 = 0;
