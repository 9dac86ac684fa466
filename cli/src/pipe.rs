//! Standard output that outlives its reader.

use std::io::{self, ErrorKind, IsTerminal, StdoutLock, Write};

use crate::report::text::visible_lines;

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

/// Standard output for rows: stops when nobody reads, and keeps control sequences from a terminal.
pub(crate) struct Rows<'a> {
    to: &'a mut Pipe,
    escape: bool,
}

impl<'a> Rows<'a> {
    pub(crate) fn to(to: &'a mut Pipe) -> Self {
        Self { to, escape: io::stdout().is_terminal() }
    }
}

impl Write for Rows<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.escape {
            // Rows come in whole, so characters do too.
            let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
            self.to.write_all(visible_lines(&text).as_bytes()).map(|()| bytes.len())?
        } else {
            self.to.write(bytes)?
        };
        if self.to.is_closed() { Err(ErrorKind::BrokenPipe.into()) } else { Ok(written) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
