//! `tabark`: dump database tables into verified snapshot archives, look at them, prove them, restore them.
//!
//! The library does the work; this program turns arguments into calls and results into text, JSON and exit codes.
//! `spec/cli.md` writes down what scripts may rely on.

mod args;
mod commands;
mod exit;
mod interrupt;
mod pipe;
mod postgres;
mod progress;
mod report;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::exit::Exit;
use crate::pipe::Pipe;
use crate::report::problems;

fn main() -> ExitCode {
    postgres::hide_passwords();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => {
            // Help and version are "errors" to clap. Nobody may be listening; that changes nothing.
            let _ = refusal.print();
            return if refusal.use_stderr() { Exit::Usage.into() } else { Exit::Well.into() };
        }
    };
    let mut out = Pipe::stdout();
    let exit = match commands::run(&cli.command, &mut out) {
        Ok(exit) => exit,
        Err(failure) => {
            let exit = if cli.command.compares() { failure.exit().of_comparison() } else { failure.exit() };
            problems::report(&failure, exit, cli.command.wants_json(), &mut out);
            exit
        }
    };
    exit.into()
}
