//! The faults of the service.

use crate::wire::answer;

/// A fault.
pub(super) struct Fault {
    pub(super) carried_out: CarriedOut,
    pub(super) says: Says,
    pub(super) then: Then,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum CarriedOut {
    Yes,
    No,
}

/// The answer of a fault.
pub(super) enum Says {
    Nothing,
    /// A percentage of the true answer. Only if the request is carried out.
    Part(usize),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// The end of the connection.
#[derive(Clone, Copy)]
pub(super) enum Then {
    Close,
    Reset,
    Stall,
}

/// All faults.
pub(super) fn all() -> Vec<Fault> {
    let mut all = Vec::new();
    let mut add = |carried_out, says, then| {
        all.push(Fault {
            carried_out,
            says,
            then,
        });
    };
    for then in [Then::Close, Then::Reset, Then::Stall] {
        for carried_out in [CarriedOut::No, CarriedOut::Yes] {
            add(carried_out, Says::Nothing, then);
        }
        // In the head, before the body, in the body.
        for percent in [5, 30, 60, 80, 99] {
            add(CarriedOut::Yes, Says::Part(percent), then);
        }
    }
    for (status, headers) in REFUSALS {
        let code = format!("{}00", &status[..3]);
        let body = format!(r#"{{"errorCode":{code},"message":"refused","reference":"r"}}"#);
        let says = Says::Bytes(answer(status, headers, &body).into_bytes());
        add(CarriedOut::No, says, Then::Close);
    }
    // Answers that do not show whether the request was carried out.
    for status in [
        "500 Error",
        "502 Bad Gateway",
        "503 Unavailable",
        "504 Gateway Timeout",
    ] {
        let says = Says::Bytes(answer(status, "", "<html>broken</html>").into_bytes());
        add(CarriedOut::Yes, says, Then::Close);
    }
    for body in BODIES {
        let says = Says::Bytes(answer("200 OK", "content-type: application/json\r\n", body).into_bytes());
        add(CarriedOut::Yes, says, Then::Close);
    }
    for raw in RAW {
        add(CarriedOut::Yes, Says::Bytes(raw.as_bytes().to_vec()), Then::Close);
    }
    let mut not_text = answer("200 OK", "", "{\"id\":\"xx\"}").into_bytes();
    for byte in not_text.iter_mut().filter(|byte| **byte == b'x') {
        *byte = 0xff;
    }
    add(CarriedOut::Yes, Says::Bytes(not_text), Then::Close);
    all
}

const REFUSALS: [(&str, &str); 14] = [
    ("301 Moved", "location: http://127.0.0.1:1/\r\n"),
    ("400 Bad Request", ""),
    ("401 Unauthorized", "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
    ("402 Payment Required", ""),
    ("403 Forbidden", ""),
    ("404 Not Found", ""),
    ("408 Timeout", ""),
    ("409 Conflict", ""),
    ("429 Too Many", ""),
    ("429 Too Many", "retry-after: 0\r\n"),
    ("429 Too Many", "retry-after: 99999999999999999999\r\n"),
    ("500 Error", "retry-after: 0\r\n"),
    ("503 Unavailable", "retry-after: 0\r\n"),
    (
        "503 Unavailable",
        "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n",
    ),
];

/// Answers with status 200 and an invalid body.
const BODIES: [&str; 11] = [
    "",
    "null",
    "[]",
    "0",
    "{}",
    "{\"id\":1,\"method\":2}",
    "{\"id\":\"\",\"method\":\"sms\"}",
    "{\"id\":\"1\",\"method\":\"sms\"",
    "{\"id\":\"1\",\"method\":\"pigeon\"}",
    "{\"id\":\"1\",\"method\":\"sms\",\"sms\":{\"interceptionTimeout\":-1}}",
    "<html>welcome</html>",
];

/// Bytes that are not valid HTTP.
const RAW: [&str; 8] = [
    "SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 999 \r\ncontent-length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n{",
    "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}",
    "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
];
