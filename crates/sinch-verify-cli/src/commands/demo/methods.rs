//! What an app does for a method: how it learns the proof; and what a backend
//! may set in its decision.

use anyhow::Context as _;
use sinch_verify_emulator::Message;
use sinch_verify_protocol::caller_id::Candidates;
use sinch_verify_protocol::method::{Form, MethodInfo, ProofKind};
use sinch_verify_protocol::report::Proof;
use sinch_verify_protocol::{Cli, CliFilter, Code, Decision, Started};

use super::timeline::{Timeline, Who};

/// Reads the proof off the handset, as an app without the mobile SDK does.
pub(crate) fn read_proof(
    started: &Started,
    method: &MethodInfo,
    message: &Message,
    timeline: &mut Timeline,
) -> anyhow::Result<Proof> {
    if let Some(call) = &started.flash_call {
        let filter = CliFilter::compile(&call.cli_filter)?;
        return Ok(match_caller(&filter, message, timeline)?.into());
    }
    let text = message.text.as_deref().unwrap_or_default();
    let says = match method.form {
        Form::Speech => "call says",
        _ => method.title,
    };
    timeline.note(
        Who::Handset,
        format!("{says}: {}", text.lines().next().unwrap_or_default()),
    );
    let Some(sms) = &started.sms else {
        let code = message.code.clone().context("the message has no code")?;
        timeline.note(Who::Device, format!("code {} typed", code.expose()));
        return Ok(code.into());
    };
    let template = sms.template()?.context("the start's answer has no template")?;
    let code = template
        .extract(text)
        .context("the template does not match the SMS")?;
    timeline.note(
        Who::Device,
        format!("code {code} cut out by the template {:?}", template.as_str()),
    );
    Ok(Code::new(code)?.into())
}

/// The caller id of a call that the filter matches.
fn match_caller(filter: &CliFilter, message: &Message, timeline: &mut Timeline) -> anyhow::Result<Cli> {
    let cli = message
        .cli
        .as_ref()
        .context("the call has no caller id")?
        .expose();
    timeline.note(Who::Handset, format!("rings: caller id {cli}"));
    let caller = Candidates::new(cli);
    filter
        .find(&caller)
        .with_context(|| format!("{filter} does not match the caller id"))?;
    timeline.note(Who::Device, format!("caller id matches {filter}"));
    let number = caller
        .e164()
        .context("the caller id is no international number")?;
    Ok(number.into())
}

/// A decision of the backend that sets the proof itself, where the method allows that; and the
/// decision in words.
pub(crate) fn own_decision(method: &MethodInfo) -> anyhow::Result<(Decision, &'static str)> {
    let (decision, words) = match method.decided {
        Some(ProofKind::Code) => {
            let decision = Decision::with_code(&method.method, Code::new("314159")?);
            (decision, "allow, with code 314159")
        }
        Some(ProofKind::Cli) => {
            let decision = Decision::with_cli(&method.method, "+46701740699".parse()?);
            (decision, "allow, with caller id +46701740699")
        }
        _ => (Some(Decision::Allow), "allow"),
    };
    let decision = decision.context("the decision cannot set the proof")?;
    Ok((decision, words))
}
