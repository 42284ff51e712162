//! What is printed about the command line itself: its version, its manual page, completions for
//! shells.

use super::Cli;
use super::serve::fail;
use clap::CommandFactory;
use std::io::{Error, Write};
use std::process::ExitCode;

/// The version and, where the build knew it, the commit: build.rs.
pub const VERSION: &str = env!("DBTRAIL_VERSION");

/// The manual page of the program and then of each subcommand, in roff.
pub fn manual() -> ExitCode {
    let mut command = Cli::command();
    // Gives each subcommand its whole name.
    command.build();
    let mut page = Vec::new();
    let made = clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .and_then(|()| write_subcommands(&command, &mut page));
    print(made.map(|()| page))
}

fn write_subcommands(command: &clap::Command, page: &mut Vec<u8>) -> Result<(), Error> {
    for subcommand in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let title = subcommand.get_bin_name().unwrap_or_else(|| subcommand.get_name()).to_uppercase();
        writeln!(page, ".SH \"{title}\"")?;
        let man = clap_mangen::Man::new(subcommand.clone());
        man.render_synopsis_section(page)?;
        man.render_description_section(page)?;
        man.render_options_section(page)?;
        write_subcommands(subcommand, page)?;
    }
    Ok(())
}

/// The script of completions for a shell.
pub fn completions(shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dbtrail-shim", &mut script);
    print(Ok(script))
}

/// On standard output; a reader that has seen enough (`| head`) is no failure.
fn print(text: Result<Vec<u8>, Error>) -> ExitCode {
    let written = text.and_then(|t| std::io::stdout().write_all(&t));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&format!("standard output: {error}")),
    }
}
