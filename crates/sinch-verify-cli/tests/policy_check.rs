//! `policy check`: the past, replayed through a policy.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use running::{command, run, stderr, stdout};
use serde_json::Value;

const COUNT: u64 = 10_000;

/// A verification of the past.
struct Verification {
    /// The second of the day when it was started.
    start: u64,
    number: String,
    price: &'static str,
    is_verified: bool,
}

/// A day of 10,000 verifications: users of three countries, and in the afternoon bots that ask for numbers of one
/// range, of which none is verified.
fn past() -> Vec<Verification> {
    let at = |place: u64| 5 + place * 86_400 / (COUNT + 10);
    let verification = |place: u64| {
        let start = at(place);
        if place > COUNT / 2 && place.is_multiple_of(5) {
            return Verification {
                start,
                number: format!("+99450123{:04}", place % 10_000),
                price: "0.28",
                is_verified: false,
            };
        }
        // Neighbours in time are far from each other in number.
        let (prefix, price) =
            [("+46701", "0.0453"), ("+47412", "0.052"), ("+49151", "0.075")][place as usize % 3];
        Verification {
            start,
            number: format!("{prefix}{:06}", place * 7919 % 1_000_000),
            price,
            is_verified: !place.is_multiple_of(10),
        }
    };
    (0..COUNT).map(verification).collect()
}

fn time(second: u64) -> String {
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "2026-01-{:02}T{:02}:{minute:02}:{:02}",
        2 + hour / 24,
        hour % 24,
        second % 60
    )
}

impl Verification {
    fn status(&self) -> &'static str {
        if self.is_verified { "SUCCESSFUL" } else { "FAIL" }
    }

    fn end(&self) -> u64 {
        self.start + if self.is_verified { 20 } else { 300 }
    }
}

fn records(past: &[Verification]) -> String {
    let mut file = String::from(
        "VerificationId;UserSpaceId;Method;StartTimestamp;EndTimestamp;Result;Reason;CLI;IdentityType;\
         IdentityEndpoint;Country;Reference;Custom;ApplicationKey;Amount;Currency\n",
    );
    for (place, one) in past.iter().enumerate() {
        let (start, end) = (time(one.start), time(one.end()));
        let (status, number, price) = (one.status(), &one.number, one.price);
        writeln!(
            file,
            "v-{place};u;sms;{start};{end};{status};;;number;{number};;;;key;{price};EUR"
        )
        .unwrap();
    }
    file
}

/// The same as events, in order of their time.
fn events(past: &[Verification]) -> String {
    let mut lines = Vec::new();
    for (place, one) in past.iter().enumerate() {
        let identity = format!(r#""identity":{{"type":"number","endpoint":"{}"}}"#, one.number);
        let of = format!(r#""id":"v-{place}","method":"sms",{identity}"#);
        let price = format!(r#""price":{{"currencyId":"EUR","amount":{}}}"#, one.price);
        let at = time(one.start);
        lines.push((
            one.start,
            format!(r#"{{"at":"{at}Z","event":"VerificationRequestEvent",{of},{price}}}"#),
        ));
        let (at, status) = (time(one.end()), one.status());
        let result =
            format!(r#"{{"at":"{at}Z","event":"VerificationResultEvent",{of},"status":"{status}"}}"#);
        lines.push((one.end(), result));
    }
    lines.sort_by_key(|(at, _)| *at);
    lines
        .iter()
        .fold(String::new(), |file, (_, line)| file + line + "\n")
}

fn policy(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let file = folder.join("sinch-verify-callback/examples/policies").join(name);
    file.to_str().unwrap().to_owned()
}

fn write(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let file: PathBuf = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn figures(policy: &str, format: &str, file: &str) -> Value {
    let output = run(&["policy", "check", policy, format, file, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).unwrap()
}

fn rules(figures: &Value, field: &str) -> u64 {
    let rules = figures["rules"].as_array().unwrap().iter();
    rules.map(|rule| rule[field].as_u64().unwrap()).sum()
}

fn of_country<'a>(figures: &'a Value, name: &str) -> &'a Value {
    let countries = figures["countries"].as_array().unwrap();
    countries.iter().find(|country| country["name"] == name).unwrap()
}

#[test]
fn ten_thousand_records_show_who_would_have_been_denied() {
    let folder = tempfile::tempdir().unwrap();
    let past = past();
    let file = write(&folder, "records.csv", &records(&past));
    let figures = figures(&policy("enforce.toml"), "--cdr", &file);
    let bots = past.iter().filter(|one| one.number.starts_with("+994")).count() as u64;
    assert_eq!(
        (&figures["starts"], &figures["currency"]),
        (&Value::from(COUNT), &Value::from("EUR"))
    );
    assert_eq!(
        (&figures["from"], &figures["to"]),
        (
            &"2026-01-02T00:00:05.000Z".into(),
            &"2026-01-02T23:58:30.000Z".into()
        )
    );
    let pumped = of_country(&figures, "AZ");
    let denied = pumped["denied"].as_u64().unwrap();
    assert!(denied * 10 > bots * 9, "{pumped}");
    assert_eq!(pumped["allowed"].as_u64().unwrap() + denied, bots);
    assert_eq!(figures["denied"], denied, "no user is denied: {figures}");
    assert_eq!(figures["deniedVerified"], 0);
    assert_eq!(rules(&figures, "denied"), denied);
    // 28 cents each.
    let euros = format!("{}.{:02}", denied * 28 / 100, denied * 28 % 100);
    let euros = euros.trim_end_matches('0').trim_end_matches('.');
    assert_eq!(
        (&figures["deniedCost"], &pumped["deniedCost"]),
        (&euros.into(), &euros.into())
    );
    let first = &figures["ranges"][0];
    assert_eq!(
        (&first["name"], &first["succeeded"]),
        (&"+99450123".into(), &0.into())
    );
}

#[test]
fn an_observing_policy_denies_nothing_and_counts_what_it_would() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder, "records.csv", &records(&past()));
    let figures = figures(&policy("observe.toml"), "--cdr", &file);
    assert_eq!(
        (&figures["allowed"], &figures["denied"]),
        (&COUNT.into(), &0.into())
    );
    assert_eq!(rules(&figures, "denied"), 0);
    assert!(rules(&figures, "wouldDeny") > 0, "{figures}");
}

#[test]
fn denied_starts_that_were_verified_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder, "records.csv", &records(&past()));
    let text =
        "[[velocity]]\nper = \"country\"\nlimit = 1\nwindow = \"1d\"\ncountries = [\"SE\"]\nname = \"one\"\n";
    let strict = write(&folder, "strict.toml", text);
    let figures = figures(&strict, "--cdr", &file);
    let users = past();
    let verified = |one: &&Verification| one.number.starts_with("+46") && one.is_verified;
    let verified = users.iter().filter(verified).count() as u64;
    // The first one is allowed, and was not verified.
    assert_eq!(
        (figures["deniedVerified"].as_u64(), rules(&figures, "verified")),
        (Some(verified), verified)
    );
    assert_eq!(figures["currency"], Value::Null, "the policy has none");
}

#[test]
fn records_and_events_of_the_same_past_give_the_same_figures() {
    let folder = tempfile::tempdir().unwrap();
    let past = past();
    let cdr = write(&folder, "records.csv", &records(&past));
    let ndjson = write(&folder, "events.ndjson", &events(&past));
    let enforce = policy("enforce.toml");
    let by_records = figures(&enforce, "--cdr", &cdr);
    assert_eq!(figures(&enforce, "--events", &ndjson), by_records);
    // Half an hour of records the other way round.
    let mut lines: Vec<_> = records(&past).lines().map(str::to_owned).collect();
    lines[1000..1200].reverse();
    let disordered = write(&folder, "disordered.csv", &lines.join("\n"));
    assert_eq!(figures(&enforce, "--cdr", &disordered), by_records);
    let mut command = command(&["policy", "check", &enforce, "--cdr", "-", "--json"]);
    let output = command
        .stdin(Stdio::from(std::fs::File::open(cdr).unwrap()))
        .output()
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&stdout(&output)).unwrap(),
        by_records
    );
}

#[test]
fn a_pipe_gets_a_line_for_each_rule_country_and_range() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(&folder, "records.csv", &records(&past()));
    let output = run(&["policy", "check", &policy("enforce.toml"), "--cdr", &file]);
    let printed = stdout(&output);
    assert!(
        printed.starts_with("10000 starts from 2026-01-02T00:00:05.000Z to "),
        "{printed}"
    );
    assert!(
        printed.contains("\nvelocity-number-1h\t0\t0\t0\t0\t0\n"),
        "{printed}"
    );
    assert!(printed.contains("\nSE\t"), "{printed}");
    assert!(printed.contains("\n+99450123\t"), "{printed}");
    assert!(
        printed.contains("; 0 of them were verified in the past\n"),
        "{printed}"
    );
}
