//! Each body is what the emulator prints for the call that it makes.

use std::error::Error;

use sinch_verify_client::Client;

type Sent = Result<(), Box<dyn Error>>;

pub(crate) async fn sms(client: &Client) -> Sent {
    use sinch_verify_client::protocol::start::SmsOptions;
    use sinch_verify_client::protocol::wire::RawJson;
    use sinch_verify_client::protocol::{CodeType, Custom, Reference, Start};

    let options = SmsOptions::default()
        .code_type(CodeType::Alphanumeric)
        .expiry("00:02:00".parse()?)
        .template("It's \"{{CODE}}\"\nhere".to_owned())
        .application_hash("FA+9qCX9VSu".to_owned());
    let start = Start::sms("+46700000001".parse()?)
        .reference(Reference::new("order-1")?)
        .custom(Custom::new("it's")?)
        .metadata(RawJson::parse("{\"os\":\"none\"}")?)
        .honour_early_reject(true)
        .options(options)
        .languages("sv-SE,en-GB".parse()?);
    let handle = client.start(start).await?;
    Ok(())
}

pub(crate) async fn flash_call(client: &Client) -> Sent {
    use sinch_verify_client::protocol::start::FlashCallOptions;
    use sinch_verify_client::protocol::{CallSeconds, Reference, Start};

    let options = FlashCallOptions::default()
        .dial_timeout(CallSeconds::new(12)?)
        .interception_timeout(CallSeconds::new(30)?)
        .cli("+447700900123".parse()?);
    let start = Start::flash_call("+46700000001".parse()?)
        .reference(Reference::new("order-2")?)
        .options(options);
    let handle = client.start(start).await?;
    Ok(())
}

pub(crate) async fn callout(client: &Client) -> Sent {
    use sinch_verify_client::protocol::start::{CalloutOptions, Speech};
    use sinch_verify_client::protocol::{Reference, Start};

    let options = CalloutOptions::default()
        .speech(Speech::default().locale("en_US".to_owned()));
    let start = Start::callout("+46700000001".parse()?)
        .reference(Reference::new("order-3")?)
        .options(options);
    let handle = client.start(start).await?;
    Ok(())
}

pub(crate) async fn whatsapp(client: &Client) -> Sent {
    use sinch_verify_client::protocol::start::WhatsAppOptions;
    use sinch_verify_client::protocol::{CodeType, Reference, Start};

    let options = WhatsAppOptions::default()
        .code_type(CodeType::from("Emoji"));
    let start = Start::whatsapp("+46700000001".parse()?)
        .reference(Reference::new("order-4")?)
        .options(options);
    let handle = client.start(start).await?;
    Ok(())
}

pub(crate) async fn seamless(client: &Client) -> Sent {
    use sinch_verify_client::protocol::{Reference, Start};

    let start = Start::seamless("+46700000001".parse()?)
        .reference(Reference::new("order-5")?);
    let handle = client.start(start).await?;
    Ok(())
}

pub(crate) async fn auto(client: &Client) -> Sent {
    use sinch_verify_client::protocol::{Reference, Start};

    let start = Start::auto("+46700000001".parse()?)
        .reference(Reference::new("order-6")?);
    let handle = client.start(start).await?;
    Ok(())
}

pub(crate) async fn report_a_code(client: &Client) -> Sent {
    use sinch_verify_client::protocol::{Code, PhoneNumber, Report, Source};

    let number: PhoneNumber = "+46700000001".parse()?;
    let proof = Code::new("1-2")?;
    let report = Report::sms(number, proof)
        .source(Source::Intercepted);
    let outcome = client.report(report).await?;
    Ok(())
}

pub(crate) async fn report_a_caller(client: &Client) -> Sent {
    use sinch_verify_client::protocol::{Cli, Report, Source, VerificationId};

    let proof = Cli::as_seen("+44 7700 900 123")?;
    let report = Report::flash_call(VerificationId::new("01890000-0000-7000-8000-000000000001")?, proof)
        .source(Source::from("MANUAL"));
    let outcome = client.report(report).await?;
    Ok(())
}

pub(crate) async fn no_call(client: &Client) -> Sent {
    use sinch_verify_client::protocol::call_outcome::{CallOutcome, FlashCallOutcome};

    let outcome = FlashCallOutcome::new("+46700000001".parse()?, CallOutcome::None);
    client.flash_call_outcome(outcome).await?;
    Ok(())
}

pub(crate) async fn late_call(client: &Client) -> Sent {
    use sinch_verify_client::protocol::call_outcome::{CallOutcome, FlashCallOutcome};

    let outcome = FlashCallOutcome::new("+46700000001".parse()?, CallOutcome::Late);
    client.flash_call_outcome(outcome).await?;
    Ok(())
}

pub(crate) async fn call_in_time(client: &Client) -> Sent {
    use sinch_verify_client::protocol::call_outcome::{CallOutcome, FlashCallOutcome};

    let outcome = FlashCallOutcome::new("+46700000001".parse()?, CallOutcome::Normal);
    client.flash_call_outcome(outcome).await?;
    Ok(())
}

pub(crate) async fn status_by_id(client: &Client) -> Sent {
    use sinch_verify_client::protocol::VerificationId;

    let verification = client.status_by_id(VerificationId::new("01890000-0000-7000-8000-000000000001")?).await?;
    Ok(())
}

pub(crate) async fn status_by_reference(client: &Client) -> Sent {
    use sinch_verify_client::protocol::Reference;

    let verification = client.status_by_reference(Reference::new("order-1")?).await?;
    Ok(())
}

pub(crate) async fn status_by_number(client: &Client) -> Sent {
    use sinch_verify_client::protocol::Method;

    let verification = client.status_by_number(Method::WhatsApp, "+46700000001".parse()?).await?;
    Ok(())
}
