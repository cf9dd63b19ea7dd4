//! `demo`: every method verified end to end, over real HTTP, with real
//! signatures and real callbacks, on this machine.

mod backend;
mod flows;
mod methods;
mod show;
mod timeline;
mod world;

use crate::exit::Outcome;
use crate::print::say;
use crate::stop::stopped;

/// Arguments of `demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print one JSON document instead of timelines and a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Leave the emulator and its page up at the end, with the flows in it, until Ctrl-C.
    #[arg(long, conflicts_with = "json")]
    keep_open: bool,
    /// The seed of the emulator's codes and caller ids.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let world = world::World::start(args.seed).await?;
    let mut show = show::Show::new(args.json);
    show.world(&world);
    for flow in flows::all() {
        let row = flow.run(&world).await;
        show.row(row);
    }
    let ok = show.finish()?;
    if args.keep_open {
        say!(
            "\nThe flows are on the page at {}/ (Ctrl-C stops it)",
            world.emulator.url()
        );
        stopped().await?;
    }
    world.stop().await;
    Ok(ok.into())
}
