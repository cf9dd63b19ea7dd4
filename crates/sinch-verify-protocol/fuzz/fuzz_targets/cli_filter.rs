//! A filter and a caller id, in every dialect.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sinch_verify_protocol::CliFilter;
use sinch_verify_protocol::caller_id::Candidates;
use sinch_verify_protocol::cli_filter::Dialect;

fuzz_target!(|input: (&str, &str)| {
    let (filter, number) = input;
    for dialect in [Dialect::Android, Dialect::Regex, Dialect::Auto] {
        if let Ok(filter) = CliFilter::compile_as(filter, dialect) {
            let _ = filter.find(&Candidates::new(number));
            // A filter without brackets is its own only match.
            if filter.dialect() == Dialect::Android && !filter.as_str().contains(['(', ')']) {
                assert_eq!(filter.matches(number), filter.as_str() == number);
            }
        }
    }
    let _ = Candidates::new(number).e164();
});
