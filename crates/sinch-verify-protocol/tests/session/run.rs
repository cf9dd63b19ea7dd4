//! Drives a session as an application would, without any I/O.

use std::time::Duration;

use bytes::Bytes;
use sinch_verify_protocol::report::ReportedProof;
use sinch_verify_protocol::session::{
    Ending, Failure, Ignored, Input, Output, Plan, Progress, Request, RequestFailure, RequestId, Session,
};
use sinch_verify_protocol::{Code, PhoneNumber, Start};

pub(crate) fn number() -> PhoneNumber {
    "+46700000001".parse().unwrap()
}

pub(crate) fn sms() -> Start {
    Start::sms(number()).into()
}

pub(crate) fn flash_call() -> Start {
    Start::flash_call(number()).into()
}

pub(crate) fn callout() -> Start {
    Start::callout(number()).into()
}

pub(crate) fn seamless() -> Start {
    Start::seamless(number()).into()
}

pub(crate) fn typed(code: &str) -> Input {
    Input::CodeTyped(Code::new(code).unwrap())
}

pub(crate) const SMS: &str =
    r#"{"id":"s1","method":"sms","sms":{"template":"Your code is {{CODE}}","interceptionTimeout":120}}"#;
pub(crate) const FLASH: &str = r#"{"id":"f1","method":"flashcall","flashCall":{"cliFilter":"(.*)70123(.*)","interceptionTimeout":45,"reportTimeout":75,"denyCallAfter":0}}"#;
pub(crate) const CALLOUT: &str = r#"{"id":"c1","method":"callout"}"#;
pub(crate) const POLLED: &str = r#"{"id":"c1","method":"callout","callout":{"startPollingAfter":3,"stopPollingAfter":30,"pollingInterval":3}}"#;
pub(crate) const SUCCESSFUL: &str = r#"{"id":"s1","status":"SUCCESSFUL"}"#;
pub(crate) const PENDING: &str = r#"{"id":"s1","status":"PENDING"}"#;
pub(crate) const WRONG: &str = r#"{"errorCode":40003,"message":"Invalid identity or code."}"#;

/// A session, its time, and the requests that wait for an answer.
pub(crate) struct Run {
    pub(crate) session: Session,
    pub(crate) now: Duration,
    pub(crate) open: Vec<(RequestId, Request)>,
}

/// What one input brought.
pub(crate) struct Said(pub(crate) Vec<Output>);

impl Run {
    pub(crate) fn new(plan: Plan) -> Self {
        Self {
            session: Session::new(plan).unwrap(),
            now: Duration::ZERO,
            open: Vec::new(),
        }
    }

    /// Begins at 0 and answers the start at `answered_ms`.
    pub(crate) fn started(start: Start, body: &str, answered_ms: u64) -> Self {
        Self::planned(Plan::new(start), body, answered_ms)
    }

    pub(crate) fn planned(plan: Plan, body: &str, answered_ms: u64) -> Self {
        let mut run = Self::new(plan);
        run.give(Input::Begin);
        run.at(answered_ms).reply("start_verification", 200, body);
        run
    }

    pub(crate) fn at(&mut self, ms: u64) -> &mut Self {
        self.now = Duration::from_millis(ms);
        self
    }

    pub(crate) fn give(&mut self, input: Input) -> Said {
        // Being carried elsewhere before any input changes nothing.
        let restored = restore(&save(&self.session)).unwrap();
        assert_eq!(restored, self.session);
        self.session = restored;
        let outputs = self.session.handle(self.now, input);
        for output in &outputs {
            if let Output::Send { id, request } = output {
                self.open.push((*id, request.clone()));
            }
        }
        if let Some(at) = self.session.next_deadline() {
            assert!(at > self.now, "deadline in the past");
        }
        Said(outputs)
    }

    pub(crate) fn tick(&mut self, ms: u64) -> Said {
        self.at(ms).give(Input::Tick)
    }

    /// Goes on to the session's next deadline.
    pub(crate) fn due(&mut self) -> Said {
        self.now = self.session.next_deadline().unwrap();
        self.give(Input::Tick)
    }

    fn take(&mut self, name: &str) -> (RequestId, Request) {
        let at = self.open.iter().position(|(_, request)| request.name() == name);
        self.open.remove(at.unwrap_or_else(|| panic!("no {name} waits")))
    }

    /// Answers the oldest open request of this name.
    pub(crate) fn reply(&mut self, name: &str, status: u16, body: &str) -> Said {
        self.reply_with(name, status, body, None)
    }

    pub(crate) fn reply_with(
        &mut self,
        name: &str,
        status: u16,
        body: &str,
        retry_after: Option<u32>,
    ) -> Said {
        let (id, request) = self.take(name);
        let mut response = http::Response::new(Bytes::from(body.to_owned()));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        self.give(match request.read(&response) {
            Ok(answer) => Input::Answered { request: id, answer },
            Err(failure) => Input::RequestFailed { request: id, failure },
        })
    }

    pub(crate) fn break_off(&mut self, name: &str, failure: RequestFailure) -> Said {
        let (request, _) = self.take(name);
        self.give(Input::RequestFailed { request, failure })
    }

    pub(crate) fn ending(&self) -> &Ending {
        self.session.ending().unwrap()
    }

    pub(crate) fn is_verified(&self) -> bool {
        self.session.ending().is_some_and(Ending::is_verified)
    }

    pub(crate) fn failure(&self) -> &Failure {
        match self.ending() {
            Ending::Failed(failure) => failure,
            Ending::Verified(_) => panic!("verified"),
        }
    }
}

impl Said {
    /// The names of the requests to send.
    pub(crate) fn sends(&self) -> Vec<&'static str> {
        self.requests().iter().map(|request| request.name()).collect()
    }

    pub(crate) fn requests(&self) -> Vec<&Request> {
        let requests = self.0.iter().filter_map(|output| match output {
            Output::Send { request, .. } => Some(request),
            _ => None,
        });
        requests.collect()
    }

    pub(crate) fn ignored(&self) -> Option<Ignored> {
        self.0.iter().find_map(|output| match output {
            Output::Ignored(why) => Some(*why),
            _ => None,
        })
    }

    pub(crate) fn progress(&self) -> Vec<&Progress> {
        let all = self.0.iter().filter_map(|output| match output {
            Output::Progress(progress) => Some(progress),
            _ => None,
        });
        all.collect()
    }

    pub(crate) fn has(&self, wanted: &Progress) -> bool {
        self.progress().contains(&wanted)
    }

    /// `lateCall` and `noCall` of the outcome told.
    pub(crate) fn outcome(&self) -> Option<(bool, bool)> {
        self.requests().iter().find_map(|request| match request {
            Request::Outcome(outcome) => {
                let data = &outcome.body().data;
                Some((data.late_call, data.no_call))
            }
            _ => None,
        })
    }

    /// The reported proof and its source.
    pub(crate) fn reported(&self) -> Option<(String, String)> {
        self.requests().iter().find_map(|request| match request {
            Request::Report(report) => {
                let body = report.body();
                let proof = match body.require_proof().unwrap() {
                    ReportedProof::Cli(report) => report.cli.expose(),
                    ReportedProof::Code(report) => report.code.expose(),
                    other => panic!("{other:?}"),
                };
                Some((proof.to_owned(), body.source.as_ref().unwrap().to_string()))
            }
            _ => None,
        })
    }
}

pub(crate) const START: &str = "start_verification";
pub(crate) const REPORT: &str = "report_verification";
pub(crate) const STATUS: &str = "status_by_id";
pub(crate) const OUTCOME: &str = "flash_call_outcome";
pub(crate) const TARGET: &str = "fetch_target";

pub(crate) fn save(session: &Session) -> String {
    serde_json::to_string(session).unwrap()
}

pub(crate) fn restore(saved: &str) -> serde_json::Result<Session> {
    serde_json::from_str(saved)
}
