//! `status`: ask for the status of a verification.

use sinch_verify_protocol::Method;

use crate::exit::Outcome;
use crate::methods::{Chosen, MethodArg};
use crate::target::Target;
use crate::view;
use crate::which::{self, Which};

/// Arguments of `status`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: which::Args,
    /// With `--number`: the verification's method; sms when it is left out.
    #[arg(long, value_enum)]
    method: Option<MethodArg>,
    /// Print the service's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    target: Target,
}

/// Runs the command. The exit code is 0 whatever the status: it was asked and
/// answered.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let client = args.target.client()?;
    let chosen = Chosen::or(args.method, Method::Sms);
    let (answer, chosen) = match args.which.which()? {
        Which::Id(id) => (client.status_by_id(id).await, None),
        Which::Reference(reference) => (client.status_by_reference(reference).await, None),
        Which::Number(number) => {
            let answer = client.status_by_number(chosen.method.clone(), number).await;
            (answer, Some(chosen))
        }
    };
    let answer = answer.map_err(|error| {
        let told = chosen.map(|chosen| chosen.failed_to("ask for the status", &error));
        let error = anyhow::Error::new(error);
        match told {
            Some(told) => error.context(told),
            None => error,
        }
    })?;
    view::print(&answer, args.json, view::verification(&answer))?;
    Ok(Outcome::Yes)
}
