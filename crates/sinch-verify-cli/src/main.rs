//! `sinch-verify`: the developer's command for phone-number verification.
#![forbid(unsafe_code)]

mod commands;
mod control;
mod exit;
mod input;
mod print;
mod span;
mod stop;
mod tampers;
mod target;
mod view;
mod which;

use std::process::ExitCode;

use clap::Parser;

use commands::{decode, demo, inbox, matching, report, serve, signature, start, status, trigger};

/// Verify phone numbers on Sinch, or on an emulator of it that needs no account.
///
/// Exit codes: 0 success, 1 no (not verified, no match, not as expected; `status`
/// only answers and has no no), 2 wrong usage or an unreadable file, 4 refused authorization, 5 network or timeout, 6 rate limited.
#[derive(Parser)]
#[command(name = "sinch-verify", version, max_term_width = 100)]
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
    /// Match a caller id against a filter, or cut the code out of a message.
    #[command(subcommand)]
    Match(matching::Command),
    /// Read a body of the wire as what it should be: the typed reading, and what was odd.
    Decode(decode::Args),
    /// Make or check the signature of a request or a callback.
    #[command(subcommand)]
    Signature(signature::Command),
    /// Post a signed callback to a receiver, and judge its answer.
    Trigger(trigger::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Start(args) => start::run(args).await,
        Command::Report(args) => report::run(args).await,
        Command::Status(args) => status::run(args).await,
        Command::Inbox(args) => inbox::run(args).await,
        Command::Match(command) => matching::run(command),
        Command::Decode(args) => decode::run(&args),
        Command::Signature(command) => signature::run(command),
        Command::Trigger(args) => trigger::run(args).await,
    };
    exit::code(result)
}
