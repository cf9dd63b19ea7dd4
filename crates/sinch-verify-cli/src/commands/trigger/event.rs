//! The event that is posted.

use rand::RngExt as _;
use sinch_verify_callback::testing::{request_event, result_event, sms_delivered_event};
use sinch_verify_protocol::callback::SmsResult;
use sinch_verify_protocol::verification::Reason;
use sinch_verify_protocol::{
    Custom, Method, PhoneNumber, Reference, Status, VerificationId, WireObject as _,
};

use crate::exit::usage;
use crate::methods::MethodArg;

/// What the event says.
#[derive(clap::Args)]
pub(crate) struct EventArgs {
    /// The event to post.
    #[arg(value_enum)]
    event: Kind,
    /// The verification's method.
    #[arg(long, value_enum, default_value = "sms")]
    method: MethodArg,
    /// The number that is verified.
    #[arg(long, default_value = "+46700000001")]
    number: PhoneNumber,
    /// The verification's id; a random one when it is left out.
    #[arg(long)]
    id: Option<VerificationId>,
    /// The reference that the start gave.
    #[arg(long)]
    reference: Option<Reference>,
    /// The text of your own that the start gave.
    #[arg(long)]
    custom: Option<Custom>,
    /// How it ended. For `result` SUCCESSFUL, FAIL, DENIED, ABORTED or ERROR; for `sms-delivered`
    /// Successful or Failed.
    #[arg(long)]
    status: Option<String>,
    /// For `result`: why it ended, such as Expired; the status is FAIL then, unless given.
    #[arg(long)]
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// May this verification go on? The answer must be a decision.
    Request,
    /// A verification ended.
    Result,
    /// An SMS was delivered, or not.
    SmsDelivered,
}

/// An event in its wire form.
pub(super) struct Event {
    pub(super) kind: Kind,
    pub(super) method: Method,
    pub(super) body: String,
}

impl EventArgs {
    pub(super) fn event(&self) -> anyhow::Result<Event> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => VerificationId::new(&format!("{:032x}", rand::rng().random::<u128>()))?,
        };
        let method = Method::from(self.method);
        let has_no = |flag: &str, of: &str| usage(format!("{flag} is not for the event `{of}`"));
        Ok(match self.event {
            Kind::Request => {
                if self.status.is_some() || self.reason.is_some() {
                    return Err(has_no("--status or --reason", "request"));
                }
                let mut event = request_event(id, method.clone(), self.number);
                self.name(&mut event.reference);
                event.custom = self.custom().or(event.custom);
                self.of(method, event.to_json())
            }
            Kind::Result => {
                let mut event = result_event(id, method.clone(), self.number, self.status()?);
                self.name(&mut event.reference);
                event.custom = self.custom().or(event.custom);
                event.reason = self.reason()?;
                self.of(method, event.to_json())
            }
            Kind::SmsDelivered => {
                if self.reason.is_some() {
                    return Err(has_no("--reason", "sms-delivered"));
                }
                let result = self.status.as_deref().unwrap_or("Successful");
                let result = SmsResult::from(result);
                known("--status", result.is_unknown(), SmsResult::KNOWN)?;
                let mut event = sms_delivered_event(id, self.number, result);
                self.name(&mut event.reference);
                event.custom = self.custom().or(event.custom);
                self.of(Method::Sms, event.to_json())
            }
        })
    }

    fn of(&self, method: Method, body: String) -> Event {
        let kind = self.event;
        Event { kind, method, body }
    }

    fn name(&self, reference: &mut Option<String>) {
        if let Some(own) = &self.reference {
            *reference = Some(own.to_string());
        }
    }

    fn custom<T: for<'a> From<&'a str>>(&self) -> Option<T> {
        self.custom.as_ref().map(|own| own.as_str().into())
    }

    fn status(&self) -> anyhow::Result<Status> {
        let status = match (&self.status, &self.reason) {
            (Some(status), _) => Status::from(status.as_str()),
            (None, Some(_)) => Status::Fail,
            (None, None) => Status::Successful,
        };
        known("--status", status.is_unknown(), Status::KNOWN)?;
        Ok(status)
    }

    fn reason(&self) -> anyhow::Result<Option<Reason>> {
        let reason = self.reason.as_deref().map(Reason::from);
        known(
            "--reason",
            reason.as_ref().is_some_and(Reason::is_unknown),
            Reason::KNOWN,
        )?;
        Ok(reason)
    }
}

/// Refuses what would be a slip of the keyboard.
fn known(flag: &str, is_unknown: bool, values: &[&str]) -> anyhow::Result<()> {
    match is_unknown {
        true => Err(usage(format!("{flag} is one of: {}", values.join(", ")))),
        false => Ok(()),
    }
}
