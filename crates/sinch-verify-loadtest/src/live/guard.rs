//! The one place that every request of a live run passes on its way out.

use bytes::Bytes;
use http::{Method as Verb, Request, Response};
use sinch_verify_protocol::method::Form;
use sinch_verify_protocol::start::{StartRequest, StartResponse};
use sinch_verify_protocol::{ApiError, DecodeError, Reason, Verification, VerificationId, WireObject as _};

use super::limits::Admitted;
use super::stop::Stop;
use crate::model::{Failure, FailureKind, StepName};
use crate::wire::{Answer, BoxFuture, Wire};

/// The wire of one flow of a live run. It sends a start only when its price is reserved.
///
/// It reads the bytes that are about to be sent, not what the scenario says about them.
#[derive(Debug)]
pub(crate) struct Guarded<W> {
    wire: W,
    admitted: Admitted,
    /// Starts that may cost something.
    starts: Vec<Start>,
    /// Whether the flow has not used the turn that it was admitted with.
    has_turn: bool,
}

#[derive(Debug)]
struct Start {
    id: Option<VerificationId>,
    is_call: bool,
}

impl<W: Wire> Wire for Guarded<W> {
    fn send<'a>(&'a mut self, step: StepName, request: Request<Bytes>) -> BoxFuture<'a, Answer> {
        Box::pin(self.exchange(step, request))
    }
}

impl<W: Wire> Guarded<W> {
    async fn exchange(&mut self, step: StepName, request: Request<Bytes>) -> Answer {
        // Of all operations, only a start is a POST.
        let is_start = request.method() == Verb::POST;
        if is_start {
            let refused = |stop: Stop| Failure::new(FailureKind::Aborted, stop.to_string());
            self.reserve(request.body()).await.map_err(refused)?;
        }
        let answer = self.wire.send(step, request).await;
        self.note(&answer);
        if is_start {
            self.started(&answer);
        }
        answer
    }
}

impl<W> Guarded<W> {
    /// Guards the wire of a flow that was [admitted](super::Limits::admit).
    pub(crate) fn new(wire: W, admitted: Admitted) -> Self {
        Self {
            wire,
            admitted,
            starts: Vec::new(),
            has_turn: true,
        }
    }

    /// Waits for the turn of a start and reserves its price.
    async fn reserve(&mut self, body: &Bytes) -> Result<(), Stop> {
        let limits = self.admitted.limits();
        if !std::mem::take(&mut self.has_turn) {
            limits.turn().await;
        }
        let start = StartRequest::decode(body).ok();
        let number = start
            .as_ref()
            .and_then(|start| start.identity.phone_number().ok());
        let (Some(start), Some(number)) = (start, number) else {
            limits.stop(Stop::ForeignNumber);
            return Err(Stop::ForeignNumber);
        };
        limits.reserve(&number)?;
        self.starts.push(Start {
            id: None,
            // `auto` may turn into a call.
            is_call: matches!(
                start.method.form(),
                Some(Form::Ring | Form::Speech | Form::Several)
            ),
        });
        Ok(())
    }

    /// Notes what any answer tells about refusals, credit and prices.
    fn note(&self, answer: &Result<Response<Bytes>, Failure>) {
        let (limits, Ok(answer)) = (self.admitted.limits(), answer) else {
            return;
        };
        limits.apply(|state| state.rule.answer(answer.status()));
        let has_credit = match Verification::from_http(answer) {
            Ok(Verification {
                id, reason, price, ..
            }) => {
                if let Some(price) = price
                    && let Some(amount) = price.verification
                {
                    limits.apply(|state| state.account.price(&id, &amount, price.termination.as_ref()));
                }
                reason != Some(Reason::NotEnoughCredit)
            }
            Err(DecodeError::Api { error, .. }) => error.code != ApiError::CREDIT,
            Err(_) => true,
        };
        if !has_credit {
            limits.stop(Stop::NoCredit);
        }
    }

    /// Binds the last start to its verification, or frees its reservation when it costs nothing. In
    /// any other case it may cost something: the reservation stays until the flow ends.
    fn started(&mut self, answer: &Result<Response<Bytes>, Failure>) {
        let costs_nothing = match answer {
            Ok(answer) => answer.status().is_client_error(),
            Err(failure) => failure.kind().is_unreachable() || failure.kind() == FailureKind::Request,
        };
        if costs_nothing {
            self.starts.pop();
            self.admitted.limits().release();
        } else if let (Some(start), Ok(answer)) = (self.starts.last_mut(), answer) {
            start.id = StartResponse::decode(answer.body())
                .ok()
                .map(|started| started.id);
        }
    }
}

/// The flow has ended, or was cut off.
impl<W> Drop for Guarded<W> {
    fn drop(&mut self) {
        for Start { id, is_call } in &self.starts {
            let limits = self.admitted.limits();
            limits.apply(|state| state.account.settle(id.as_ref(), *is_call));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant, SystemTime};

    use sinch_verify_client::transport::HyperTransport;
    use sinch_verify_emulator::{Application, Emulator};
    use sinch_verify_protocol::{
        ApplicationKey, ApplicationSecret, Credentials, Endpoint as _, PhoneNumber, Start,
    };

    use super::*;
    use crate::live::Limits;
    use crate::live::budget::tests::budget;
    use crate::wire::DirectWire;

    /// A flow that was admitted to verify one of the budget's numbers.
    struct Flow {
        emulator: Emulator,
        credentials: Credentials,
        limits: Arc<Limits>,
        number: PhoneNumber,
        wire: Guarded<DirectWire<HyperTransport>>,
    }

    impl Flow {
        async fn admitted() -> Self {
            let key = ApplicationKey::new("11111111-2222-3333-4444-555555555555").unwrap();
            let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==").unwrap();
            let application = Application::new(key.clone(), secret.clone());
            let emulator = Emulator::builder()
                .application(application)
                .start()
                .await
                .unwrap();
            let limits = Arc::new(Limits::new(budget(), "5/s".parse().unwrap()));
            let admitted = limits.admit().await.unwrap();
            Self {
                emulator,
                credentials: Credentials::signed(key, secret),
                limits,
                number: admitted.number(),
                wire: Guarded::new(DirectWire::new(HyperTransport::default()), admitted),
            }
        }

        async fn start(&mut self, number: &str, body: Option<&'static str>) -> Result<(), FailureKind> {
            let start = Start::sms(PhoneNumber::parse(number).unwrap());
            let mut request = start.to_http(&self.emulator.base_url()).unwrap();
            if let Some(body) = body {
                *request.body_mut() = Bytes::from_static(body.as_bytes());
            }
            self.credentials
                .authorize(&mut request, SystemTime::now())
                .unwrap();
            let answer = self.wire.send(StepName::START, request).await;
            answer.map(drop).map_err(|failure| failure.kind())
        }
    }

    #[tokio::test]
    async fn a_start_that_names_no_allowed_number_is_not_sent() {
        let other = "+46700009999";
        for body in [
            None,
            Some("{}"),
            Some("not JSON"),
            Some(r#"{"identity":{"type":"number","endpoint":"+46"}}"#),
        ] {
            let mut flow = Flow::admitted().await;
            assert_eq!(flow.start(other, body).await, Err(FailureKind::Aborted));
            assert_eq!(flow.limits.stopped(), Some(Stop::ForeignNumber));
            assert_eq!(flow.limits.spending().started, 0);
            assert!(
                flow.emulator
                    .inbox(&PhoneNumber::parse(other).unwrap())
                    .is_empty()
            );
        }
    }

    #[tokio::test]
    async fn every_start_of_a_flow_takes_a_turn_and_a_reservation() {
        // The first turn is that of the admission.
        let began = Instant::now();
        let mut flow = Flow::admitted().await;
        let number = flow.number.to_string();
        flow.start(&number, None).await.unwrap();
        flow.start(&number, None).await.unwrap();
        assert!(
            began.elapsed() >= Duration::from_millis(200),
            "the second start waits for its turn"
        );
        assert_eq!(
            flow.start(&number, None).await,
            Err(FailureKind::Aborted),
            "twice is the most"
        );
        assert_eq!(flow.limits.spending().reserved.to_string(), "0.40");
        assert_eq!(flow.emulator.inbox(&flow.number).len(), 2);
        drop(flow.wire);
        let spending = flow.limits.spending();
        assert_eq!(
            (spending.spent.to_string(), spending.reserved.to_string()),
            ("0.40".into(), "0.00".into())
        );
        assert_eq!(flow.limits.stopped(), Some(Stop::UnknownPrice));
    }

    #[tokio::test]
    async fn a_start_that_finds_no_server_costs_nothing() {
        let mut flow = Flow::admitted().await;
        let number = flow.number.to_string();
        let base = flow.emulator.base_url();
        let mut request = Start::sms(flow.number).to_http(&base).unwrap();
        flow.credentials
            .authorize(&mut request, SystemTime::now())
            .unwrap();
        // A port that was just free: nothing listens there.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        *request.uri_mut() = format!("http://127.0.0.1:{port}/").parse().unwrap();
        let kind = flow.wire.send(StepName::START, request).await.unwrap_err().kind();
        assert!(kind.is_unreachable(), "{kind}");
        assert_eq!(flow.limits.spending().reserved.to_string(), "0.00");
        flow.start(&number, None).await.unwrap();
    }
}
