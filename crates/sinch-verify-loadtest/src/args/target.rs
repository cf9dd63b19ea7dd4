//! What is under load.

use std::env;

use sinch_verify_loadtest::{Elsewhere, TargetUrl};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

const KEY: &str = "SINCH_APPLICATION_KEY";
const SECRET: &str = "SINCH_APPLICATION_SECRET";

#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// Another emulator on this machine, such as http://127.0.0.1:9901. Its application comes from
    /// SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET. Without it a run starts an emulator of
    /// its own.
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<TargetUrl>,
}

impl TargetArgs {
    /// The target and who asks it, or what keeps it from being asked; `None` for an emulator of the
    /// run's own.
    pub(crate) fn target(&self) -> Result<Option<Elsewhere>, String> {
        let Some(url) = &self.target else {
            return Ok(None);
        };
        let given = |name| env::var(name).map_err(|_| format!("--target needs {name} in the environment"));
        let key = ApplicationKey::new(&given(KEY)?).map_err(|error| format!("{KEY}: {error}"))?;
        let secret = ApplicationSecret::new(&given(SECRET)?).map_err(|error| format!("{SECRET}: {error}"))?;
        let url = url.clone();
        Ok(Some(Elsewhere { url, key, secret }))
    }
}
