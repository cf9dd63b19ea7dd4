//! Which service a command talks to, and as whom.

use anyhow::Context as _;
use sinch_verify_client::{Client, Error, env};
use sinch_verify_protocol::{BaseUrl, Credentials};

use crate::exit::usage;
use crate::failure::CallFailed;

/// The emulator's address when `serve` chose its default port.
pub(crate) const DEFAULT_URL: &str = "http://127.0.0.1:9901";

/// Where a service is.
#[derive(clap::Args)]
pub(crate) struct Address {
    /// The service's base URL.
    #[arg(long, env = "SINCH_VERIFICATION_URL", default_value = DEFAULT_URL)]
    pub(crate) url: BaseUrl,
}

/// Which service, and with which authorization. Key and secret come from
/// SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET.
#[derive(clap::Args)]
pub(crate) struct Target {
    #[command(flatten)]
    address: Address,
    /// Allow a host that is not this machine, over https: messages and calls there
    /// are real and cost money.
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
        let url = &self.address.url;
        if !url.is_loopback() && !self.live {
            return Err(usage(format!(
                "{} is not this machine: messages and calls there are real and cost money; add --live if that is meant",
                url.host()
            )));
        }
        // A signature hides no number and no code, and basic authorization not even the secret.
        if !url.is_loopback()
            && let Some(rest) = url.to_string().strip_prefix("http://")
        {
            return Err(usage(format!(
                "numbers, codes and credentials would go to http://{rest} unencrypted; use https://{rest}, \
                 or a tunnel from a port of this machine"
            )));
        }
        let client = Client::builder()
            .credentials(self.credentials()?)
            .base_url(url.clone())
            .build();
        client.context("failed to set up the client")
    }

    /// The failure of a call that the client made.
    pub(crate) fn failed(&self, error: Error) -> CallFailed {
        CallFailed::new(error, self.address.url.clone())
    }

    /// Whether the service is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.address.url.is_loopback()
    }

    fn credentials(&self) -> anyhow::Result<Credentials> {
        let key = env::application_key().map_err(usage)?;
        if let Auth::Public = self.auth {
            return Ok(Credentials::public(key));
        }
        let secret = env::application_secret().map_err(usage)?;
        Ok(match self.auth {
            Auth::Basic => Credentials::basic(key, secret),
            Auth::Signed | Auth::Public => Credentials::signed(key, secret),
        })
    }
}
