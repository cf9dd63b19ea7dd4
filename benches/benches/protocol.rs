//! Signing, verifying and decoding, each compared with its lower bound: the same bytes through the raw
//! crates.
#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a bench stops where its fixture is wrong")]

use std::hint::black_box;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use sinch_verify_benches::fixture::{CALLBACK_PATH, key, secret};
use sinch_verify_benches::samples::{ANSWER, EVENT, JSON, START, START_PATH, SignedEvent, now};
use sinch_verify_protocol::auth::Signer;
use sinch_verify_protocol::start::{SmsOptions, StartResponse};
use sinch_verify_protocol::{BaseUrl, Credentials, Endpoint, Event, Reference, Start, WireObject};

/// MD5, base64 and HMAC with prepared key state, which every signature needs.
fn raw_hmac(hmac: &Hmac<Sha256>, body: &[u8], path: &str, stamp: &[u8]) -> Hmac<Sha256> {
    let mut md5 = [0; 24];
    STANDARD.encode_slice(Md5::digest(body), &mut md5).unwrap();
    let mut hmac = hmac.clone();
    for part in [
        b"POST\n",
        &md5[..],
        b"\n",
        JSON.as_bytes(),
        b"\nx-timestamp:",
        stamp,
        b"\n",
        path.as_bytes(),
    ] {
        hmac.update(part);
    }
    hmac
}

fn sign(c: &mut Criterion) {
    let mut group = c.benchmark_group("protocol: sign 150 bytes");
    let hmac = Hmac::<Sha256>::new_from_slice(secret().unwrap().expose_bytes()).unwrap();
    let signer = Signer::new(key().unwrap(), &secret().unwrap());
    let mut out = [0; 44];
    group.bench_function("floor: raw crates", |b| {
        b.iter(|| {
            let raw = raw_hmac(&hmac, black_box(START), START_PATH, b"2026-01-02T03:04:05.067Z");
            STANDARD
                .encode_slice(raw.finalize().into_bytes(), &mut out)
                .unwrap();
            black_box(&out);
        });
    });
    let mut buffer = [0; Signer::MAX_AUTHORIZATION];
    group.bench_function("Signer::sign into a buffer, goal 1.15", |b| {
        b.iter(|| {
            let signed = signer.sign("POST", START_PATH, JSON.as_bytes(), black_box(START), now());
            black_box(signer.write_authorization(&signed, &mut buffer));
            black_box(signed.timestamp);
        });
    });
    let credentials = Credentials::signed(key().unwrap(), secret().unwrap());
    let mut request = Start::sms("+46700000001".parse().unwrap())
        .to_http(&BaseUrl::default())
        .unwrap();
    *request.body_mut() = bytes::Bytes::from_static(START);
    group.bench_function("Credentials::authorize on a request", |b| {
        b.iter(|| credentials.authorize(black_box(&mut request), now()).unwrap());
    });
    group.finish();
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareEvent<'a> {
    event: &'a str,
    id: String,
    method: &'a str,
    #[serde(borrow)]
    identity: BareIdentity<'a>,
    reference: Option<String>,
    custom: Option<String>,
    price: Option<BareMoney>,
}

#[derive(Deserialize)]
struct BareIdentity<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    endpoint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareMoney {
    currency_id: String,
    amount: f64,
}

fn verify(c: &mut Criterion) {
    let mut group = c.benchmark_group("protocol: verify 230 bytes");
    let hmac = Hmac::<Sha256>::new_from_slice(secret().unwrap().expose_bytes()).unwrap();
    let callback = SignedEvent::new().unwrap();
    let signed = &callback.signed;
    let given = signed.signature.to_text();

    let floor = |body: &[u8]| {
        let mut bytes = [0; 33];
        STANDARD.decode_slice(given.as_str(), &mut bytes).unwrap();
        raw_hmac(&hmac, body, CALLBACK_PATH, signed.timestamp.as_bytes())
            .verify_slice(&bytes[..32])
            .is_ok()
    };
    assert!(floor(EVENT));
    group.bench_function("floor: raw crates", |b| {
        b.iter(|| assert!(floor(black_box(EVENT))));
    });

    group.bench_function("headers, window and signature, goal 1.25", |b| {
        b.iter(|| callback.check(black_box(EVENT)).unwrap());
    });

    group.finish();

    let mut group = c.benchmark_group("protocol: verify and decode 230 bytes");
    group.bench_function("floor: verify, then serde_json into a bare struct", |b| {
        b.iter(|| {
            callback.check(black_box(EVENT)).unwrap();
            let event: BareEvent<'_> = serde_json::from_slice(black_box(EVENT)).unwrap();
            black_box((
                event.event,
                event.id,
                event.method,
                event.identity.kind,
                event.identity.endpoint,
            ));
            let price = event.price.map(|price| (price.currency_id, price.amount));
            black_box((event.reference, event.custom, price));
        });
    });
    group.bench_function("verify, then Event::decode, goal 1.3", |b| {
        b.iter(|| {
            callback.check(black_box(EVENT)).unwrap();
            black_box(Event::decode(black_box(EVENT)).unwrap());
        });
    });
    group.finish();
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareAnswer {
    id: String,
    method: String,
    sms: Option<BareSms>,
    #[serde(rename = "_links")]
    links: Option<Vec<BareLink>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BareSms {
    template: String,
    interception_timeout: i64,
    code_type: String,
}

#[derive(Serialize, Deserialize)]
struct BareLink {
    rel: String,
    href: String,
    method: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BareStart<'a> {
    identity: BareOutIdentity<'a>,
    method: &'a str,
    reference: Option<&'a str>,
    sms_options: Option<BareOptions<'a>>,
}

#[derive(Serialize)]
struct BareOutIdentity<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    endpoint: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BareOptions<'a> {
    code_type: &'a str,
}

fn json(c: &mut Criterion) {
    let mut group = c.benchmark_group("protocol: decode a start answer");
    group.bench_function("floor: serde_json into a bare struct", |b| {
        b.iter(|| serde_json::from_slice::<BareAnswer>(black_box(ANSWER)).unwrap());
    });
    group.bench_function("StartResponse::decode, goal 1.3", |b| {
        b.iter(|| StartResponse::decode(black_box(ANSWER)).unwrap());
    });
    group.finish();

    let mut group = c.benchmark_group("protocol: encode a start");
    let bare = BareStart {
        identity: BareOutIdentity {
            kind: "number",
            endpoint: "+46700000001",
        },
        method: "sms",
        reference: Some("order-7781"),
        sms_options: Some(BareOptions { code_type: "Numeric" }),
    };
    let mut options = SmsOptions::default();
    options.code_type = Some(sinch_verify_protocol::CodeType::Numeric);
    let number = "+46700000001".parse().unwrap();
    let start = Start::sms(number)
        .reference(Reference::new("order-7781").unwrap())
        .options(options);
    assert_eq!(start.body().to_json(), serde_json::to_string(&bare).unwrap());
    group.bench_function("floor: serde_json of a bare struct", |b| {
        b.iter(|| serde_json::to_vec(black_box(&bare)).unwrap());
    });
    group.bench_function("the body of a Start, goal 1.2", |b| {
        b.iter(|| black_box(&start).body().to_json());
    });
    group.finish();
}

criterion_group!(protocol, sign, verify, json);
criterion_main!(protocol);
