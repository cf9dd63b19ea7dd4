//! The emulator, with commands on standard input that read its state.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use sinch_verify_emulator::{Application, Emulator, Settings};
use tokio::runtime::Runtime;

use crate::fixture;
use crate::process::{number, ready, serve_lines};

/// Serves an emulator. `manual` pauses its clock; `callback URL` sets its callback URL.
pub(crate) fn run(runtime: &Runtime, args: &[&str]) -> Result<()> {
    let mut application = Application::new(fixture::key()?, fixture::secret()?);
    // A million verifications, and one more for each start that ends one of them.
    let mut settings = Settings::default();
    settings.pending_bytes *= 2;
    let mut builder = Emulator::builder().seed(1).settings(settings);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "manual" => builder = builder.manual_clock(SystemTime::now()),
            "callback" => {
                application = application.callback_url(args.next().context("no URL")?.parse()?);
            }
            _ => bail!("the emulator's server knows no {arg:?}"),
        }
    }
    let emulator = runtime.block_on(builder.application(application).start())?;
    ready(emulator.addr().port());
    let emulator = Arc::new(emulator);
    let asked = Arc::clone(&emulator);
    let (ended, end) = tokio::sync::oneshot::channel();
    thread::spawn(move || {
        let _ = ended.send(serve_lines(|words| answer(&asked, words)));
    });
    runtime.block_on(end)?
}

fn answer(emulator: &Emulator, words: &[&str]) -> Result<Value> {
    match words {
        // The id and the code of the latest message to each of these numbers.
        ["codes", ..] => {
            let (series, first, count) = (number(words, 1)?, number(words, 2)?, number(words, 3)?);
            let one = |n| {
                let number = fixture::number(series, n).parse()?;
                let messages = emulator.inbox(&number);
                let message = messages.first().context("a number has no message")?;
                let code = message.code.as_ref().context("a message has no code")?;
                Ok(json!([message.verification_id.as_str(), code.expose()]))
            };
            (first..first + count).map(one).collect()
        }
        ["advance", ..] => {
            emulator.advance(Duration::from_secs(number(words, 1)?));
            Ok(Value::Null)
        }
        _ => bail!("the emulator's server does not understand {words:?}"),
    }
}
