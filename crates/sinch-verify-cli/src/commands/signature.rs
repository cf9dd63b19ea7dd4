//! `signature sign` and `signature check`.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::Context as _;
use sinch_verify_protocol::auth::{
    Authorization, ContentMd5, PathForm, PathPolicy, SignedMessage, Signer, StringToSign, Verifier,
};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

use crate::exit::{Outcome, usage};

/// Sign or check.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print the `Authorization` value for a request.
    Sign(Message),
    /// Check an `Authorization` value. Exit code 0 when it is right, 1 when not.
    Check {
        #[command(flatten)]
        message: Message,
        /// The `Authorization` header's value.
        #[arg(long, value_name = "VALUE")]
        authorization: String,
    },
}

/// The signed parts of a message.
#[derive(clap::Args)]
pub(crate) struct Message {
    /// The application's key.
    #[arg(long, value_name = "KEY")]
    key: String,
    /// The application's secret, as the dashboard shows it.
    #[arg(long, value_name = "SECRET")]
    secret: String,
    /// The HTTP method.
    #[arg(long, value_name = "VERB", default_value = "POST")]
    method: String,
    /// The path, as sent.
    #[arg(long)]
    path: String,
    /// The `Content-Type` header's value, with its charset if it has one; leave
    /// it out when the message has none.
    #[arg(long, value_name = "TYPE", default_value = "")]
    content_type: String,
    /// The `x-timestamp` header's value.
    #[arg(long)]
    timestamp: String,
    /// The file that holds the body, `-` for standard input; leave it out for
    /// no body.
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// Take a secret in url-safe base64, or without padding.
    #[arg(long)]
    lenient_secret: bool,
    /// Print the string to sign on stderr.
    #[arg(long)]
    explain: bool,
}

/// Runs the command.
pub(crate) fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Sign(message) => sign(&message),
        Command::Check {
            message,
            authorization,
        } => check(&message, &authorization),
    }
}

fn sign(message: &Message) -> anyhow::Result<Outcome> {
    let (key, secret) = message.credentials()?;
    let content_md5 = message.content_md5()?;
    let verb = message.verb();
    let string = message.string_to_sign(&verb, &content_md5);
    let signature = Signer::new(key.clone(), &secret).signature(&string);
    message.explain(&string);
    println!("Application {key}:{}", signature.to_text().as_str());
    Ok(Outcome::Yes)
}

fn check(message: &Message, authorization: &str) -> anyhow::Result<Outcome> {
    let (key, secret) = message.credentials()?;
    let content_md5 = message.content_md5()?;
    let verb = message.verb();
    message.explain(&message.string_to_sign(&verb, &content_md5));
    let signature = match Authorization::parse(authorization.as_bytes()) {
        Ok(Authorization::Signed {
            key: given,
            signature,
        }) if given == key.as_str() => signature,
        Ok(Authorization::Signed { .. }) => return no("authorization is of another key"),
        Ok(_) => return no("authorization carries no signature"),
        Err(error) => return no(error),
    };
    let received = SignedMessage {
        verb: &verb,
        path_and_query: &message.path,
        content_type: message.content_type.as_bytes(),
        timestamp: message.timestamp.as_bytes(),
        content_md5: &content_md5,
    };
    match Verifier::new(key, &secret).check_signature(&received, &signature, PathPolicy::any_sdk()) {
        Ok(PathForm::AsReceived) => println!("signature is right"),
        Ok(PathForm::Decoded) => println!("signature is right for the percent-decoded path"),
        Ok(PathForm::WithQuery) => println!("signature is right for the path with its query"),
        Ok(_) => println!("signature is right for another form of the path"),
        Err(error) => return no(error),
    }
    Ok(Outcome::Yes)
}

fn no(why: impl std::fmt::Display) -> anyhow::Result<Outcome> {
    eprintln!("{why}");
    Ok(Outcome::No)
}

impl Message {
    fn credentials(&self) -> anyhow::Result<(ApplicationKey, ApplicationSecret)> {
        let key = self.key.parse().map_err(usage)?;
        let secret = if self.lenient_secret {
            ApplicationSecret::lenient(&self.secret).map_err(usage)?
        } else {
            ApplicationSecret::new(&self.secret)
                .map_err(|error| usage(format!("{error} (or give --lenient-secret)")))?
        };
        Ok((key, secret))
    }

    fn verb(&self) -> String {
        self.method.to_ascii_uppercase()
    }

    fn content_md5(&self) -> anyhow::Result<ContentMd5> {
        let body = match &self.body_file {
            None => Vec::new(),
            Some(file) if file.as_os_str() == "-" => {
                let mut body = Vec::new();
                std::io::stdin()
                    .read_to_end(&mut body)
                    .context("read the body from standard input")?;
                body
            }
            Some(file) => {
                std::fs::read(file).with_context(|| format!("read the body from {}", file.display()))?
            }
        };
        Ok(ContentMd5::of(&body))
    }

    fn string_to_sign<'a>(&'a self, verb: &'a str, content_md5: &'a ContentMd5) -> StringToSign<'a> {
        StringToSign {
            verb,
            content_md5,
            content_type: self.content_type.as_bytes(),
            timestamp: self.timestamp.as_bytes(),
            path: self.path.as_bytes(),
        }
    }

    fn explain(&self, string: &StringToSign<'_>) {
        if self.explain {
            eprintln!("string to sign, five lines:\n{string}");
        }
    }
}
