//! Shows a call as Java for version 2 of the SDK.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sinch_verify_protocol::Method;

use super::Call;
use super::sdk::{Fields, Query, SdkCall, SdkMethod, Target, literal};

const MODELS: &str = "com.sinch.sdk.domains.verification.models.v1";

const CLIENT: &str = "\
var configuration = Configuration.builder()
    .setApplicationKey(System.getenv(\"SINCH_APPLICATION_KEY\"))
    .setApplicationSecret(System.getenv(\"SINCH_APPLICATION_SECRET\"))
    .setVerificationContext(VerificationContext.builder()
        .setVerificationUrl(BASE)
        .build())
    .build();
var verification = new SinchClient(configuration).verification().v1();
";

/// Statements and their imports.
struct Snippet {
    imports: BTreeSet<String>,
    call: String,
}

impl Call<'_> {
    pub(super) fn java(&self, call: &SdkCall) -> String {
        let mut snippet = Snippet {
            imports: [
                "SinchClient",
                "models.Configuration",
                "models.VerificationContext",
            ]
            .map(|name| format!("com.sinch.sdk.{name}"))
            .into(),
            call: String::new(),
        };
        let left_out = match call {
            SdkCall::Start {
                method,
                number,
                body,
                languages,
            } => {
                let mut fields = Fields::new(body.clone());
                let languages = snippet.start(method, number, &mut fields, languages.as_deref());
                fields.left_out("//") + languages
            }
            SdkCall::Report { method, target, body } => {
                let mut fields = Fields::new(body.clone());
                snippet.report(method, target, &mut fields);
                fields.left_out("//")
            }
            SdkCall::Status(query) => {
                snippet.status(query);
                String::new()
            }
        };
        let mut code = "// com.sinch.sdk:sinch-sdk-java, version 2\n".to_owned();
        for name in &snippet.imports {
            let _ = writeln!(code, "import {name};");
        }
        let client = CLIENT.replace("BASE", &literal(self.base.to_string()));
        let _ = write!(
            code,
            "\n{client}\n{left_out}var answer = verification.{};\nSystem.out.println(answer);",
            snippet.call
        );
        code
    }
}

impl Snippet {
    fn uses(&mut self, name: &str) {
        self.imports.insert(format!("{MODELS}.{name}"));
    }

    /// Adds a method call to the chain.
    fn set(&mut self, setter: &str, value: &str) {
        let _ = write!(self.call, "\n        .{setter}({value})");
    }

    fn begin(&mut self, function: &str, request: &str) {
        let _ = write!(self.call, "{function}{request}.builder()");
    }

    fn end(&mut self) {
        self.call.push_str("\n        .build())");
    }

    fn identity(&mut self, number: &str) -> String {
        self.uses("NumberIdentity");
        format!("NumberIdentity.valueOf({})", literal(number))
    }

    /// Writes a start. Returns a comment if it leaves out the languages.
    fn start(
        &mut self,
        method: &SdkMethod,
        number: &str,
        fields: &mut Fields,
        languages: Option<&str>,
    ) -> &'static str {
        fields.take("identity.type");
        fields.take("identity.endpoint");
        let (wire, camel) = (&method.method, method.camel);
        let request = format!("VerificationStartRequest{camel}");
        self.uses(&format!("start.request.{request}"));
        self.begin(&format!("verificationStart().start{camel}(\n    "), &request);
        let identity = self.identity(number);
        self.set("setIdentity", &identity);
        for (path, setter) in [
            ("reference", "setReference"),
            ("custom", "setCustom"),
            ("smsOptions.expiry", "setExpiry"),
            ("flashCallOptions.dialTimeout", "setDialTimeout"),
            ("flashCallOptions.interceptionTimeout", "setInterceptionTimeout"),
        ] {
            let is_own = path
                .split_once('.')
                .is_none_or(|(options, _)| options == method.options);
            if let Some(value) = is_own.then(|| fields.take(path)).flatten() {
                self.set(setter, &literal(value));
            }
        }
        if let (Method::Sms | Method::WhatsApp, Some(value)) =
            (wire, fields.take(&format!("{}.codeType", method.options)))
        {
            let kind = format!("{camel}CodeType");
            self.uses(&kind);
            self.set("setCodeType", &format!("{kind}.from({})", literal(value)));
        }
        if let (Method::Callout, Some(value)) = (wire, fields.take("calloutOptions.speech.locale")) {
            self.uses("start.request.PhoneCallSpeech");
            let speech = format!("PhoneCallSpeech.builder().setLocale({}).build()", literal(value));
            self.set("setSpeech", &speech);
        }
        if *wire != Method::Seamless {
            for (name, value) in fields.take_texts_of(method.options) {
                let option = format!("{}, {}", literal(name), literal(value));
                self.set("putExtraOption", &option);
            }
        }
        let left_out = match languages {
            Some(languages) if *wire == Method::Sms => {
                self.set("setAcceptLanguage", &literal(languages));
                ""
            }
            Some(_) => "// The SDK does not send Accept-Language.\n",
            None => "",
        };
        self.end();
        left_out
    }

    fn report(&mut self, method: &SdkMethod, target: &Target, fields: &mut Fields) {
        let camel = method.camel;
        let request = format!("VerificationReportRequest{camel}");
        self.uses(&format!("report.request.{request}"));
        let (by, target) = match target {
            Target::Id(id) => ("Id", literal(id.as_str())),
            Target::Number(number) => ("Identity", self.identity(number)),
        };
        let function = format!("verificationReport().report{camel}By{by}(\n    {target},\n    ");
        self.begin(&function, &request);
        let (field, setter) = match method.method {
            Method::FlashCall => ("cli", "setCli"),
            _ => ("code", "setCode"),
        };
        if let Some(value) = fields.take(&format!("{}.{field}", method.proof)) {
            self.set(setter, &literal(value));
        }
        self.end();
    }

    fn status(&mut self, query: &Query) {
        let call = match query {
            Query::Id(id) => format!("getById({})", literal(id.as_str())),
            Query::Reference(reference) => format!("getByReference({})", literal(reference.as_str())),
            Query::Number { number, method } => {
                self.uses("VerificationMethod");
                let identity = self.identity(number);
                let method = literal(method.as_str());
                format!("getByIdentity({identity}, VerificationMethod.from({method}))")
            }
        };
        self.call = format!("verificationStatus().{call}");
    }
}
