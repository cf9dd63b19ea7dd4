#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod commands;
mod config;
mod control;
mod exit;
mod failure;
mod feed;
mod input;
mod judge;
mod listing;
mod methods;
mod mistake;
mod phone;
mod policy_file;
mod print;
mod registration;
mod stop;
mod table;
mod tampers;
mod target;
mod typed_number;
mod view;
mod which;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory as _, Parser};

use crate::exit::Outcome;
use commands::{
    clock, completions, config as settings, decode, deliveries, demo, doctor, events, fault, inbox, listen,
    man, matching, policy, report, requests, reset, serve, signature, start, status, trigger, verify,
};

/// Verify phone numbers on Sinch, or on an emulator of it that needs no account.
#[derive(Parser)]
#[command(name = "sinch-verify", version, max_term_width = 100, after_help = exit::HELP)]
struct Cli {
    /// When to use colours. `auto` leaves them out where the output is no terminal, or NO_COLOR is set.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        display_order = 1000
    )]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Watch every method verified end to end against the emulator, on free ports.
    Demo(demo::Args),
    /// Run the emulator alone.
    Serve(Box<serve::Args>),
    /// Verify a number: start, ask for the code, and report it.
    Verify(verify::Args),
    /// Start a verification.
    Start(start::Args),
    /// Report the code, or the caller id of a flash call.
    Report(report::Args),
    /// Ask for the status of a verification.
    Status(status::Args),
    /// Read what reached the emulator's phones, and press their keys.
    Inbox(inbox::Args),
    /// Receive callbacks on this machine: check them, decide or hand them on, and show what came.
    Listen(Box<listen::Args>),
    /// Post a signed callback to a receiver, and judge its answer.
    Trigger(trigger::Args),
    /// Follow what happens in the emulator.
    Events(events::Args),
    /// List what the emulator's API was asked.
    Requests(requests::Args),
    /// List the callbacks that the emulator posted, and post them again.
    Deliveries(deliveries::Args),
    /// Show and move the emulator's time.
    #[command(subcommand)]
    Clock(clock::Command),
    /// Let the emulator's requests and callbacks fail on purpose.
    #[command(subcommand)]
    Fault(fault::Command),
    /// Let the emulator forget its verifications, messages, callbacks and requests.
    Reset(reset::Args),
    /// Find what keeps a verification from working, and what to do about it.
    Doctor(doctor::Args),
    #[command(subcommand)]
    Config(settings::Command),
    /// Match a caller id against a filter, or cut the code out of a message.
    #[command(subcommand)]
    Match(matching::Command),
    /// Decode a body and report its anomalies.
    Decode(decode::Args),
    /// Make or check the signature of a request or a callback.
    #[command(subcommand)]
    Signature(signature::Command),
    /// Try fraud limits on the past.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Print a script that lets a shell complete this command.
    Completions(completions::Args),
    /// Write manual pages.
    Man(man::Args),
}

impl Command {
    /// Whether the output is for scripts.
    fn json(&self) -> bool {
        match self {
            Self::Demo(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Start(args) => args.json,
            Self::Report(args) => args.json,
            Self::Status(args) => args.json,
            Self::Inbox(args) => args.json(),
            Self::Listen(args) => args.json,
            Self::Trigger(args) => args.json,
            Self::Events(args) => args.emulator.json,
            Self::Requests(args) => args.json(),
            Self::Deliveries(args) => args.json(),
            Self::Clock(command) => command.json(),
            Self::Fault(command) => command.json(),
            Self::Doctor(args) => args.json,
            Self::Config(command) => command.json(),
            Self::Decode(args) => args.json,
            Self::Policy(command) => command.json(),
            Self::Serve(_)
            | Self::Reset(_)
            | Self::Match(_)
            | Self::Signature(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }

    async fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Demo(args) => demo::run(args).await,
            Self::Serve(args) => serve::run(*args).await,
            Self::Verify(args) => verify::run(args).await,
            Self::Start(args) => start::run(args).await,
            Self::Report(args) => report::run(args).await,
            Self::Status(args) => status::run(args).await,
            Self::Inbox(args) => inbox::run(args).await,
            Self::Listen(args) => listen::run(*args).await,
            Self::Trigger(args) => trigger::run(args).await,
            Self::Events(args) => events::run(args).await,
            Self::Requests(args) => requests::run(args).await,
            Self::Deliveries(args) => deliveries::run(args).await,
            Self::Clock(command) => clock::run(command).await,
            Self::Fault(command) => fault::run(command).await,
            Self::Reset(args) => reset::run(args).await,
            Self::Doctor(args) => doctor::run(args).await,
            Self::Config(command) => settings::run(command),
            Self::Match(command) => matching::run(command),
            Self::Decode(args) => decode::run(&args),
            Self::Signature(command) => signature::run(command),
            Self::Policy(command) => policy::run(command).await,
            Self::Completions(args) => completions::run(&args, Cli::command()),
            Self::Man(args) => man::run(&args, Cli::command()),
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { color, command } = Cli::parse();
    print::choose_color(color);
    let json = command.json();
    failure::exit_code(command.run().await, json)
}
