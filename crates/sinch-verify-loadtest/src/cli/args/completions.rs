//! The script that lets a shell complete this command.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Args;

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArgs {
    /// The script.
    pub(crate) fn script(&self) -> String {
        let mut command = Args::command();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        let script = String::from_utf8_lossy(&script);
        if self.shell == Shell::Bash {
            // Its arms spell a command's hyphens in another way than what chooses among them, so that nothing
            // is completed after the first word: https://github.com/clap-rs/clap/issues/6421
            return script.replace("sinch__subcmd__verify__subcmd__load", "sinch__verify__load");
        }
        script.into_owned()
    }
}
