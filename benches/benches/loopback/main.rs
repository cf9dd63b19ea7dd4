//! The benches that need sockets: the client, the callback receiver and the emulator, each compared with
//! bare hyper or reqwest and with the programs of others; and how costs grow.
//!
//! `cargo xtask bench client|callback|emulator|load|growth` starts this program and writes the page. It measures
//! both sides of a row in the same round and prints each measurement as a line of JSON. Servers and clients
//! are separate processes on separate cores: this program, started again in a role.
#![forbid(unsafe_code)]

mod callback;
mod client;
mod emulator;
mod growth;
mod hand_written;
mod load;
mod load_generator;
mod measurement;
mod peers;
mod requests;
mod serve;
mod slow_receiver;
mod verify;

use anyhow::{Context as _, Result, bail};
use process::{Core, number};
use sinch_verify_benches::{fixture, process, samples};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", what, ref rest @ ..] => serve::run(what, rest),
        ["request", how, url] => requests::run(how, url),
        ["check", file] => verify::check(file),
        ["check-standard", file] => verify::check_standard(file),
        ["remember"] => verify::remember(),
        [area, _] => {
            if let Some(status) = Core::pin()? {
                std::process::exit(status.code().unwrap_or(1));
            }
            let rounds = u32::try_from(number(&words, 1)?).context("too many rounds")?;
            match area {
                "callback" => callback::run(rounds),
                "emulator" => emulator::run(rounds),
                "growth" => growth::run(rounds),
                "load" => load::run(rounds),
                "client" => client::run(rounds),
                _ => bail!("no area is named {area:?}"),
            }
        }
        _ => bail!("say an area and how many rounds: client 5; or see `cargo xtask bench --help`"),
    }
}
