//! `signature sign` and `signature check`.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use sinch_verify_protocol::auth::{
    Authorization, ContentMd5, Explain, InvalidAuthorization, PathForm, PathPolicy, Signature, SignedMessage,
    Signer, Verifier, X_TIMESTAMP,
};
use sinch_verify_protocol::timestamp::{self, XTimestamp};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

use crate::exit::{Outcome, usage};
use crate::input;
use crate::mistake;
use crate::print::{note, say};

/// Sign or check.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print the `Authorization` value for a request; without `--timestamp`, the headers to send.
    ///
    /// The headers are lines that `curl -H @-` takes, signed with the time now: send the request at once.
    Sign {
        #[command(flatten)]
        message: Message,
        /// The `x-timestamp` header's value; the time now if you leave it out.
        #[arg(long)]
        timestamp: Option<String>,
    },
    /// Check an `Authorization` value. Exit code 0 when it is right, 1 when not.
    Check {
        #[command(flatten)]
        message: Message,
        /// The `x-timestamp` header's value.
        #[arg(long)]
        timestamp: String,
        /// The `Authorization` header's value.
        #[arg(long, value_name = "VALUE")]
        authorization: String,
        /// A file with the string that the sender signed: names the first line
        /// that differs.
        #[arg(long, value_name = "FILE")]
        string_file: Option<PathBuf>,
    },
}

/// The signed parts of a message.
#[derive(clap::Args)]
pub(crate) struct Message {
    /// The application's key.
    #[arg(long, value_name = "KEY", env = "SINCH_APPLICATION_KEY")]
    key: String,
    /// The application's secret, as the dashboard shows it.
    #[arg(
        long,
        value_name = "SECRET",
        env = "SINCH_APPLICATION_SECRET",
        hide_env_values = true
    )]
    secret: String,
    /// The HTTP method.
    #[arg(long, value_name = "VERB", default_value = "POST")]
    method: String,
    /// The path, as sent. A query may stand behind it: it is not signed.
    #[arg(long)]
    path: String,
    /// The `Content-Type` header's value, with its charset if it has one; leave
    /// it out when the message has none.
    #[arg(long, value_name = "TYPE", default_value = "")]
    content_type: String,
    /// The file that holds the body, `-` for standard input; leave it out for
    /// no body.
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// Take a secret in url-safe base64, or without padding.
    #[arg(long)]
    lenient_secret: bool,
    /// Print the string to sign on stderr and, for a signature that is wrong,
    /// the known mistake that leads to it.
    #[arg(long)]
    explain: bool,
}

/// Runs the command.
pub(crate) fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Sign { message, timestamp } => sign(&message, timestamp),
        Command::Check {
            message,
            timestamp,
            authorization,
            string_file,
        } => check(&message, timestamp, &authorization, string_file.as_deref()),
    }
}

fn sign(message: &Message, given: Option<String>) -> anyhow::Result<Outcome> {
    let (key, secret) = message.credentials()?;
    let is_given = given.is_some();
    let now = || XTimestamp::new(SystemTime::now()).as_str().to_owned();
    let read = message.read(given.unwrap_or_else(now))?;
    message.explain(&read);
    let signature = Signer::new(key.clone(), &secret).signature(&message.received(&read).string_to_sign());
    let authorization = format!("Application {key}:{}", signature.to_text().as_str());
    if is_given {
        say!("{authorization}");
        return Ok(Outcome::Yes);
    }
    if !message.content_type.is_empty() {
        say!("{CONTENT_TYPE}: {}", message.content_type);
    }
    say!("{X_TIMESTAMP}: {}", read.timestamp);
    say!("{AUTHORIZATION}: {authorization}");
    Ok(Outcome::Yes)
}

fn check(
    message: &Message,
    timestamp: String,
    authorization: &str,
    theirs: Option<&Path>,
) -> anyhow::Result<Outcome> {
    let (key, secret) = message.credentials()?;
    let read = message.read(timestamp)?;
    message.explain(&read);
    let received = message.received(&read);
    let explain = Explain {
        message: &received,
        body: &read.body,
        host: None,
        secret: &secret,
    };
    if let Some(file) = theirs {
        match explain.difference(&input::read(file)?) {
            Some(difference) => note!("the first line that differs is the {difference}"),
            None => note!("the sender's string is the one to sign"),
        }
    }
    let signature = match signature_of(authorization, &key) {
        Ok(signature) => signature,
        Err(why) => {
            no(&why);
            if message.explain
                && let Some(text) = odd_signature(authorization, &key)
            {
                no(&mistake::describe(&explain, text));
            }
            return Ok(Outcome::No);
        }
    };
    match Verifier::new(key, &secret).check_signature(&received, &signature, PathPolicy::any_sdk()) {
        Ok(form) => say!("{}", right(form)),
        Err(error) => {
            no(&error.to_string());
            if message.explain {
                no(&mistake::describe(
                    &explain,
                    signature.to_text().as_str().as_bytes(),
                ));
            }
            return Ok(Outcome::No);
        }
    }
    Ok(Outcome::Yes)
}

fn signature_of(authorization: &str, key: &ApplicationKey) -> Result<Signature, String> {
    match Authorization::parse(authorization.as_bytes()) {
        Ok(Authorization::Signed {
            key: given,
            signature,
        }) if given == key.as_str() => Ok(signature),
        Ok(Authorization::Signed { .. }) => Err("authorization is of another key".to_owned()),
        Ok(_) => Err("authorization carries no signature".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The text of a signature whose form no service takes.
fn odd_signature<'a>(authorization: &'a str, key: &ApplicationKey) -> Option<&'a [u8]> {
    let header = authorization.as_bytes();
    let is_form = matches!(
        Authorization::parse(header),
        Err(InvalidAuthorization::SignatureForm)
    );
    let (given, text) = Authorization::key_and_signature_text(header).filter(|_| is_form)?;
    (given == key.as_str()).then_some(text)
}

fn right(form: PathForm) -> &'static str {
    match form {
        PathForm::AsReceived => "signature is right",
        PathForm::Decoded => "signature is right for the percent-decoded path",
        PathForm::WithQuery => "signature is right for the path with its query",
        _ => "signature is right for another form of the path",
    }
}

fn no(why: &str) -> Outcome {
    note!("{why}");
    Outcome::No
}

/// What was read or worked out for a message.
struct Read {
    verb: String,
    timestamp: String,
    body: Vec<u8>,
    content_md5: ContentMd5,
}

impl Message {
    fn credentials(&self) -> anyhow::Result<(ApplicationKey, ApplicationSecret)> {
        let key = self.key.parse().map_err(usage)?;
        let secret = if self.lenient_secret {
            ApplicationSecret::lenient(&self.secret).map_err(usage)?
        } else {
            ApplicationSecret::new(&self.secret)
                .map_err(|error| usage(format!("{error}, or give --lenient-secret")))?
        };
        Ok((key, secret))
    }

    fn read(&self, timestamp: String) -> anyhow::Result<Read> {
        for (flag, text) in [
            ("--method", &self.method),
            ("--path", &self.path),
            ("--content-type", &self.content_type),
            ("--timestamp", &timestamp),
        ] {
            if text.contains(char::is_control) {
                return Err(usage(format!(
                    "{flag} has a line end or another control character"
                )));
            }
        }
        if !self.path.starts_with('/') {
            note!("warning: a path starts with `/`");
        }
        if timestamp::parse(&timestamp).is_err() {
            note!("warning: no service takes this timestamp; it has the form 2026-01-02T03:04:05.067Z");
        }
        let body = self.body_file.as_deref().map_or(Ok(Vec::new()), input::read)?;
        Ok(Read {
            verb: self.method.to_ascii_uppercase(),
            timestamp,
            content_md5: ContentMd5::of(&body),
            body,
        })
    }

    fn received<'a>(&'a self, read: &'a Read) -> SignedMessage<'a> {
        SignedMessage {
            verb: &read.verb,
            path_and_query: &self.path,
            content_type: self.content_type.as_bytes(),
            timestamp: read.timestamp.as_bytes(),
            content_md5: &read.content_md5,
        }
    }

    fn explain(&self, read: &Read) {
        if self.explain {
            note!(
                "string to sign, five lines:\n{}",
                self.received(read).string_to_sign()
            );
        }
    }
}
