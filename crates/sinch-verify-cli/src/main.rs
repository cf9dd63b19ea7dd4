#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod commands;
mod control;
mod exit;
mod failure;
mod input;
mod judge;
mod methods;
mod mistake;
mod policy_file;
mod print;
mod stop;
mod table;
mod tampers;
mod target;
mod typed_number;
mod view;
mod which;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};

use crate::exit::Outcome;
use commands::{
    completions, decode, demo, inbox, listen, matching, policy, report, serve, signature, start, status,
    trigger,
};

/// Verify phone numbers on Sinch, or on an emulator of it that needs no account.
#[derive(Parser)]
#[command(name = "sinch-verify", version, max_term_width = 100, after_help = exit::HELP)]
enum Command {
    /// Watch every method verified end to end against the emulator, on free ports.
    Demo(demo::Args),
    /// Run the emulator alone.
    Serve(serve::Args),
    /// Start a verification.
    Start(start::Args),
    /// Report the code, or the caller id of a flash call.
    Report(report::Args),
    /// Ask for the status of a verification.
    Status(status::Args),
    /// Read what reached the emulator's phones, and press their keys.
    Inbox(inbox::Args),
    /// Receive callbacks on this machine: check them, decide or hand them on, and show what came.
    Listen(listen::Args),
    /// Match a caller id against a filter, or cut the code out of a message.
    #[command(subcommand)]
    Match(matching::Command),
    /// Decode a body and report its anomalies.
    Decode(decode::Args),
    /// Make or check the signature of a request or a callback.
    #[command(subcommand)]
    Signature(signature::Command),
    /// Post a signed callback to a receiver, and judge its answer.
    Trigger(trigger::Args),
    /// Try fraud limits on the past.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Print a script that lets a shell complete this command.
    Completions(completions::Args),
}

impl Command {
    /// Whether the output is for scripts.
    fn json(&self) -> bool {
        match self {
            Self::Demo(args) => args.json,
            Self::Start(args) => args.json,
            Self::Report(args) => args.json,
            Self::Status(args) => args.json,
            Self::Inbox(args) => args.json(),
            Self::Listen(args) => args.json,
            Self::Decode(args) => args.json,
            Self::Trigger(args) => args.json,
            Self::Policy(command) => command.json(),
            Self::Serve(_) | Self::Match(_) | Self::Signature(_) | Self::Completions(_) => false,
        }
    }

    async fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Demo(args) => demo::run(args).await,
            Self::Serve(args) => serve::run(args).await,
            Self::Start(args) => start::run(args).await,
            Self::Report(args) => report::run(args).await,
            Self::Status(args) => status::run(args).await,
            Self::Inbox(args) => inbox::run(args).await,
            Self::Listen(args) => listen::run(args).await,
            Self::Match(command) => matching::run(command),
            Self::Decode(args) => decode::run(&args),
            Self::Signature(command) => signature::run(command),
            Self::Trigger(args) => trigger::run(args).await,
            Self::Policy(command) => policy::run(command).await,
            Self::Completions(args) => completions::run(&args, Self::command()),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::parse();
    let json = command.json();
    failure::exit_code(command.run().await, json)
}
