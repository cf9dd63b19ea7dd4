//! What an app does for each method: how it learns the proof, and what a
//! backend may set in its decision.

use anyhow::Context as _;
use sinch_verify_emulator::Message;
use sinch_verify_protocol::callback::WhatsAppDecision;
use sinch_verify_protocol::caller_id::Candidates;
use sinch_verify_protocol::method::{Callout, FlashCall, Reportable, Sms, WhatsApp};
use sinch_verify_protocol::{Cli, Code, Decision, PhoneNumber, Started};

use super::timeline::{Timeline, Who};

/// A method of the demo.
pub(crate) trait DemoMethod: Reportable<Proof: Clone> {
    /// Reads the proof off the handset, as an app without the mobile SDK does.
    fn read(
        started: &Started<Self>,
        message: &Message,
        timeline: &mut Timeline,
    ) -> anyhow::Result<Self::Proof>;

    /// A decision of the backend that sets the proof itself.
    fn own_decision() -> anyhow::Result<(Decision, String)>;
}

impl DemoMethod for Sms {
    fn read(started: &Started<Self>, message: &Message, timeline: &mut Timeline) -> anyhow::Result<Code> {
        let text = message.text.as_deref().context("the SMS has no text")?;
        timeline.note(
            Who::Handset,
            format!("SMS: {}", text.lines().next().unwrap_or_default()),
        );
        let template = started
            .details
            .template()?
            .context("the start's answer has no template")?;
        let code = template
            .extract(text)
            .context("the template does not match the SMS")?;
        timeline.note(
            Who::Device,
            format!("code {code} cut out by the template {:?}", template.as_str()),
        );
        Ok(Code::new(code)?)
    }

    fn own_decision() -> anyhow::Result<(Decision, String)> {
        Ok((Decision::sms_code(Code::new("314159")?), "code 314159".to_owned()))
    }
}

impl DemoMethod for FlashCall {
    fn read(started: &Started<Self>, message: &Message, timeline: &mut Timeline) -> anyhow::Result<Cli> {
        let cli = message
            .cli
            .as_ref()
            .context("the call has no caller id")?
            .expose();
        timeline.note(Who::Handset, format!("rings: caller id {cli}"));
        let filter = started.cli_filter()?;
        let caller = Candidates::new(cli);
        filter
            .find(&caller)
            .with_context(|| format!("{filter} does not match the caller id"))?;
        timeline.note(Who::Device, format!("caller id matches {filter}"));
        Ok(Cli::from(
            caller
                .e164()
                .context("the caller id is no international number")?,
        ))
    }

    fn own_decision() -> anyhow::Result<(Decision, String)> {
        let cli: PhoneNumber = "+46701740699".parse()?;
        Ok((Decision::flash_call_cli(cli), format!("caller id {cli}")))
    }
}

impl DemoMethod for Callout {
    fn read(_: &Started<Self>, message: &Message, timeline: &mut Timeline) -> anyhow::Result<Code> {
        let prompt = message.text.as_deref().unwrap_or_default();
        timeline.note(Who::Handset, format!("call says: {prompt}"));
        let code = message.code.clone().context("the call speaks no code")?;
        timeline.note(Who::Device, format!("code {} typed", code.expose()));
        Ok(code)
    }

    fn own_decision() -> anyhow::Result<(Decision, String)> {
        Ok((Decision::callout_code(Code::new("2718")?), "code 2718".to_owned()))
    }
}

impl DemoMethod for WhatsApp {
    fn read(_: &Started<Self>, message: &Message, timeline: &mut Timeline) -> anyhow::Result<Code> {
        let text = message.text.as_deref().unwrap_or_default();
        timeline.note(Who::Handset, format!("WhatsApp: {text}"));
        let code = message.code.clone().context("the message has no code")?;
        timeline.note(Who::Device, format!("code {} typed", code.expose()));
        Ok(code)
    }

    // A backend cannot set the code of a WhatsApp message, but its language.
    fn own_decision() -> anyhow::Result<(Decision, String)> {
        let mut decision = WhatsAppDecision::default();
        decision.accept_language = Some(vec!["sv-SE".parse()?]);
        Ok((Decision::AllowWhatsApp(decision), "language sv-SE".to_owned()))
    }
}
