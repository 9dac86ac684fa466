//! Exit codes, and what leads to which.

use std::io;
use std::process::ExitCode;

use tabark::Error;

/// What the program ends with. `spec/cli.md` promises the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Well,
    /// What was compared differs.
    Different,
    /// The operation failed.
    Failed,
    /// The operation failed, of a command that tells of a difference by its code.
    NotCompared,
    /// The command line is wrong.
    Usage,
    /// The archive is damaged, or a restored table is not what the snapshot holds.
    Damaged,
    /// The archive needs a newer program.
    Unsupported,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Different | Self::Failed => 1,
            Self::NotCompared | Self::Usage => 2,
            Self::Damaged => 3,
            Self::Unsupported => 4,
        }
    }

    /// The same for a command whose code 1 means that something differs.
    pub(crate) fn of_comparison(self) -> Self {
        if self == Self::Failed { Self::NotCompared } else { self }
    }

    /// The code for an error of the library.
    pub(crate) fn of(error: &Error) -> Self {
        if error.is_unsupported() {
            Self::Unsupported
        } else if error.is_damaged() || error.is_not_proven() {
            Self::Damaged
        } else {
            Self::Failed
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command did not come to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library said so.
    Operation(Error),
    /// The command line asks for what makes no sense.
    Usage(Error),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl Failure {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Operation(error) => Exit::of(error),
            Self::Usage(_) => Exit::Usage,
            Self::Output(_) => Exit::Failed,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Operation(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tabark::Layer;

    #[test]
    fn errors_have_the_codes_that_are_promised() {
        assert_eq!(Exit::of(&Error::request("x")).code(), 1);
        assert_eq!(Exit::of(&Error::interrupted()).code(), 1);
        assert_eq!(Exit::of(&Error::damaged(Layer::Frame, "x")).code(), 3);
        assert_eq!(Exit::of(&Error::not_proven("x")).code(), 3);
        assert_eq!(Exit::of(&Error::unsupported("x")).code(), 4);
        assert_eq!(Failure::Usage(Error::request("x")).exit().code(), 2);
        assert_eq!(Exit::of(&Error::request("x")).of_comparison().code(), 2);
        assert_eq!(Exit::of(&Error::unsupported("x")).of_comparison().code(), 4);
        assert_eq!(Exit::Different.of_comparison().code(), 1);
    }
}
