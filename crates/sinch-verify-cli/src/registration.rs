//! Where the emulator posts callbacks, for as long as a receiver here runs.

use sinch_verify_protocol::{ApplicationKey, BaseUrl};

use crate::control::{Application, Control, EmulatorUnreachable, Info, escaped};
use crate::exit::{failed, usage};
use crate::print::note;

/// The emulator posts to us, until [`put_back`](Self::put_back).
pub(crate) struct Registered {
    control: Control,
    key: ApplicationKey,
    url: String,
    /// Where it posted before.
    before: Option<String>,
}

/// Has the emulator at `base` post to `url`, if there is one, and it is of this machine. Says in a
/// line where callbacks come from.
pub(crate) async fn register_if_there(
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
    let registered = set(control, info, key, url).await?;
    let message = format!("The emulator at {base} posts here until then.");
    Ok((Some(registered), message))
}

/// Has the emulator post to `url`.
pub(crate) async fn register(
    control: Control,
    key: &ApplicationKey,
    url: &str,
) -> anyhow::Result<Registered> {
    let info = control.info().await?;
    let info =
        info.ok_or_else(|| failed("the emulator has gone; start it again with `sinch-verify serve`"))?;
    set(control, info, key, url).await
}

async fn set(control: Control, info: Info, key: &ApplicationKey, url: &str) -> anyhow::Result<Registered> {
    let Some(application) = find(info.applications, key) else {
        return Err(usage(format!(
            "the emulator at {} has no application with this key; set SINCH_APPLICATION_KEY and \
             SINCH_APPLICATION_SECRET to those that `sinch-verify serve` prints, or unset both for the \
             development key and secret",
            control.base()
        )));
    };
    let registered = Registered {
        control,
        key: key.clone(),
        url: url.to_owned(),
        before: application.callback_url,
    };
    registered.set(Some(url)).await?;
    Ok(registered)
}

fn find(applications: Vec<Application>, key: &ApplicationKey) -> Option<Application> {
    applications
        .into_iter()
        .find(|application| application.key == key.as_str())
}

impl Registered {
    /// Where the emulator posted before.
    pub(crate) fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// Has callbacks posted where they were before, unless the callback URL was changed since.
    pub(crate) async fn put_back(&self) {
        let back = async {
            if self.is_current().await? {
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

    /// Whether the emulator still posts to us.
    pub(crate) async fn is_current(&self) -> anyhow::Result<bool> {
        let Some(info) = self.control.info().await? else {
            return Ok(false);
        };
        let now = find(info.applications, &self.key).and_then(|application| application.callback_url);
        Ok(now.as_deref() == Some(&self.url))
    }

    async fn set(&self, url: Option<&str>) -> anyhow::Result<()> {
        let path = format!("/_emu/applications/{}/callback", escaped(self.key.as_str()));
        let body = serde_json::json!({ "url": url });
        self.control.put(&path, &body).await
    }
}
