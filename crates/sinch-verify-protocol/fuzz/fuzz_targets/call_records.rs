//! Call detail records, whole and in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sinch_verify_protocol::cdr::CdrReader;

fuzz_target!(|input: (usize, &[u8])| {
    let (chunk, file) = input;
    let read = |chunk: usize| {
        let mut records = Vec::new();
        let mut reader = CdrReader::new();
        for chunk in file.chunks(chunk) {
            reader.read(chunk, |record| records.push(record));
        }
        reader.finish(|record| records.push(record));
        records
    };
    assert_eq!(read(chunk % 64 + 1), read(file.len().max(1)));
});
