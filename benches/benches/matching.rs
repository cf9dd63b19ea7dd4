//! Matching of caller ids and messages, compared with its lower bound and with the `regex` crate.
#![forbid(unsafe_code)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use memchr::memmem;
use regex::Regex;
use sinch_verify_benches::samples::{CALLER, FILTER, MESSAGE, TEMPLATE};
use sinch_verify_protocol::cli_filter::CliFilter;
use sinch_verify_protocol::sms_template::SmsTemplate;

/// The work of an app for one call. The lower bound is one search for the digits.
fn filter_compile_and_match(c: &mut Criterion) {
    let mut group = c.benchmark_group("protocol: compile and match (.*)70123(.*)");
    group.bench_function("CliFilter", |b| {
        b.iter(|| {
            CliFilter::compile(black_box(FILTER)).is_ok_and(|filter| filter.matches(black_box(CALLER)))
        });
    });
    group.bench_function("floor: memchr::memmem::find of the digits", |b| {
        b.iter(|| memmem::find(black_box(CALLER).as_bytes(), black_box(b"70123")).is_some());
    });
    group.bench_function("rival: compile and match with regex", |b| {
        b.iter(|| {
            Regex::new(black_box(r"\A(?:(.*)70123(.*))\z"))
                .is_ok_and(|regex| regex.is_match(black_box(CALLER)))
        });
    });
    group.finish();
}

/// A filter that needs the regex engine, compiled once. The lower bound is the engine itself.
fn filter_match_general(c: &mut Criterion) {
    let filter = CliFilter::compile("(.*)(70123|70124)(.*)");
    let regex = Regex::new(r"\A(?:(.*)(70123|70124)(.*))\z");
    let (Ok(filter), Ok(regex)) = (filter, regex) else {
        return;
    };
    let mut group = c.benchmark_group("protocol: match a compiled general filter");
    group.bench_function("CliFilter, goal 1.1", |b| {
        b.iter(|| filter.matches(black_box(CALLER)));
    });
    group.bench_function("floor: regex of the same pattern", |b| {
        b.iter(|| regex.is_match(black_box(CALLER)));
    });
    group.finish();
}

/// One placeholder with text on both sides, in a message with a prefix and the app hash.
fn template_extract(c: &mut Criterion) {
    let template = SmsTemplate::parse(TEMPLATE);
    let regex = Regex::new(r"Your verification code is ([^\n\r]+)\. Verified by Sinch");
    let (Ok(template), Ok(regex)) = (template, regex) else {
        return;
    };
    let mut group = c.benchmark_group("protocol: cut a code out of a message");
    group.bench_function("SmsTemplate", |b| b.iter(|| template.extract(black_box(MESSAGE))));
    group.bench_function("rival: regex captures", |b| {
        b.iter(|| {
            let found = regex.captures(black_box(MESSAGE))?;
            found.get(1).map(|code| code.as_str())
        });
    });
    group.finish();
}

criterion_group!(
    benches,
    filter_compile_and_match,
    filter_match_general,
    template_extract
);
criterion_main!(benches);
