//! Standard output that outlives its reader.

use std::io::{self, ErrorKind, StdoutLock, Write};

/// Standard output. Once nobody reads it any more, writes are taken and dropped: what a command does, and the exit code it
/// does it with, must not depend on `| head`. Commands whose only work is the output ask [`Pipe::is_closed`].
pub(crate) struct Pipe {
    to: StdoutLock<'static>,
    closed: bool,
}

impl Pipe {
    pub(crate) fn stdout() -> Self {
        Self { to: io::stdout().lock(), closed: false }
    }

    /// Has the reader gone?
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    fn or_closed<T>(&mut self, result: io::Result<T>, instead: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(instead)
            }
            result => result,
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        let result = self.to.write(bytes);
        self.or_closed(result, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let result = self.to.flush();
        self.or_closed(result, ())
    }
}
