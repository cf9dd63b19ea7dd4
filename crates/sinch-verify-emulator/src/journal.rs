//! The journal: the latest requests of the API with their answers, as they were on the wire.
//!
//! Recording is part of every request, so it only copies bytes. They are decoded when they are read.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method as Verb, Response, StatusCode, Uri, request};

use crate::clock::Stopwatch;
use crate::engine::Uid;
use crate::ring_buffer::RingBuffer;

/// The latest exchanges. The oldest are dropped.
pub(crate) struct Journal {
    exchanges: Mutex<RingBuffer<Exchange>>,
    on: bool,
}

/// One request and its answer.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) seq: u64,
    /// When the request came in, service time.
    pub(crate) at: SystemTime,
    /// When the request came in, wall clock.
    pub(crate) wire: SystemTime,
    pub(crate) took: Duration,
    /// Both heads: a line for verb and target, a line for each header of the request, and from offset
    /// `split` a line for each header of the answer.
    heads: Box<[u8]>,
    split: usize,
    pub(crate) body: Bytes,
    /// `None` when no answer was sent.
    pub(crate) status: Option<StatusCode>,
    pub(crate) answer: Bytes,
    pub(crate) notes: Notes,
}

/// What the API found out about a request.
#[derive(Clone, Default)]
pub(crate) struct Notes {
    /// The anomalies of the request.
    pub(crate) anomalies: Vec<String>,
    /// The verification that the request is about.
    pub(crate) about: Option<Uid>,
    /// The fault that the request triggered.
    pub(crate) fault: Option<&'static str>,
}

impl Journal {
    /// A journal that keeps `kept` exchanges. With 0 it is off.
    pub(crate) fn new(kept: usize) -> Self {
        Self {
            exchanges: Mutex::new(RingBuffer::new(kept)),
            on: kept > 0,
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on
    }

    /// Keeps a request and its answer. `status` is `None` if no answer is sent. Returns the number of the
    /// request.
    pub(crate) fn note(
        &self,
        stopwatch: &Stopwatch,
        head: &request::Parts,
        body: Bytes,
        answer: &Response<Bytes>,
        status: Option<StatusCode>,
        notes: Notes,
    ) -> u64 {
        let (verb, target) = (head.method.as_str(), head.uri.path_and_query());
        let target = target.map_or("/", |target| target.as_str());
        let first_line = verb.len() + target.len() + 2;
        // The exact capacity, so that the buffer is not reallocated.
        let len = first_line + written(&head.headers) + written(answer.headers());
        let mut heads = Vec::with_capacity(len);
        heads.extend_from_slice(verb.as_bytes());
        heads.push(b' ');
        heads.extend_from_slice(target.as_bytes());
        heads.push(b'\n');
        write_headers(&mut heads, &head.headers);
        let split = heads.len();
        write_headers(&mut heads, answer.headers());
        let took = stopwatch.elapsed();
        let exchange = |seq| Exchange {
            seq,
            at: stopwatch.service,
            wire: stopwatch.wire,
            took,
            heads: heads.into_boxed_slice(),
            split,
            body,
            status,
            answer: answer.body().clone(),
            notes,
        };
        self.lock().push(exchange)
    }

    pub(crate) fn find(&self, seq: u64) -> Option<Exchange> {
        self.lock().get(seq).cloned()
    }

    /// The results of `pick` on the exchanges before `seq`, newest first.
    pub(crate) fn before<T>(
        &self,
        seq: u64,
        most: usize,
        pick: impl FnMut(&Exchange) -> Option<T>,
    ) -> Vec<T> {
        self.lock().before(seq).filter_map(pick).take(most).collect()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, RingBuffer<Exchange>> {
        // No update can panic halfway, so the state is valid.
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    pub(crate) fn verb(&self) -> Verb {
        let (verb, _) = self.first_line();
        Verb::from_bytes(verb).unwrap_or_default()
    }

    /// Path and query, as sent.
    pub(crate) fn target(&self) -> Uri {
        let (_, target) = self.first_line();
        Uri::try_from(target).unwrap_or_default()
    }

    pub(crate) fn request_headers(&self) -> HeaderMap {
        read_headers(self.lines().0)
    }

    pub(crate) fn answer_headers(&self) -> HeaderMap {
        read_headers(self.heads.get(self.split..).unwrap_or_default())
    }

    fn first_line(&self) -> (&[u8], &[u8]) {
        let mut line = self.lines().1.splitn(2, |byte| *byte == b' ');
        (line.next().unwrap_or_default(), line.next().unwrap_or_default())
    }

    /// The first line and the header lines of the request.
    fn lines(&self) -> (&[u8], &[u8]) {
        let request = self.heads.get(..self.split).unwrap_or_default();
        let mut parts = request.splitn(2, |byte| *byte == b'\n');
        let first = parts.next().unwrap_or_default();
        (parts.next().unwrap_or_default(), first)
    }
}

/// Writes a line for each header value. A value has no line end: HTTP does not allow it.
fn write_headers(heads: &mut Vec<u8>, headers: &HeaderMap) {
    for (name, value) in headers {
        heads.extend_from_slice(name.as_str().as_bytes());
        heads.push(b':');
        heads.extend_from_slice(value.as_bytes());
        heads.push(b'\n');
    }
}

/// The number of bytes that [`write_headers`] writes.
fn written(headers: &HeaderMap) -> usize {
    let lines = headers.iter();
    lines
        .map(|(name, value)| name.as_str().len() + value.len() + 2)
        .sum()
}

fn read_headers(lines: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(&line[..colon]),
            HeaderValue::from_bytes(&line[colon + 1..]),
        ) {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{Request, Response};

    use super::{Journal, Notes};
    use crate::clock::Clock;

    #[test]
    fn what_is_noted_is_read_as_it_was() {
        let request = Request::builder()
            .method("PATCH")
            .uri("/a%2Bb/+c?d=e f".replace(' ', "+"))
            .header("content-type", "text/plain; charset=x")
            .header("x-odd", ": y: ")
            .header("twice", "1")
            .header("twice", "2")
            .header("x-bytes", http::HeaderValue::from_bytes(b"\xff\t").unwrap())
            .body(())
            .unwrap();
        let (head, ()) = request.into_parts();
        let answer = Response::builder()
            .status(418)
            .header("a", "b")
            .body(Bytes::from("pot"))
            .unwrap();
        let stopwatch = Clock::running().start_stopwatch();
        let journal = Journal::new(1);
        journal.note(
            &stopwatch,
            &head,
            Bytes::from("old"),
            &answer,
            Some(answer.status()),
            Notes::default(),
        );
        let seq = journal.note(
            &stopwatch,
            &head,
            Bytes::from("body"),
            &answer,
            Some(answer.status()),
            Notes::default(),
        );
        assert!(journal.find(1).is_none());
        let exchange = journal.find(seq).unwrap();
        assert_eq!(exchange.verb(), head.method);
        assert_eq!(exchange.target(), head.uri);
        assert_eq!(exchange.request_headers(), head.headers);
        assert_eq!(exchange.answer_headers(), *answer.headers());
        assert_eq!((exchange.body, exchange.answer), ("body".into(), "pot".into()));
        assert_eq!(exchange.status.unwrap(), 418);
    }
}
