//! Reads the queries of control requests, and cuts lists into pages.

use std::time::Duration;

use http::Uri;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Map, Value};
use sinch_verify_protocol::{PhoneNumber, duration};

use super::response::{Refused, read_number};
use crate::core::Core;
use crate::engine::AppId;

/// The default number of items on a page.
const DEFAULT_LIMIT: usize = 100;

/// The largest number of items on a page.
const MAX_LIMIT: usize = 1_000;

/// A query, with percent escapes decoded. A `+` is kept as it is, because phone numbers begin with it.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the query of `uri`, which may have only these parameters.
    pub(super) fn of(uri: &Uri, names: &[&str]) -> Result<Self, Refused> {
        let pairs = uri.query().unwrap_or_default().split('&');
        let pairs = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if names.contains(&name) {
                Ok((
                    name.to_owned(),
                    percent_decode_str(value).decode_utf8_lossy().into_owned(),
                ))
            } else {
                Err(Refused::bad(format!(
                    "{name:?} is not a parameter of this path; use {}",
                    names.join(", ")
                )))
            }
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().rev().find(|(own, _)| own == name);
        pair.map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn seq(&self, name: &str) -> Result<Option<u64>, Refused> {
        let number = self.text(name).map(str::parse).transpose();
        number.map_err(|_| Refused::bad(format!("{name} must be a whole number")))
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<PhoneNumber>, Refused> {
        self.text(name).map(read_number).transpose()
    }

    pub(super) fn duration(&self, name: &str) -> Result<Option<Duration>, Refused> {
        let duration = self.text(name).map(duration::parse).transpose();
        duration.map_err(|error| Refused::bad(format!("{name} {error}")))
    }

    /// The application whose key is the parameter `name`.
    pub(super) fn application(&self, name: &str, core: &Core) -> Result<Option<AppId>, Refused> {
        let find = |key: &str| {
            let app = core.registry.find(key);
            app.ok_or_else(|| {
                Refused::bad(format!(
                    "{name}: the emulator has no application with this key; GET /_emu/info lists them"
                ))
            })
        };
        self.text(name).map(find).transpose()
    }

    /// The requested page.
    pub(super) fn page(&self) -> Result<Page, Refused> {
        let limit = self.seq("limit")?;
        let limit = limit.map_or(DEFAULT_LIMIT, |limit| usize::try_from(limit).unwrap_or(MAX_LIMIT));
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Refused::bad(format!("limit must be 1 to {MAX_LIMIT}")));
        }
        Ok(Page {
            before: self.seq("before")?.unwrap_or(u64::MAX),
            limit,
        })
    }
}

/// A page of a list: up to `limit` items with numbers below `before`, newest first.
pub(super) struct Page {
    pub(super) before: u64,
    pub(super) limit: usize,
}

impl Page {
    /// One item more than the page, which shows whether another page follows.
    pub(super) fn and_one(&self) -> usize {
        self.limit + 1
    }

    /// The answer for this page, from a list of up to one item more.
    pub(super) fn of<T: Serialize>(&self, name: &str, mut items: Vec<T>, seq: impl Fn(&T) -> u64) -> Value {
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let next = items.last().filter(|_| more).map(seq);
        list(name, &items, next)
    }
}

/// A list, and the `before` of the next page.
pub(super) fn list<T: Serialize>(name: &str, items: &[T], next: Option<u64>) -> Value {
    let mut whole = Map::new();
    whole.insert(name.to_owned(), serde_json::to_value(items).unwrap_or_default());
    if let Some(next) = next {
        whole.insert("next".to_owned(), next.into());
    }
    Value::Object(whole)
}
