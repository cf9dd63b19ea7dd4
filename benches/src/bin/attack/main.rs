//! Attacks on receivers, clients and the command, on loopback. Counts what succeeded, and its cost.
//!
//! `cargo xtask attack` starts this program and writes the page. Each row is a line of JSON.
//! A target whose memory is measured is a separate process: this program, started again in a role.
#![forbid(unsafe_code)]

mod forged;
mod outages;
mod pages;
mod receiver;
mod redis_server;
mod replayed;
mod row;
mod starts;
mod text;
mod traffic;
mod wire;

use anyhow::{Context as _, Result, bail};
use tokio::runtime::Runtime;

/// The attacks, by their names.
const NAMES: [&str; 6] = ["forged", "replayed", "outages", "starts", "text", "pages"];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["receive", store] => receiver::serve(store),
        [name, scale] => {
            let scale = Scale(scale.parse().context("the scale is no number")?);
            let runtime = Runtime::new()?;
            let chosen: Vec<_> = NAMES
                .into_iter()
                .filter(|one| [one, "all"].contains(&name))
                .collect();
            if chosen.is_empty() {
                bail!("no attack is named {name:?}; there are {}", NAMES.join(", "));
            }
            for name in chosen {
                runtime
                    .block_on(run(name, scale))
                    .with_context(|| format!("failed to run the attack {name}"))?;
            }
            Ok(())
        }
        _ => bail!("give the name of an attack, or all, and a scale, such as `all 0.01`"),
    }
}

async fn run(name: &str, scale: Scale) -> Result<()> {
    match name {
        "forged" => forged::run(scale).await,
        "replayed" => replayed::run(scale).await,
        "outages" => outages::run(scale).await,
        "starts" => starts::run(scale).await,
        "text" => text::run(scale).await,
        _ => pages::run().await,
    }
}

/// The fraction of the usual number of requests.
#[derive(Clone, Copy)]
struct Scale(f64);

impl Scale {
    /// This fraction of `whole`, at least `least`.
    fn of(self, whole: u64, least: u64) -> u64 {
        ((whole as f64 * self.0) as u64).max(least)
    }
}
