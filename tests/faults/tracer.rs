//! Commands that run with a fault at one of their storage operations.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::note::note;
use super::tree;

/// What happens at an operation (see `tracer.c`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NoSpace,
    InputOutput,
    DiskFull,
    Kill,
    KillHalfway,
    Interrupt,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] =
        [Self::NoSpace, Self::InputOutput, Self::DiskFull, Self::Kill, Self::KillHalfway, Self::Interrupt];

    const fn name(self) -> &'static str {
        match self {
            Self::NoSpace => "enospc",
            Self::InputOutput => "eio",
            Self::DiskFull => "full",
            Self::Kill => "kill",
            Self::KillHalfway => "half",
            Self::Interrupt => "int",
        }
    }

    /// Does the program get no chance to clean up?
    pub(crate) const fn kills(self) -> bool {
        matches!(self, Self::Kill | Self::KillHalfway)
    }
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) told: String,
    /// Names of its storage operations, in order.
    pub(crate) operations: Vec<String>,
}

/// The tracer; `None` (with one line that says why) where commands cannot be traced.
fn tracer() -> Option<&'static Path> {
    static TRACER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let made = TRACER.get_or_init(|| {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            note("skipped: faults at storage operations; the tracer knows Linux on x86-64 only");
            return None;
        }
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tracer");
        let source = tree::root().join("tests/faults/tracer.c");
        let compiled = Command::new("cc").args(["-O1", "-Wall", "-Werror", "-o"]).arg(&program).arg(source).status();
        assert!(compiled.unwrap().success(), "the tracer does not compile");
        let scratch = tempfile::tempdir().unwrap();
        let mut trial = Command::new(&program);
        trial.arg(scratch.path()).args(["0", "none"]).arg(scratch.path().join("report")).arg("/bin/true");
        if !trial.stderr(Stdio::null()).status().unwrap().success() {
            note("skipped: faults at storage operations; this machine does not let programs be traced");
            return None;
        }
        Some(program)
    });
    made.as_deref()
}

/// Runs `tabark` with a fault at operation `number` below `folder`; without a fault, counts them. `None` where that cannot be.
pub(crate) fn run(folder: &Path, fault: Option<(usize, Fault)>, arguments: &[PathBuf]) -> Option<Outcome> {
    let scratch = tempfile::tempdir().unwrap();
    let report = scratch.path().join("report");
    let (number, kind) = fault.map_or((0, "none"), |(number, fault)| (number, fault.name()));
    let mut command = Command::new(tracer()?);
    command.arg(folder).arg(number.to_string()).arg(kind).arg(&report);
    let output = command.arg(env!("CARGO_BIN_EXE_tabark")).args(arguments).stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code().unwrap();
    assert!(code != 125, "the tracer failed: {told}");
    let operations = std::fs::read_to_string(report).unwrap();
    let operations = operations.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
    Some(Outcome { code, told, operations })
}

/// Runs `tabark` undisturbed; it must succeed.
pub(crate) fn succeed(arguments: &[PathBuf]) {
    let output = Command::new(env!("CARGO_BIN_EXE_tabark")).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
