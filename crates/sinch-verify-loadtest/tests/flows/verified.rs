//! Flows that verify.

use std::time::Duration;

use sinch_verify_client::transport::HyperTransport;
use sinch_verify_loadtest::callbacks::Codes;
use sinch_verify_loadtest::flows::{Flow, Job, Known, Steps};
use sinch_verify_loadtest::measure::{FlowTally, Interval};
use sinch_verify_loadtest::runfile::Setting;
use sinch_verify_loadtest::{ControlPhone, LeanWire, Numbers};
use sinch_verify_protocol::method::{Form, ProofKind, Sms};
use sinch_verify_protocol::{Code, Credentials, Endpoint, Reference, Start};

use crate::world::{World, key, secret};

fn every_method() -> impl Iterator<Item = Flow> {
    Flow::all().filter(|flow| flow.method().is_some())
}

fn assert_all_succeeded(flow: Flow, tally: &FlowTally, count: u64) {
    assert_eq!(tally.succeeded, count, "{flow}: {:?}", tally.failures);
    assert_eq!((tally.failed, tally.aborted), (0, 0));
}

fn intervals(tally: &FlowTally) -> Vec<Interval> {
    tally.times.keys().copied().collect()
}

#[tokio::test]
async fn every_method_verifies_for_a_backend_without_callbacks() {
    use Interval::{EndToEnd, Fetch, FromSend, Phone, Report, Start, Status};
    let world = World::alone().await;
    for flow in every_method() {
        let cast = world.cast(Setting::Backend, world.inbox());
        let tally = world.carry_out(flow, 5, cast).await;
        assert_all_succeeded(flow, &tally, 5);
        let expected = match flow.method().unwrap().form {
            Form::Address => vec![EndToEnd, FromSend, Start, Status, Fetch],
            _ => vec![EndToEnd, FromSend, Start, Phone, Report, Status],
        };
        assert_eq!(intervals(&tally), expected, "{flow}");
    }
}

#[tokio::test]
async fn every_method_verifies_for_a_backend_that_hears_its_callbacks() {
    let world = World::with_callbacks(Codes::Theirs).await;
    for flow in every_method() {
        let cast = world.cast(Setting::Backend, world.inbox());
        let tally = world.carry_out(flow, 5, cast).await;
        assert_all_succeeded(flow, &tally, 5);
        for interval in [
            Interval::CallbackIn,
            Interval::CallbackServed,
            Interval::CallbackOut,
            Interval::Result,
        ] {
            assert_eq!(tally.time(interval).unwrap().count(), 5, "{flow} {interval}");
        }
    }
    assert!(world.emulator.wait_delivered(Duration::from_secs(5)).await);
    let counters = world.counters();
    // A request and a result for each, and the delivery of each text message.
    let verifications = every_method().count() as u64 * 5;
    assert_eq!(counters.callbacks, verifications * 2 + 5);
    assert_eq!(
        (counters.duplicates, counters.orphans, counters.refused),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn the_callback_sets_the_code_that_is_reported() {
    for setting in [Setting::Backend, Setting::Device] {
        let world = World::with_callbacks(Codes::Ours(3)).await;
        for flow in every_method().filter(|flow| flow.method().unwrap().decided.is_some()) {
            let cast = world.cast(setting, world.heard());
            let tally = world.carry_out(flow, 5, cast).await;
            assert_all_succeeded(flow, &tally, 5);
        }
    }
}

#[tokio::test]
async fn a_fixed_code_is_set_and_reported() {
    let code = Code::new("246801").unwrap();
    let world = World::with_callbacks(Codes::Fixed(code.clone())).await;
    for flow in every_method().filter(|flow| flow.method().unwrap().decided == Some(ProofKind::Code)) {
        let phone = sinch_verify_loadtest::FixedPhone::new(code.clone());
        let tally = world
            .carry_out(flow, 3, world.cast(Setting::Backend, phone))
            .await;
        assert_all_succeeded(flow, &tally, 3);
    }
}

#[tokio::test]
async fn a_device_verifies_by_what_its_inbox_shows() {
    let world = World::with_callbacks(Codes::Theirs).await;
    for flow in every_method() {
        let cast = world.cast(Setting::Device, world.inbox());
        let tally = world.carry_out(flow, 3, cast).await;
        assert_all_succeeded(flow, &tally, 3);
        assert!(
            tally.time(Interval::Status).is_none(),
            "a device cannot ask by id"
        );
        assert!(tally.time(Interval::StatusByNumber).is_some());
    }
}

#[tokio::test]
async fn handsets_elsewhere_are_seen_by_a_long_poll() {
    let world = World::alone().await;
    for flow in every_method().filter(|flow| flow.method().unwrap().proof.is_some()) {
        let phone = ControlPhone::new(world.emulator.base_url(), HyperTransport::default());
        let tally = world
            .carry_out(flow, 3, world.cast(Setting::Backend, phone))
            .await;
        assert_all_succeeded(flow, &tally, 3);
    }
}

#[tokio::test]
async fn messages_of_older_verifications_are_passed_over() {
    let world = World::alone().await;
    let phone = ControlPhone::new(world.emulator.base_url(), HyperTransport::default());
    // Twice the same numbers.
    for _ in 0..2 {
        let cast = world.cast(Setting::Backend, phone.clone());
        world.carry_out(Flow::SMS, 3, cast).await;
    }
    let tally = world.board.counted().flows.total();
    // References repeat, too, which the emulator refuses: so these are of the first round.
    assert_eq!(
        tally
            .failures
            .values()
            .map(|failures| failures.count)
            .sum::<u64>(),
        3
    );
    let mut wire = LeanWire::new(HyperTransport::default());
    let mut cast = world.cast(Setting::Backend, phone);
    cast.run = "fedcba9876543210".parse().unwrap();
    let number = Numbers::made_up(0).of(0).unwrap();
    let mut steps = Steps::new(&mut wire, &cast, Flow::SMS, Job { slot: 0, number });
    Flow::SMS.run(&mut steps).await.unwrap();
}

#[tokio::test]
async fn parts_of_a_flow_add_up_to_it() {
    let world = World::with_callbacks(Codes::Theirs).await;
    let cast = world.cast(Setting::Backend, world.inbox());
    let mut wire = LeanWire::new(HyperTransport::default());
    let number = Numbers::made_up(0).of(0).unwrap();
    let mut steps = Steps::new(&mut wire, &cast, Flow::SMS, Job { slot: 0, number });
    let begun = std::time::Instant::now();
    Flow::SMS.run(&mut steps).await.unwrap();
    let whole = begun.elapsed();
    let times = steps.finish();
    let sum = |intervals: &[Interval]| -> Duration {
        let parts = times.iter().filter(|timed| intervals.contains(&timed.interval));
        parts.map(|timed| timed.took).sum()
    };
    use Interval::{CallbackIn, CallbackOut, CallbackServed, Phone, Report, Result, Start, Status};
    let steps = sum(&[Start, Phone, Report, Result, Status]);
    assert!(steps <= whole, "{steps:?} of {whole:?}");
    // What is between the steps is our own work, which is little; this machine may be busy.
    assert!(
        whole - steps < Duration::from_millis(500),
        "{steps:?} of {whole:?}"
    );
    let callback = sum(&[CallbackIn, CallbackServed, CallbackOut]);
    // The start's time begins when its request is made, and that of the callback just before.
    let start = sum(&[Start]);
    assert!(
        callback.abs_diff(start) < Duration::from_millis(500),
        "{callback:?} of {start:?}"
    );
}

/// A verification to ask for.
async fn known(world: &World) -> Known {
    let number = Numbers::made_up(1 << 30).of(0).unwrap();
    let reference = Reference::new("asked-for").unwrap();
    let start = Start::<Sms>::sms(number).reference(reference.clone());
    let mut request = start.to_http(&world.emulator.base_url()).unwrap();
    let credentials = Credentials::signed(key(), secret());
    credentials
        .authorize(&mut request, std::time::SystemTime::now())
        .unwrap();
    let mut wire = LeanWire::new(HyperTransport::default());
    let answer = sinch_verify_loadtest::Wire::send(&mut wire, "start", request)
        .await
        .unwrap();
    Known {
        id: Start::sms(number).from_http(&answer).unwrap().id.clone(),
        reference,
        number,
    }
}

#[tokio::test]
async fn queries_ask_in_every_way_that_is_open() {
    let world = World::alone().await;
    let known = known(&world).await;
    for (setting, ways) in [
        (
            Setting::Backend,
            vec![
                Interval::Status,
                Interval::StatusByReference,
                Interval::StatusByNumber,
            ],
        ),
        (Setting::Device, vec![Interval::StatusByNumber]),
    ] {
        let mut cast = world.cast(setting, world.inbox());
        cast.known = vec![known.clone()];
        let mut wire = LeanWire::new(HyperTransport::default());
        let job = Job {
            slot: 5,
            number: known.number,
        };
        let mut steps = Steps::new(&mut wire, &cast, Flow::QueryOnly, job);
        Flow::QueryOnly.run(&mut steps).await.unwrap();
        let asked: Vec<_> = steps.finish().iter().map(|timed| timed.interval).collect();
        assert_eq!(asked, ways);
    }
}
