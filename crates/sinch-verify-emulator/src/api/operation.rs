//! The operations of the API: decodes a request into a command and encodes the answer.

use bytes::Bytes;
use http::{Response, request};
use sinch_verify_protocol::call_outcome::OutcomeRequest;
use sinch_verify_protocol::report::ReportRequest;
use sinch_verify_protocol::server::{self, Route};
use sinch_verify_protocol::start::StartRequest;
use sinch_verify_protocol::{ApiError, Method, NumberPlans, WireObject};

use super::authorize::Caller;
use super::{error_response, refusal_response};
use crate::core::Core;
use crate::engine::{Answer, Command, Query, StartCommand, Target};
use crate::journal::Notes;
use crate::magic::HoldBack;
use crate::settings::Strictness;

pub(super) async fn run(
    core: &Core,
    caller: Caller,
    route: Route,
    head: &request::Parts,
    body: &Bytes,
    notes: &mut Notes,
) -> Response<Bytes> {
    let command = match command(core, caller, route, head, body, &mut notes.anomalies) {
        Ok(command) => command,
        Err(error) => return error_response(core, error),
    };
    if core.settings().strictness == Strictness::Strict
        && let Some(anomaly) = notes.anomalies.first()
    {
        let error = ApiError::new(ApiError::PARAMETER, format!("Parameter {anomaly}."));
        return error_response(core, error);
    }
    if let Command::Start(start) = &command
        && let Ok(number) = start.request.identity.phone_number()
        && let Some(hold_back) = core.held_back(caller.app, &number)
        // Boxed: few calls wait, and the future of the others stays small.
        && let Err(error) = Box::pin(wait(core, hold_back)).await
    {
        return error_response(core, error);
    }
    let outcome = core.run_with_callback(caller.app, command).await;
    notes.about = outcome.about;
    match outcome.answer {
        Answer::Started { response, language } => response.to_http_response(language.as_ref()),
        Answer::Verification(verification) => verification.to_http_response(),
        Answer::Refused(refusal) => refusal_response(core, refusal),
        Answer::Done | Answer::NeedsDecision(_) => OutcomeRequest::accepted(),
    }
}

/// Waits as long as `hold_back` says. `Forever` lasts until the caller gives up or the emulator stops.
async fn wait(core: &Core, hold_back: HoldBack) -> Result<(), ApiError> {
    match hold_back {
        HoldBack::For(delay) => {
            tokio::time::sleep(delay).await;
            Ok(())
        }
        HoldBack::Forever => {
            let _ = core.stopping().wait_for(|stop| *stop).await;
            Err(ApiError::new(ApiError::UNAVAILABLE, "The emulator stops."))
        }
    }
}

fn command(
    core: &Core,
    caller: Caller,
    route: Route,
    head: &request::Parts,
    body: &Bytes,
    anomalies: &mut Vec<String>,
) -> Result<Command, ApiError> {
    let app = caller.app;
    let status = |query| Command::Status { app, query };
    let path = server::path_anomaly(head.uri.path());
    let timestamp = server::timestamp_anomaly(&head.headers);
    anomalies.extend(
        path.into_iter()
            .chain(timestamp)
            .map(|anomaly| anomaly.to_string()),
    );
    Ok(match route {
        Route::Start => {
            let request: StartRequest = receive(head, body, anomalies)?;
            let odd_number = NumberPlans::new().anomaly(&request.identity);
            anomalies.extend(odd_number.map(|anomaly| anomaly.to_string()));
            let languages = StartRequest::languages(&head.headers);
            anomalies.extend(languages.anomalies.iter().map(ToString::to_string));
            Command::Start(Box::new(StartCommand {
                app,
                level: caller.level,
                callback: core.registry.callback(app).is_some(),
                request,
                languages: languages.value,
                base: core.base_for_links(&head.headers),
            }))
        }
        Route::ReportById { id } => Command::Report {
            app,
            target: Target::Id(id),
            report: Box::new(receive::<ReportRequest>(head, body, anomalies)?),
        },
        Route::ReportByNumber { number } => Command::Report {
            app,
            target: Target::Number(number),
            report: Box::new(receive::<ReportRequest>(head, body, anomalies)?),
        },
        Route::Outcome { number } => {
            let outcome = receive::<OutcomeRequest>(head, body, anomalies)?;
            if outcome.method != Method::FlashCall {
                return Err(ApiError::new(
                    ApiError::PARAMETER,
                    "Parameter method: must be flashcall.",
                ));
            }
            Command::Outcome {
                app,
                number,
                no_call: outcome.data.no_call,
            }
        }
        Route::StatusById { id } => status(Query::Id(id)),
        Route::StatusByReference { reference } => status(Query::Reference(reference)),
        Route::StatusByNumber { method, number } => status(Query::Number { method, number }),
        // A later version of the protocol crate may have more routes.
        _ => return Err(ApiError::not_found()),
    })
}

/// Decodes a body and reports the anomalies of it and of its content type.
fn receive<T: WireObject>(
    head: &request::Parts,
    body: &Bytes,
    anomalies: &mut Vec<String>,
) -> Result<T, ApiError> {
    let received = T::receive(body).map_err(|error| ApiError::from(&error))?;
    let content_type = server::content_type_anomaly(&head.headers);
    for anomaly in content_type.iter().chain(&received.anomalies) {
        anomalies.push(anomaly.to_string());
    }
    Ok(received.value)
}
