//! `completions`: what a shell needs to complete this command.

use clap_complete::Shell;

use crate::exit::Outcome;
use crate::print::say;

/// Arguments of `completions`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The shell that is to complete.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script, for `command` with all below it.
pub(crate) fn run(args: &Args, mut command: clap::Command) -> anyhow::Result<Outcome> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let mut script = String::from_utf8(script)?;
    if args.shell == Shell::Bash {
        // Its arms spell a command's hyphen in another way than what chooses among them, so that nothing
        // is completed after the first word: https://github.com/clap-rs/clap/issues/6421
        script = script.replace("sinch__subcmd__verify", "sinch__verify");
    }
    say!("{}", script.trim_end());
    Ok(Outcome::Yes)
}
