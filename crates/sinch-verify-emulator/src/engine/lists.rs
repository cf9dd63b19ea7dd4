//! Lists of verifications and handsets for the control interface, newest first.

use std::time::SystemTime;

use sinch_verify_protocol::{Method, PhoneNumber, Reason, Status};

use super::Engine;
use super::ids::{AppId, Uid};
use super::record::Record;
use crate::message::Message;

/// The most verifications that are examined for one list, so that a filter with few matches does not
/// block the engine.
const MAX_SCANNED: usize = 10_000;

/// A verification in a list.
#[derive(Clone, Debug)]
pub(crate) struct Overview {
    pub(crate) seq: u64,
    pub(crate) uid: Uid,
    pub(crate) app: AppId,
    pub(crate) number: PhoneNumber,
    pub(crate) method: Method,
    pub(crate) status: Status,
    pub(crate) reason: Option<Reason>,
    pub(crate) reference: Option<String>,
    pub(crate) started_at: SystemTime,
    pub(crate) ended_at: Option<SystemTime>,
    /// `None` for never.
    pub(crate) expires_at: Option<SystemTime>,
    pub(crate) attempts: u32,
}

/// Which verifications a list has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) app: Option<AppId>,
    pub(crate) number: Option<PhoneNumber>,
    pub(crate) method: Option<Method>,
    pub(crate) status: Option<Status>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub(crate) struct ListPage<T> {
    pub(crate) items: Vec<T>,
    /// Items before this number may follow on the next page.
    pub(crate) next: Option<u64>,
}

/// A handset in a list.
#[derive(Clone, Debug)]
pub(crate) struct Phone {
    pub(crate) number: PhoneNumber,
    /// The number of messages and calls.
    pub(crate) messages: usize,
    pub(crate) last: Message,
    /// The status of the verification that the latest message belongs to.
    pub(crate) status: Status,
    /// Whether a callout waits for keys.
    pub(crate) pending_callout: bool,
}

impl Engine {
    pub(crate) fn overview(&self, uid: Uid) -> Option<Overview> {
        self.store.get(uid).map(Record::overview)
    }

    /// The verifications before `before` that match `filter`.
    pub(crate) fn overviews(&self, filter: &Filter, before: u64, most: usize) -> ListPage<Overview> {
        let mut items = Vec::new();
        let mut seen = before;
        for (place, (seq, uid)) in self.store.newest_first(before).enumerate() {
            if items.len() >= most || place >= MAX_SCANNED {
                let next = Some(seen);
                return ListPage { items, next };
            }
            seen = seq;
            let record = self.store.get(uid).filter(|record| filter.takes(record));
            items.extend(record.map(Record::overview));
        }
        ListPage { items, next: None }
    }

    /// The handsets whose latest message is before `before`, and whose number or latest code contains
    /// `text`.
    pub(crate) fn phones(&self, text: &str, before: u64, most: usize) -> ListPage<Phone> {
        let mut items = Vec::new();
        let mut seen = before;
        for (place, (seq, number)) in self.handsets.newest_first(before).enumerate() {
            if items.len() >= most || place >= MAX_SCANNED {
                let next = Some(seen);
                return ListPage { items, next };
            }
            seen = seq;
            let phone = self.phone(number);
            items.extend(phone.filter(|phone| phone.contains(text)));
        }
        ListPage { items, next: None }
    }

    fn phone(&self, number: &PhoneNumber) -> Option<Phone> {
        let last = self.handsets.entries(number).next_back()?;
        let record = self.store.get(last.uid)?;
        Some(Phone {
            number: *number,
            messages: self.handsets.entries(number).count(),
            last: record.message(last)?,
            status: record.status.clone(),
            pending_callout: self.pending_callout(None, number).is_some(),
        })
    }
}

impl Phone {
    fn contains(&self, text: &str) -> bool {
        let code = self.last.code.as_ref();
        self.number.as_str().contains(text) || code.is_some_and(|code| code.expose().contains(text))
    }
}

impl Filter {
    fn takes(&self, record: &Record) -> bool {
        self.app.is_none_or(|app| record.app == app)
            && self.number.is_none_or(|number| record.number == number)
            && self.method.as_ref().is_none_or(|method| record.method == *method)
            && self.status.as_ref().is_none_or(|status| record.status == *status)
    }
}

impl Record {
    fn overview(&self) -> Overview {
        Overview {
            seq: self.seq,
            uid: self.uid,
            app: self.app,
            number: self.number,
            method: self.method.clone(),
            status: self.status.clone(),
            reason: self.reason.clone(),
            reference: self.reference.as_deref().map(str::to_owned),
            started_at: self.started_at,
            ended_at: self.ended_at,
            expires_at: self.expires_at,
            attempts: self.attempts,
        }
    }
}
