//! A call in words that can be pasted: for a shell, and for a Rust program.

use std::fmt::Write as _;

use http::header::{ACCEPT_LANGUAGE, CONTENT_TYPE};
use http::{HeaderMap, Method as Verb};
use sinch_verify_protocol::outcome::OutcomeRequest;
use sinch_verify_protocol::report::{ReportRequest, ReportedProof};
use sinch_verify_protocol::server::Route;
use sinch_verify_protocol::start::StartRequest;
use sinch_verify_protocol::{BaseUrl, Method, WireObject as _};

/// A call as it came.
pub(super) struct Call<'a> {
    pub(super) base: &'a BaseUrl,
    pub(super) verb: Verb,
    /// Path and query.
    pub(super) target: String,
    /// For a call with the key alone, the key.
    pub(super) public_key: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Call<'_> {
    /// For `curl`, which cannot sign: what was signed is sent with key and secret instead, which
    /// come from the environment.
    pub(super) fn curl(&self) -> String {
        let mut line = "curl".to_owned();
        if self.verb != Verb::GET && (self.verb != Verb::POST || self.body.is_empty()) {
            let _ = write!(line, " -X {}", self.verb);
        }
        let _ = write!(line, " {}", quoted(&self.base.join(&self.target)));
        match self.public_key {
            Some(key) => {
                let _ = write!(
                    line,
                    " -H {}",
                    quoted(&format!("Authorization: Application {key}"))
                );
            }
            None => line.push_str(" --user \"$SINCH_APPLICATION_KEY:$SINCH_APPLICATION_SECRET\""),
        }
        for (header, name) in [
            (CONTENT_TYPE, "Content-Type"),
            (ACCEPT_LANGUAGE, "Accept-Language"),
        ] {
            let value = self.headers.get(&header).and_then(|value| value.to_str().ok());
            if let Some(value) = value {
                let _ = write!(line, " -H {}", quoted(&format!("{name}: {value}")));
            }
        }
        if !self.body.is_empty() {
            let body = String::from_utf8_lossy(self.body);
            let _ = write!(line, " --data-binary {}", quoted(&body));
        }
        line
    }

    /// For the client crate; `None` for what no client of it would send.
    pub(super) fn rust(&self, route: &Route) -> Option<String> {
        Some(match route {
            Route::Start => self.start()?,
            Route::ReportById { id } => {
                self.report(&format!("by_id(VerificationId::new({:?})?", id.as_str()))?
            }
            Route::ReportByNumber { number } => {
                self.report(&format!("by_number({:?}.parse()?", number.as_str()))?
            }
            Route::Outcome { number } => {
                let outcome = OutcomeRequest::decode(self.body).ok()?;
                let kind = if outcome.data.no_call {
                    "no_call"
                } else {
                    "late_call"
                };
                let number = number.as_str();
                format!("client.flash_call_outcome(FlashCallOutcome::{kind}({number:?}.parse()?)).await?;")
            }
            Route::StatusById { id } => format!(
                "client.status_by_id(VerificationId::new({:?})?).await?",
                id.as_str()
            ),
            Route::StatusByReference { reference } => {
                format!("client.status_by_reference(Reference::new({reference:?})?).await?")
            }
            Route::StatusByNumber {
                method: Some(method),
                number,
            } => format!(
                "client.status_by_number(Method::{}, {:?}.parse()?).await?",
                variant(method)?,
                number.as_str()
            ),
            _ => return None,
        })
    }

    fn start(&self) -> Option<String> {
        let request = StartRequest::decode(self.body).ok()?;
        let constructor = match &request.method {
            Method::Sms => "sms",
            Method::FlashCall => "flash_call",
            Method::Callout => "callout",
            Method::Seamless => "seamless",
            Method::WhatsApp => "whatsapp",
            Method::Auto => "auto",
            _ => return None,
        };
        let number = request.identity.phone_number().ok()?;
        let mut call = format!("Start::{constructor}({:?}.parse()?)", number.as_str());
        if let Some(reference) = &request.reference {
            let _ = write!(call, ".reference(Reference::new({reference:?})?)");
        }
        if let Some(custom) = &request.custom {
            let _ = write!(call, ".custom(Custom::new({:?})?)", custom.as_str());
        }
        let languages = self.headers.get(ACCEPT_LANGUAGE);
        if let Some(languages) = languages.and_then(|value| value.to_str().ok()) {
            let _ = write!(call, ".languages({languages:?}.parse()?)");
        }
        Some(format!("let handle = client.start({call}).await?;"))
    }

    fn report(&self, target: &str) -> Option<String> {
        let report = ReportRequest::decode(self.body).ok()?;
        let proof = match report.proof()? {
            ReportedProof::Code(code) => format!("Code::new({:?})?", code.expose()),
            ReportedProof::Cli(cli) => format!("Cli::new({:?})?", cli.expose()),
            _ => return None,
        };
        let method = variant(&report.method)?;
        Some(format!(
            "client.report(Report::<{method}>::{target}, {proof})).await?;"
        ))
    }
}

/// What the method is called in Rust.
fn variant(method: &Method) -> Option<&'static str> {
    Some(match method {
        Method::Sms => "Sms",
        Method::FlashCall => "FlashCall",
        Method::Callout => "Callout",
        Method::Seamless => "Seamless",
        Method::WhatsApp => "WhatsApp",
        _ => return None,
    })
}

/// Text that a shell takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
