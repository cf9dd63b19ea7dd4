use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use super::anomaly::AnomalyKind;

/// The fields of a wire object that this version does not know, in the order
/// they came, each value as its raw JSON text.
///
/// One pointer wide, and null while there is nothing to keep. Two `Extra`s are
/// equal when their fields are.
///
/// ```
/// use sinch_verify_protocol::{Verification, WireObject};
///
/// let json = br#"{"id":"1","status":"PENDING","loyalty":{"tier": 3}}"#;
/// let verification = Verification::decode(json)?;
/// assert_eq!(verification.extra.get("loyalty"), Some(r#"{"tier": 3}"#));
/// # Ok::<(), sinch_verify_protocol::error::JsonError>(())
/// ```
#[derive(Clone, Default)]
pub struct Extra(Option<Box<Kept>>);

#[derive(Clone, Default)]
struct Kept {
    fields: Vec<(Box<str>, Box<RawValue>)>,
    remarks: Vec<Remark>,
}

/// An anomaly of a known field, before its full path is known.
#[derive(Clone, Debug)]
pub(crate) struct Remark {
    pub(crate) field: Cow<'static, str>,
    pub(crate) what: AnomalyKind,
}

impl Extra {
    /// Whether nothing was kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The raw JSON text of field `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, raw)| raw)
    }

    /// Every kept field with its raw JSON text, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields().iter().map(|(key, raw)| (&**key, raw.get()))
    }

    /// Takes field `name` out, if it is here.
    pub(crate) fn remove(&mut self, name: &str) -> Option<Box<RawValue>> {
        let kept = self.0.as_mut()?;
        let at = kept.fields.iter().position(|(key, _)| &**key == name)?;
        Some(kept.fields.remove(at).1)
    }

    pub(crate) fn push(&mut self, key: &str, raw: Box<RawValue>) {
        let kept = self.0.get_or_insert_default();
        kept.fields.push((key.into(), raw));
    }

    pub(crate) fn remark(&mut self, field: impl Into<Cow<'static, str>>, what: AnomalyKind) {
        let kept = self.0.get_or_insert_default();
        let field = field.into();
        kept.remarks.push(Remark { field, what });
    }

    pub(crate) fn take_remarks(&mut self) -> Vec<Remark> {
        let Some(kept) = self.0.as_mut() else {
            return Vec::new();
        };
        let remarks = std::mem::take(&mut kept.remarks);
        if kept.fields.is_empty() {
            self.0 = None;
        }
        remarks
    }

    pub(crate) fn fields(&self) -> &[(Box<str>, Box<RawValue>)] {
        self.0.as_ref().map_or(&[], |kept| &kept.fields)
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Extra {}

/// Shows the names only: a value may be a number or a code.
impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(key, _)| key)).finish()
    }
}
