//! Where the emulator posts callbacks, for as long as we listen.

use sinch_verify_protocol::{ApplicationKey, BaseUrl};

use crate::control::{Application, Control, EmulatorUnreachable, escaped};
use crate::exit::usage;
use crate::print::note;

/// The emulator posts to us, until [`put_back`](Self::put_back).
pub(super) struct Registered {
    control: Control,
    key: ApplicationKey,
    url: String,
    /// Where it posted before.
    before: Option<String>,
}

/// Has the emulator at `base` post to `url`, if there is one, and it is of this machine. Says in a
/// line where callbacks come from.
pub(super) async fn register(
    base: &BaseUrl,
    key: &ApplicationKey,
    url: &str,
    no_register: bool,
) -> anyhow::Result<(Option<Registered>, String)> {
    if no_register {
        return Ok((
            None,
            format!("Nothing is registered: have callbacks posted to {url}."),
        ));
    }
    if !base.is_loopback() {
        let message = format!(
            "{} does not reach this machine: in the dashboard, enter the URL of a tunnel to {url}, with the same path.",
            base.host()
        );
        return Ok((None, message));
    }
    let control = Control::at(base)?;
    let info = match control.info().await {
        Ok(Some(info)) => info,
        Ok(None) => {
            return Ok((
                None,
                format!("No emulator is at {base}: have callbacks posted to {url}."),
            ));
        }
        Err(error) if error.is::<EmulatorUnreachable>() => {
            let message = format!(
                "No emulator answers at {base}: start one with `sinch-verify serve --callback-url {url}`."
            );
            return Ok((None, message));
        }
        Err(error) => return Err(error),
    };
    let Some(application) = find(info.applications, key) else {
        return Err(usage(format!(
            "the emulator at {base} has no application with the key in SINCH_APPLICATION_KEY; \
             paste the lines that `sinch-verify serve` prints"
        )));
    };
    let registered = Registered {
        control,
        key: key.clone(),
        url: url.to_owned(),
        before: application.callback_url,
    };
    registered.set(Some(url)).await?;
    let message = format!("The emulator at {base} posts here until then.");
    Ok((Some(registered), message))
}

fn find(applications: Vec<Application>, key: &ApplicationKey) -> Option<Application> {
    applications
        .into_iter()
        .find(|application| application.key == key.as_str())
}

impl Registered {
    /// Has callbacks posted where they were before, unless the callback URL was changed since.
    pub(super) async fn put_back(self) {
        let back = async {
            let Some(info) = self.control.info().await? else {
                return Ok(());
            };
            let now = find(info.applications, &self.key).and_then(|application| application.callback_url);
            if now.as_deref() == Some(&self.url) {
                self.set(self.before.as_deref()).await?;
            }
            anyhow::Ok(())
        };
        match back.await {
            // An emulator that is gone has forgotten it anyway.
            Err(error) if !error.is::<EmulatorUnreachable>() => {
                note!("failed to put the callback URL back: {error:#}");
            }
            _ => {}
        }
    }

    async fn set(&self, url: Option<&str>) -> anyhow::Result<()> {
        let path = format!("/_emu/applications/{}/callback", escaped(self.key.as_str()));
        let body = serde_json::json!({ "url": url });
        self.control.put(&path, &body).await
    }
}
