//! The engine under random commands.

mod due;
mod restored;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use sinch_verify_protocol::callback::{CalloutDecision, Decision, FlashCallDecision, SmsDecision};
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::report::ReportRequest;
use sinch_verify_protocol::start::StartRequest;
use sinch_verify_protocol::{
    AcceptLanguage, Code, Method, PhoneNumber, Status, Verification, VerificationId, WireObject as _,
};

use super::command::{Answer, Command, Effect, Notice, Outputs, Query, StartCommand, Target};
use super::ids::{AppId, Uid};
use super::{Engine, Settings};
use crate::application::AuthorizationLevel;
use crate::magic::HoldBack;
use crate::message::Message;

const APPLICATIONS: u32 = 2;
const NUMBERS: [&str; 3] = ["+46700000001", "+46700000002", "+12025550123"];
const METHODS: [Method; 5] = [
    Method::Sms,
    Method::FlashCall,
    Method::Callout,
    Method::Seamless,
    Method::WhatsApp,
];

/// A command, relative to the verifications started so far.
#[derive(Clone, Debug)]
enum Step {
    Start {
        app: u32,
        number: usize,
        method: usize,
        callback: bool,
        public: bool,
        reference: Option<u8>,
        expiry: Option<u8>,
    },
    /// Answers one of the open request events.
    Decide {
        which: usize,
        how: u8,
    },
    /// Reports for one of the verifications, or for a number.
    Report {
        app: u32,
        which: usize,
        by_number: bool,
        right: bool,
        method: Option<usize>,
    },
    Outcome {
        app: u32,
        number: usize,
    },
    Follow {
        which: usize,
        right: bool,
    },
    Keypad {
        number: usize,
        how: u8,
    },
    Wait {
        millis: u32,
    },
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    let start = (
        0..APPLICATIONS,
        0..NUMBERS.len(),
        0..METHODS.len(),
        any::<bool>(),
        any::<bool>(),
        proptest::option::of(0..20_u8),
        proptest::option::of(1..60_u8),
    );
    let start = start.prop_map(
        |(app, number, method, callback, public, reference, expiry)| Step::Start {
            app,
            number,
            method,
            callback,
            public,
            reference,
            expiry,
        },
    );
    let report = (
        0..APPLICATIONS,
        any::<usize>(),
        any::<bool>(),
        any::<bool>(),
        proptest::option::weighted(0.1, 0..METHODS.len()),
    );
    let report = report.prop_map(|(app, which, by_number, right, method)| Step::Report {
        app,
        which,
        by_number,
        right,
        method,
    });
    prop_oneof![
        10 => start,
        6 => (any::<usize>(), any::<u8>()).prop_map(|(which, how)| Step::Decide { which, how }),
        12 => report,
        1 => (0..APPLICATIONS, 0..NUMBERS.len()).prop_map(|(app, number)| Step::Outcome { app, number }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, right)| Step::Follow { which, right }),
        3 => (0..NUMBERS.len(), any::<u8>()).prop_map(|(number, how)| Step::Keypad { number, how }),
        4 => (0..120_000_u32).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::Reset),
    ]
}

/// An engine, and what an outside observer knows about it.
struct World {
    engine: Engine,
    settings: Arc<Settings>,
    now: SystemTime,
    /// Every started verification, with its application and its latest possible end.
    known: Vec<(Uid, AppId, PhoneNumber, SystemTime)>,
    open: Vec<Uid>,
    /// The ends in result events, by verification.
    ended: BTreeMap<Uid, Status>,
    journal: Vec<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        Self::with(seed, Settings::default())
    }

    fn with(seed: u64, settings: Settings) -> Self {
        let settings = Arc::new(settings);
        Self {
            engine: Engine::new(Arc::clone(&settings), seed),
            settings,
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            known: Vec::new(),
            open: Vec::new(),
            ended: BTreeMap::new(),
            journal: Vec::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        self.take_unchecked(step);
        self.check();
    }

    fn take_unchecked(&mut self, step: &Step) {
        let Some(command) = self.command(step) else { return };
        let started = matches!(command, Command::Start(_));
        let reset = matches!(command, Command::Reset);
        let target = match &command {
            Command::Decide { uid, .. } => Some(*uid),
            _ => None,
        };
        let outputs = self.engine.handle(self.now, command);
        self.journal.push(format!("{outputs:?}"));
        for effect in &outputs.effects {
            self.check_event(effect);
        }
        if started {
            self.learn(step, &outputs);
        }
        if let Some(uid) = target {
            self.open.retain(|open| *open != uid);
            // A requested expiry counts from the sending; all in this test are shorter than a minute.
            for known in self.known.iter_mut().filter(|known| known.0 == uid) {
                known.3 = known.3.max(self.now + Duration::from_secs(60));
            }
        }
        if reset {
            self.known.clear();
            self.open.clear();
            self.ended.clear();
        }
    }

    fn learn(&mut self, step: &Step, outputs: &Outputs) {
        let uid = match &outputs.answer {
            Answer::NeedsDecision(ask) => {
                self.open.push(ask.uid);
                ask.uid
            }
            Answer::Started { response, .. } => Uid::parse(response.id.as_str()).unwrap(),
            Answer::Refused(_) => return,
            other => panic!("{other:?}"),
        };
        let Step::Start { app, number, .. } = step else {
            return;
        };
        // No start in this test requests more than the default.
        let last = self.now + self.settings.expiry;
        self.known
            .push((uid, AppId(*app), NUMBERS[*number].parse().unwrap(), last));
    }

    fn check_event(&mut self, effect: &Effect) {
        if let Notice::Result(event) = &effect.notice {
            assert_eq!(event.id, effect.uid.to_id());
            assert!(event.status.is_final());
            let before = self.ended.insert(effect.uid, event.status.clone());
            assert_eq!(before, None, "one result event per end");
        }
    }

    fn status(&mut self, app: AppId, id: VerificationId) -> Option<Verification> {
        let query = Query::Id(id);
        match self
            .engine
            .handle(self.now, Command::Status { app, query })
            .answer
        {
            Answer::Verification(verification) => Some(*verification),
            Answer::Refused(refusal) => {
                assert_eq!(refusal.code, 40400);
                None
            }
            other => panic!("{other:?}"),
        }
    }

    /// The checks after every step.
    fn check(&mut self) {
        assert!(
            self.engine.is_byte_count_correct(),
            "bytes of pending verifications"
        );
        assert!(
            self.engine
                .next_deadline()
                .is_none_or(|deadline| deadline > self.now)
        );
        let mut pending = BTreeMap::new();
        for (uid, app, number, last) in self.known.clone() {
            let seen = self.status(app, uid.to_id()).expect("known to its application");
            assert!(seen.method.is_some());
            match self.ended.get(&uid) {
                Some(end) => {
                    assert_eq!(&seen.status, end, "an end is final");
                    assert!(seen.price.is_some());
                }
                None => {
                    assert_eq!(seen.status, Status::Pending, "an end is told");
                    assert!(self.now < last, "nothing is pending past its expiry");
                    let before = pending.insert((app.0, number), uid);
                    assert_eq!(before, None, "one pending verification per number");
                }
            }
            let stranger = AppId((app.0 + 1) % APPLICATIONS);
            assert!(
                self.status(stranger, uid.to_id()).is_none(),
                "applications are apart"
            );
        }
    }

    fn message(&self, which: usize) -> Option<(AppId, Message)> {
        let (uid, app, number, _) = self.known.get(which % self.known.len().max(1))?;
        let inbox = self.engine.inbox(None, number);
        let message = inbox
            .into_iter()
            .find(|message| message.verification_id == uid.to_id())?;
        Some((*app, message))
    }

    fn command(&mut self, step: &Step) -> Option<Command> {
        Some(match step {
            Step::Start {
                app,
                number,
                method,
                callback,
                public,
                reference,
                expiry,
            } => {
                let mut body = format!(
                    r#"{{"identity":{{"type":"number","endpoint":"{}"}},"method":"{}""#,
                    NUMBERS[*number], METHODS[*method]
                );
                if let Some(reference) = reference {
                    body += &format!(r#","reference":"r{reference}""#);
                }
                if let Some(expiry) = expiry {
                    body += &format!(r#","smsOptions":{{"expiry":"00:00:{expiry:02}"}}"#);
                }
                body.push('}');
                Command::Start(Box::new(StartCommand {
                    app: AppId(*app),
                    level: if *public {
                        AuthorizationLevel::Public
                    } else {
                        AuthorizationLevel::Signed
                    },
                    callback: *callback,
                    request: StartRequest::decode(body.as_bytes()).unwrap(),
                    languages: AcceptLanguage::new(),
                    base: Arc::default(),
                }))
            }
            Step::Decide { which, how } => Command::Decide {
                uid: *self.open.get(which % self.open.len().max(1))?,
                decision: decision(*how).map(Box::new),
            },
            Step::Report {
                app,
                which,
                by_number,
                right,
                method,
            } => self.report(*app, *which, *by_number, *right, *method)?,
            Step::Outcome { app, number } => Command::Outcome {
                app: AppId(*app),
                number: NUMBERS[*number].parse().unwrap(),
                no_call: true,
            },
            Step::Follow { which, right } => {
                let (_, message) = self.message(*which)?;
                let target = message.target_uri?;
                let (uid, secret) = target.rsplit('/').next()?.split_once('.')?;
                Command::Follow {
                    uid: Uid::parse(uid)?,
                    secret: u64::from_str_radix(secret, 16).unwrap() ^ u64::from(!right),
                }
            }
            Step::Keypad { number, how } => Command::Keypad {
                app: None,
                number: NUMBERS[*number].parse().unwrap(),
                digits: ["1", "2", "123456", "", "x"][usize::from(*how) % 5].to_owned(),
            },
            Step::Wait { millis } => {
                self.now += Duration::from_millis(u64::from(*millis));
                Command::TimeReached
            }
            Step::Reset => Command::Reset,
        })
    }

    fn report(
        &self,
        app: u32,
        which: usize,
        by_number: bool,
        right: bool,
        method: Option<usize>,
    ) -> Option<Command> {
        let (uid, owner, number, _) = self.known.get(which % self.known.len().max(1))?;
        let message = self.message(which).map(|(_, message)| message);
        let code = message.as_ref().and_then(|message| message.code.clone());
        let cli = message.as_ref().and_then(|message| message.cli.clone());
        let code = code.as_ref().filter(|_| right).map_or("0-0", Code::expose);
        let cli = cli
            .as_ref()
            .filter(|_| right)
            .map_or("+46700000009", |cli| cli.expose());
        let named = match (method, &message) {
            (Some(method), _) => METHODS[method].clone(),
            (None, Some(message)) if message.cli.is_some() => Method::FlashCall,
            (None, Some(message)) => {
                let kind = serde_json::to_value(message.kind.clone()).unwrap();
                Method::from(kind.as_str().unwrap())
            }
            (None, None) => Method::Sms,
        };
        let body = format!(
            r#"{{"method":"{named}","sms":{{"code":"{code}"}},"callout":{{"code":"{code}"}},"whatsapp":{{"code":"{code}"}},"flashCall":{{"cli":"{cli}"}}}}"#
        );
        Some(Command::Report {
            // Mostly the application that started it.
            app: if which.is_multiple_of(7) {
                AppId(app)
            } else {
                *owner
            },
            target: if by_number {
                Target::Number(*number)
            } else {
                Target::Id(uid.to_id())
            },
            report: Box::new(ReportRequest::decode(body.as_bytes()).unwrap()),
        })
    }
}

fn decision(how: u8) -> Option<Decision> {
    Some(match how % 8 {
        0 => return None,
        1 => Decision::Deny,
        2 => {
            let mut sms = SmsDecision::default();
            sms.code = Code::new("4821").ok();
            sms.expiry = "00:00:07".parse().ok();
            Decision::AllowSms(sms)
        }
        3 => {
            let mut call = FlashCallDecision::default();
            call.cli = "+447700900123".parse().ok();
            call.dial_timeout = 9.try_into().ok();
            Decision::AllowFlashCall(call)
        }
        4 => {
            let mut callout = CalloutDecision::default();
            callout.pin = Some("2".into());
            callout.timeout = Some(11);
            Decision::AllowCallout(callout)
        }
        5 => {
            let mut callout = CalloutDecision::default();
            callout.pin = Some("no keys".into());
            Decision::AllowCallout(callout)
        }
        _ => Decision::Allow,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn invariants_hold(seed: u64, steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new(seed);
        for step in &steps {
            world.take(step);
        }
        // At the end every verification has ended and has one result event.
        world.take(&Step::Wait { millis: 360_000 });
        prop_assert_eq!(world.ended.len(), world.known.len());
        prop_assert_eq!(world.engine.next_deadline(), None);
    }

    #[test]
    fn a_seed_and_the_same_calls_give_the_same_outputs(seed: u64, steps in prop::collection::vec(step(), 1..60)) {
        let run = || {
            let mut world = World::new(seed);
            for step in &steps {
                world.take(step);
            }
            world.journal
        };
        prop_assert_eq!(run(), run());
    }
}

#[test]
fn ids_are_uuids_that_sort_by_age() {
    let mut random = super::random::Random::new(3);
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    let mut before = None;
    for _ in 0..1000 {
        let uid = random.uid(now);
        let text = uid.to_string();
        assert_eq!(Uid::parse(&text), Some(uid));
        assert_eq!(&text[..15], "018bcfe5-687b-7", "{text}");
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
        assert!(before < Some(uid));
        before = Some(uid);
    }
    for text in [
        "",
        "1",
        "018BCFE5-687B-7000-8000-000000000000",
        "018bcfe5687b70008000000000000000",
    ] {
        assert_eq!(Uid::parse(text), None, "{text}");
    }
}

/// If more timers are due at one instant than one command runs, a query in between is answered as of
/// that instant.
#[test]
fn much_that_is_due_is_done_bit_by_bit() {
    const MANY: usize = 1_000;
    let settings = Arc::new(Settings::default());
    let mut engine = Engine::new(settings, 1);
    let began = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let mut last = None;
    for n in 0..MANY {
        let number = Identity::number(format!("+467000{n:05}").parse().unwrap());
        let command = Command::Start(Box::new(StartCommand {
            app: AppId(0),
            level: AuthorizationLevel::Signed,
            callback: false,
            request: StartRequest::new(number, Method::Sms),
            languages: AcceptLanguage::default(),
            base: Arc::default(),
        }));
        last = engine.handle(began, command).about;
    }
    let query = |uid: Uid| Command::Status {
        app: AppId(0),
        query: Query::Id(uid.to_id()),
    };
    let later = began + Duration::from_secs(1_000);
    let expiry = began + Duration::from_secs(300);
    // The youngest expires last.
    let outputs = engine.handle(later, query(last.unwrap()));
    let Answer::Verification(verification) = outputs.answer else {
        panic!("no verification")
    };
    assert_eq!(verification.status, Status::Pending);
    assert_eq!(engine.now, expiry, "the time at which it is still pending");
    let mut ended = outputs.effects.len();
    assert!((1..MANY).contains(&ended), "some of it was done: {ended}");
    while engine.next_deadline().is_some_and(|due| due <= later) {
        ended += engine.handle(later, Command::TimeReached).effects.len();
    }
    assert_eq!(ended, MANY, "each has one result event");
    let outputs = engine.handle(later, query(last.unwrap()));
    assert!(matches!(outputs.answer, Answer::Verification(found) if found.status == Status::Fail));
    assert_eq!(engine.now, later);
}

#[test]
fn some_magic_numbers_hold_the_answer_to_a_start_back() {
    let settings = Arc::new(Settings::default());
    let engine = Engine::new(settings, 1);
    let held_back: BTreeMap<_, _> = crate::MagicNumber::all()
        .into_iter()
        .filter_map(|magic| {
            let by = engine.held_back(AppId(0), &magic.number.parse().unwrap())?;
            Some((magic.outcome, by))
        })
        .collect();
    let expected = [
        ("silent", HoldBack::Forever),
        ("slow", HoldBack::For(Duration::from_secs(3))),
    ];
    assert_eq!(held_back, BTreeMap::from(expected));
    let settings = Settings {
        magic_numbers: false,
        ..Settings::default()
    };
    let plain = Engine::new(Arc::new(settings), 1);
    assert_eq!(plain.held_back(AppId(0), &"+447700900926".parse().unwrap()), None);
}
