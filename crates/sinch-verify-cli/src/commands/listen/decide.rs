//! What is decided here, when no application does.

use std::convert::Infallible;

use sinch_verify_callback::{Context, Handler};
use sinch_verify_protocol::callback::RequestEvent;
use sinch_verify_protocol::{Code, Decision, Method, PhoneNumber};

/// Decides all request events alike.
pub(super) struct Decider {
    pub(super) allow: bool,
    pub(super) code: Option<Code>,
    pub(super) cli: Option<PhoneNumber>,
}

impl Decider {
    /// The decision, with code and caller id where the method takes them.
    fn decide(&self, method: &Method) -> Decision {
        if !self.allow {
            return Decision::Deny;
        }
        let code = self.code.clone();
        let cli = self.cli;
        code.and_then(|code| Decision::with_code(method, code))
            .or_else(|| Decision::with_cli(method, cli?))
            .unwrap_or(Decision::Allow)
    }
}

impl Handler for Decider {
    type Error = Infallible;

    async fn on_request(&self, event: RequestEvent, _: &Context) -> Result<Decision, Infallible> {
        Ok(self.decide(&event.method))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_caller_id_go_where_they_fit() {
        let code = Code::new("4821").unwrap();
        let cli: PhoneNumber = "+46700000009".parse().unwrap();
        let coded = |allow| Decider {
            allow,
            code: Some(code.clone()),
            cli: None,
        };
        let calling = Decider {
            allow: true,
            code: None,
            cli: Some(cli),
        };
        for (decider, method, decision) in [
            (coded(true), Method::Sms, Decision::sms_code(code.clone())),
            (coded(true), Method::Callout, Decision::callout_code(code.clone())),
            (coded(true), Method::FlashCall, Decision::Allow),
            (coded(true), Method::WhatsApp, Decision::Allow),
            (coded(false), Method::Sms, Decision::Deny),
            (calling, Method::FlashCall, Decision::flash_call_cli(cli)),
        ] {
            assert_eq!(decider.decide(&method), decision, "{method}");
            assert!(decision.fits(&method));
        }
    }
}
