//! The container: an append-only file of frames, each self-describing and hashed, and the commits that make snapshots
//! exist. **Invariant:** nothing here knows of columns, tables or databases.

mod append_file;
mod commit;
mod early_sync;
mod frame;
mod header;
mod kept;
pub mod layout;
#[expect(unsafe_code, reason = "mapping a file into memory; the file holds the argument")]
mod mapped;
mod new_file;
mod reader;
mod reference;
mod replacement;
mod storage;
mod tail;
mod writer;

pub use append_file::AppendFile;
pub use commit::{Commit, ErasuresLink};
pub use frame::{FrameHeader, FrameKind};
pub use header::ArchiveHeader;
pub use mapped::MappedFile;
pub use new_file::NewFile;
#[cfg(feature = "sqlite")]
pub(crate) use new_file::{folder_of, sync_folder, temp_beside};
pub use reader::ContainerReader;
pub use reference::Reference;
pub use replacement::Replacement;
pub use storage::{Memory, ReadStorage, WriteStorage};
pub use tail::LastCommit;
pub(crate) use writer::{ContainerWriter, SealedFrame};
