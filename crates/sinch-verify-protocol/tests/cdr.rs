//! Call detail records, whole and in pieces.
#![cfg(feature = "cdr")]

use proptest::prelude::*;
use sinch_verify_protocol::cdr::{CallDetailRecord, CdrError, CdrErrorKind, CdrReader};
use sinch_verify_protocol::{Method, Reason, Status};

fn read(file: &[u8], chunk: usize) -> Vec<Result<CallDetailRecord, CdrError>> {
    let mut records = Vec::new();
    let mut reader = CdrReader::new();
    for chunk in file.chunks(chunk.max(1)) {
        reader.read(chunk, |record| records.push(record));
        reader.read(b"", |record| records.push(record));
    }
    reader.finish(|record| records.push(record));
    records
}

const HEADER: &str = "VerificationId;UserSpaceId;Method;StartTimestamp;EndTimestamp;Result;Reason;CLI;IdentityType;\
IdentityEndpoint;Country;Reference;Custom;ApplicationKey;Amount;Currency\r\n";
const FLASH: &str = "1234567890;7;flashCall;2026-01-02T03:04:05.1234567;2026-01-02T03:05:00Z;FAIL;Invalid CLI;\
+14155570123;number;+12025550134;US;order-1;\"a;\"\"b\"\"\nc\";key;0.01530;EUR";
const SMS: &str = "2;;sms;;;SUCCESSFUL;;;;;;;;;;";

#[test]
fn a_file_reads_alike_in_chunks_of_any_size() {
    let file = format!("{HEADER}{FLASH}\r\n\n{SMS}");
    let whole = read(file.as_bytes(), file.len());
    assert_eq!(whole.len(), 2);
    let first = whole[0].as_ref().unwrap();
    assert_eq!(
        (&first.method, &first.result),
        (&Method::FlashCall, &Status::Fail)
    );
    assert_eq!(first.reason, Some(Reason::InvalidCli));
    assert_eq!(first.custom.as_ref().unwrap().as_str(), "a;\"b\"\nc");
    assert_eq!(first.amount.as_ref().unwrap().as_str(), "0.01530");
    assert_eq!(
        first.start.as_ref().unwrap().as_str(),
        "2026-01-02T03:04:05.1234567"
    );
    assert!(whole[1].as_ref().unwrap().amount.is_none());
    for chunk in 1..file.len() {
        assert_eq!(read(file.as_bytes(), chunk), whole, "{chunk}");
    }
}

#[test]
fn a_bad_record_says_what_is_wrong_and_the_next_one_is_read() {
    let long = format!("{};;sms;;;FAIL;;;;;;;;;;", "9".repeat(CdrReader::MAX_RECORD));
    let columns = |found| CdrErrorKind::Columns { found };
    let cases = [
        ("1;2;3".to_owned(), columns(3)),
        (format!("{SMS};extra;extra;extra"), columns(17)),
        (long, CdrErrorKind::TooLong),
        (
            SMS.replace("2;", ";"),
            CdrErrorKind::Field {
                column: "VerificationId",
                message: "it is empty".into(),
            },
        ),
    ];
    for (bad, kind) in cases {
        let file = format!("{bad}\n{SMS}\n");
        for chunk in [1, 100, file.len()] {
            let records = read(file.as_bytes(), chunk);
            assert_eq!(
                records[0],
                Err(CdrError {
                    record: 1,
                    kind: kind.clone()
                })
            );
            assert!(records[1].is_ok() && records.len() == 2);
        }
    }
    let when = SMS.replace("sms;;", "sms;yesterday;");
    assert!(
        read(when.as_bytes(), 8)[0]
            .as_ref()
            .unwrap_err()
            .to_string()
            .starts_with("record 1: StartTimestamp: ")
    );
    let mut broken = SMS.as_bytes().to_vec();
    broken[2] = 0xff;
    assert_eq!(
        read(&broken, 5)[0],
        Err(CdrError {
            record: 1,
            kind: columns(15)
        })
    );
}

proptest! {
    #[test]
    fn any_bytes_read_without_panic_and_alike_in_pieces(
        file in proptest::collection::vec(prop_oneof![Just(b';'), Just(b'\n'), Just(b'"'), any::<u8>()], 0..400),
        chunk in 1usize..50,
    ) {
        prop_assert_eq!(read(&file, chunk), read(&file, 400));
    }
}
