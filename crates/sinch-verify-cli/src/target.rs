//! Which service a command talks to, and as whom.

use anyhow::Context as _;
use sinch_verify_client::Client;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl, Credentials};

use crate::exit::usage;

/// The emulator's address when `serve` chose its default port.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:9901";
const KEY: &str = "SINCH_APPLICATION_KEY";
const SECRET: &str = "SINCH_APPLICATION_SECRET";

/// Which service, and with which authorization. Key and secret come from
/// SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET.
#[derive(clap::Args)]
pub(crate) struct Target {
    /// The service's base URL.
    #[arg(long, env = "SINCH_VERIFICATION_URL", default_value = DEFAULT_URL)]
    url: BaseUrl,
    /// Allow a host that is not this machine: messages and calls there are real
    /// and cost money.
    #[arg(long)]
    live: bool,
    /// How to authorize: sign every request, send key and secret as they are, or
    /// send the key alone as a device does.
    #[arg(long, value_enum, default_value = "signed")]
    auth: Auth,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Auth {
    Signed,
    Basic,
    Public,
}

impl Target {
    /// A client for the service.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        if !self.url.is_loopback() && !self.live {
            return Err(usage(format!(
                "{} is not this machine: messages and calls there are real and cost money; add --live if you mean it",
                self.url.host()
            )));
        }
        let credentials = self.credentials()?;
        let client = Client::builder()
            .credentials(credentials)
            .base_url(self.url.clone())
            .build();
        client.context("failed to set the client up")
    }

    fn credentials(&self) -> anyhow::Result<Credentials> {
        let key: ApplicationKey = variable(KEY)?
            .parse()
            .map_err(|error| usage(format!("{KEY}: {error}")))?;
        if let Auth::Public = self.auth {
            return Ok(Credentials::public(key));
        }
        let secret = ApplicationSecret::new(&variable(SECRET)?)
            .map_err(|error| usage(format!("{SECRET}: {error}")))?;
        Ok(match self.auth {
            Auth::Basic => Credentials::basic(key, secret),
            Auth::Signed | Auth::Public => Credentials::signed(key, secret),
        })
    }
}

fn variable(name: &str) -> anyhow::Result<String> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        _ => Err(usage(format!(
            "{name} is not set; `sinch-verify serve` prints a line to paste"
        ))),
    }
}
