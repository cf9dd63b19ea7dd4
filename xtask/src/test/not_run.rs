//! How a test reports that it did not run, because a program that it needs is missing.
//!
//! The test harness counts such a test as passed. The tests include this file by its path and call
//! [`report`]; `cargo xtask test` reads the reports and lists them at the end.
#![allow(dead_code, reason = "tests write reports, and xtask reads them")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::thread;

/// The variable with the name of the file that reports are added to.
pub(crate) const FILE: &str = "SINCH_VERIFY_NOT_RUN";

/// Reports that the calling test does not run, and why. Call it on the thread of the test.
///
/// # Panics
///
/// Where `CI` is set: there the programs have to be installed.
pub(crate) fn report(why: &str) {
    assert!(env::var_os("CI").is_none(), "{why}");
    let thread = thread::current();
    let name = thread.name().unwrap_or("a test");
    let test = format!("{}, {}: {name}", env!("CARGO_PKG_NAME"), env!("CARGO_CRATE_NAME"));
    // Not by a macro: the harness would keep the line to itself, since the test passes.
    let _ = std::io::stderr().write_all(format!("not run: {test}: {why}\n").as_bytes());
    if let Some(file) = env::var_os(FILE) {
        let file = OpenOptions::new().create(true).append(true).open(file);
        // One write for each line: tests of several processes add to the file at the same time.
        let line = format!("{test}\t{why}\n");
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        assert!(
            written.is_ok(),
            "failed to add to the file of {FILE}: {written:?}"
        );
    }
}

/// The reports in a file: the tests for each reason. None where there is no file.
pub(crate) fn read(file: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut reports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (test, why) in text.lines().filter_map(|line| line.split_once('\t')) {
        reports.entry(why.to_owned()).or_default().insert(test.to_owned());
    }
    reports
}
