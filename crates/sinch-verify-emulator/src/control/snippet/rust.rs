//! Shows a recorded request as Rust code that uses a `client` of the client crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write as _};

use sinch_verify_protocol::call_outcome::OutcomeRequest;
use sinch_verify_protocol::report::{CliReport, CodeReport, ReportRequest, ReportedProof};
use sinch_verify_protocol::server::Route;
use sinch_verify_protocol::start::StartRequest;
use sinch_verify_protocol::wire::Extra;
use sinch_verify_protocol::{CodeType, Custom, Method, Reference, Source, WireObject as _};

use super::Call;

impl Call<'_> {
    /// The request as Rust code; `None` if the client crate does not send such a request.
    pub(super) fn rust(&self, route: &Route) -> Option<String> {
        let mut code = Snippet::default();
        match route {
            Route::Start => self.start(&mut code)?,
            Route::ReportById { id } => {
                code.uses("", "VerificationId");
                self.report(&mut code, &format!("VerificationId::new({:?})?", id.as_str()))?;
            }
            Route::ReportByNumber { number } => {
                code.uses("", "PhoneNumber");
                let _ = writeln!(
                    code.lines,
                    "let number: PhoneNumber = {:?}.parse()?;",
                    number.as_str()
                );
                self.report(&mut code, "number")?;
            }
            Route::Outcome { number } => self.outcome(&mut code, number.as_str())?,
            Route::StatusById { id } => {
                code.uses("", "VerificationId");
                code.status(format_args!("id(VerificationId::new({:?})?)", id.as_str()));
            }
            Route::StatusByReference { reference } => {
                let reference = Reference::new(reference).ok()?;
                code.uses("", "Reference");
                code.status(format_args!(
                    "reference(Reference::new({:?})?)",
                    reference.as_str()
                ));
            }
            Route::StatusByNumber { method, number } => {
                let method = variant(method.as_ref()?)?;
                code.uses("", "Method");
                code.status(format_args!(
                    "number(Method::{method}, {:?}.parse()?)",
                    number.as_str()
                ));
            }
            _ => return None,
        }
        Some(code.finish())
    }

    fn start(&self, code: &mut Snippet) -> Option<()> {
        let request = StartRequest::decode(self.body).ok()?;
        let (_, constructor) = request.method.info()?.rust;
        let number = request.identity.phone_number().ok()?;
        let options = code.options(&request);
        code.uses("", "Start");
        let _ = write!(
            code.lines,
            "let start = Start::{constructor}({:?}.parse()?)",
            number.as_str()
        );
        if let Some(reference) = &request.reference {
            let reference = Reference::new(reference).ok()?;
            code.uses("", "Reference");
            code.link(format_args!(
                "reference(Reference::new({:?})?)",
                reference.as_str()
            ));
        }
        if let Some(custom) = &request.custom {
            let custom = Custom::new(custom.as_str()).ok()?;
            code.uses("", "Custom");
            code.link(format_args!("custom(Custom::new({:?})?)", custom.as_str()));
        }
        if let Some(metadata) = &request.metadata {
            code.uses("wire", "RawJson");
            code.link(format_args!("metadata(RawJson::parse({:?})?)", metadata.get()));
        }
        if let Some(honour) = request.honour_early_reject {
            code.link(format_args!("honour_early_reject({honour})"));
        }
        if options {
            code.link(format_args!("options(options)"));
        }
        let languages = StartRequest::languages(self.headers).value;
        if !languages.is_empty() {
            code.link(format_args!("languages({:?}.parse()?)", languages.to_string()));
        }
        code.lines += ";\nlet handle = client.start(start).await?;\n";
        code.leave("", &request.extra);
        code.leave("identity.", &request.identity.extra);
        Some(())
    }

    fn report(&self, code: &mut Snippet, target: &str) -> Option<()> {
        let report = ReportRequest::decode(self.body).ok()?;
        let (_, constructor) = report.method.info()?.rust;
        let proof = report.proof()?;
        match proof {
            ReportedProof::Code(report) => {
                code.uses("", "Code");
                let _ = writeln!(code.lines, "let proof = Code::new({:?})?;", report.code.expose());
            }
            ReportedProof::Cli(report) => {
                code.uses("", "Cli");
                let _ = writeln!(
                    code.lines,
                    "let proof = Cli::as_seen({:?})?;",
                    report.cli.expose()
                );
            }
            _ => return None,
        }
        code.uses("", "Report");
        let _ = write!(code.lines, "let report = Report::{constructor}({target}, proof)");
        if let Some(source) = &report.source {
            code.uses("", "Source");
            code.link(format_args!("source({})", variant_of_source(source)));
        }
        code.lines += ";\nlet outcome = client.report(report).await?;\n";
        code.leave("", &report.extra);
        for (method, key) in report.parts() {
            if method != report.method {
                code.leave_out(key);
                continue;
            }
            let extra = match proof {
                ReportedProof::Code(CodeReport { cli, extra, .. }) => {
                    if cli.is_some() {
                        code.leave_out(format_args!("{key}.cli"));
                    }
                    extra
                }
                ReportedProof::Cli(CliReport { extra, .. }) => extra,
                _ => continue,
            };
            code.leave(&format!("{key}."), extra);
        }
        if report.seamless.is_some() {
            code.leave_out("seamless");
        }
        Some(())
    }

    fn outcome(&self, code: &mut Snippet, number: &str) -> Option<()> {
        let request = OutcomeRequest::decode(self.body).ok()?;
        let outcome = match (request.data.no_call, request.data.late_call) {
            (true, late) => {
                if late {
                    code.leave_out("data.lateCall");
                }
                "None"
            }
            (false, true) => "Late",
            (false, false) => "Normal",
        };
        code.uses("call_outcome", "CallOutcome");
        code.uses("call_outcome", "FlashCallOutcome");
        let _ = writeln!(
            code.lines,
            "let outcome = FlashCallOutcome::new({number:?}.parse()?, CallOutcome::{outcome});\n\
             client.flash_call_outcome(outcome).await?;"
        );
        code.leave("", &request.extra);
        code.leave("data.", &request.data.extra);
        Some(())
    }
}

/// Rust statements, their imports, and the fields that they leave out.
#[derive(Default)]
struct Snippet {
    /// The imported names, by module.
    uses: BTreeMap<&'static str, BTreeSet<&'static str>>,
    lines: String,
    /// The fields of the request that the statements do not set.
    left_out: Vec<String>,
}

impl Snippet {
    fn uses(&mut self, module: &'static str, name: &'static str) {
        self.uses.entry(module).or_default().insert(name);
    }

    /// Adds a method call to the chain.
    fn link(&mut self, call: impl Display) {
        let _ = write!(self.lines, "\n    .{call}");
    }

    fn status(&mut self, by: impl Display) {
        let _ = writeln!(self.lines, "let verification = client.status_by_{by}.await?;");
    }

    fn leave_out(&mut self, field: impl Display) {
        // Quoted, because a name from the request must not end the comment that contains it.
        self.left_out.push(format!("{:?}", field.to_string()));
    }

    fn leave(&mut self, place: &str, extra: &Extra) {
        for (name, _) in extra.iter() {
            self.leave_out(format_args!("{place}{name}"));
        }
    }

    /// Adds `let options`, if the start sets options of its method.
    fn options(&mut self, request: &StartRequest) -> bool {
        let mut made = false;
        for (method, key) in request.parts() {
            if method == request.method {
                made = self.own_options(request, key);
            } else {
                self.leave_out(key);
            }
        }
        made
    }

    /// The options under `key`, if it is the key of the start's method.
    fn own_options(&mut self, request: &StartRequest, key: &str) -> bool {
        let extra = if let (Method::Sms, Some(sms)) = (&request.method, &request.sms_options) {
            self.begin("SmsOptions");
            self.code_type(sms.code_type.as_ref());
            if let Some(expiry) = &sms.expiry {
                self.set("expiry", format_args!("{:?}.parse()?", expiry.to_string()));
            }
            if let Some(template) = &sms.template {
                self.set("template", format_args!("{template:?}.to_owned()"));
            }
            if let Some(hash) = &sms.application_hash {
                self.set("application_hash", format_args!("{hash:?}.to_owned()"));
            }
            &sms.extra
        } else if let (Method::FlashCall, Some(call)) = (&request.method, &request.flash_call_options) {
            self.begin("FlashCallOptions");
            let times = [
                ("dial_timeout", call.dial_timeout),
                ("interception_timeout", call.interception_timeout),
            ];
            for (name, time) in times {
                if let Some(time) = time {
                    self.uses("", "CallSeconds");
                    self.set(name, format_args!("CallSeconds::new({})?", time.get()));
                }
            }
            if let Some(cli) = &call.cli {
                self.set("cli", format_args!("{:?}.parse()?", cli.as_str()));
            }
            &call.extra
        } else if let (Method::Callout, Some(callout)) = (&request.method, &request.callout_options) {
            self.begin("CalloutOptions");
            if let Some(speech) = &callout.speech {
                self.uses("start", "Speech");
                let locale = speech.locale.as_ref();
                let locale = locale.map(|locale| format!(".locale({locale:?}.to_owned())"));
                self.set(
                    "speech",
                    format_args!("Speech::default(){}", locale.unwrap_or_default()),
                );
                self.leave(&format!("{key}.speech."), &speech.extra);
            }
            &callout.extra
        } else if let (Method::WhatsApp, Some(message)) = (&request.method, &request.whatsapp_options) {
            self.begin("WhatsAppOptions");
            self.code_type(message.code_type.as_ref());
            &message.extra
        } else {
            self.leave_out(key);
            return false;
        };
        self.lines += ";\n";
        self.leave(&format!("{key}."), extra);
        true
    }

    fn begin(&mut self, kind: &'static str) {
        self.uses("start", kind);
        let _ = write!(self.lines, "let options = {kind}::default()");
    }

    fn set(&mut self, name: &str, value: impl Display) {
        self.link(format_args!("{name}({value})"));
    }

    fn code_type(&mut self, code_type: Option<&CodeType>) {
        let Some(code_type) = code_type else { return };
        self.uses("", "CodeType");
        let value = match code_type {
            CodeType::Numeric => "CodeType::Numeric".to_owned(),
            CodeType::Alpha => "CodeType::Alpha".to_owned(),
            CodeType::Alphanumeric => "CodeType::Alphanumeric".to_owned(),
            other => format!("CodeType::from({:?})", other.as_str()),
        };
        self.set("code_type", value);
    }

    fn finish(self) -> String {
        let mut text = String::new();
        // Modules come before names without a module.
        let (top, modules): (Vec<_>, Vec<_>) = self.uses.iter().partition(|(module, _)| module.is_empty());
        for (module, names) in modules.into_iter().chain(top) {
            let names: Vec<_> = names.iter().copied().collect();
            let names = match names[..] {
                [name] => name.to_owned(),
                _ => format!("{{{}}}", names.join(", ")),
            };
            let place = if module.is_empty() { "" } else { "::" };
            let _ = writeln!(text, "use sinch_verify_client::protocol{place}{module}::{names};");
        }
        text.push('\n');
        if !self.left_out.is_empty() {
            let _ = writeln!(text, "// The client does not send {}.", self.left_out.join(", "));
        }
        text + self.lines.trim_end()
    }
}

/// The Rust name of the method.
fn variant(method: &Method) -> Option<&'static str> {
    method.info().map(|info| info.rust.0)
}

fn variant_of_source(source: &Source) -> String {
    match source {
        Source::Intercepted => "Source::Intercepted".to_owned(),
        Source::Manual => "Source::Manual".to_owned(),
        Source::Log => "Source::Log".to_owned(),
        other => format!("Source::from({:?})", other.as_str()),
    }
}
