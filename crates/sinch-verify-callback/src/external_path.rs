use std::borrow::Cow;
use std::fmt;

/// Where callbacks are posted to, when a proxy changes the path on the way.
///
/// A signature covers the path of the callback URL as it stands in the
/// dashboard. A proxy that strips or rewrites the path breaks it, unless the
/// receiver knows the path from outside. The default is the path as it is received.
///
/// ```
/// use sinch_verify_callback::ExternalPath;
///
/// // https://example.com/api/callback reaches us as /callback:
/// let stripped = ExternalPath::prefix("/api")?;
/// // https://example.com/hooks/sinch reaches us as anything:
/// let rewritten = ExternalPath::fixed("/hooks/sinch")?;
/// # Ok::<(), sinch_verify_callback::InvalidExternalPath>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalPath(Form);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    AsReceived,
    Prefix(Box<str>),
    Fixed(Box<str>),
}

impl ExternalPath {
    /// A proxy took `prefix` away: it is put before the path as received.
    ///
    /// # Errors
    ///
    /// When `prefix` is no path (see [`ExternalPath::fixed`]) or ends with `/`.
    pub fn prefix(prefix: &str) -> Result<Self, InvalidExternalPath> {
        check(prefix)?;
        if prefix.ends_with('/') {
            return Err(InvalidExternalPath::TrailingSlash);
        }
        Ok(Self(Form::Prefix(prefix.into())))
    }

    /// The callback URL's path is `path`, whatever is received. A query, if
    /// there is one, is taken as received.
    ///
    /// # Errors
    ///
    /// When `path` does not start with `/`, or has a query, a fragment, a
    /// space, a control character or one outside ASCII: give it as it stands
    /// in the URL, with its escapes.
    pub fn fixed(path: &str) -> Result<Self, InvalidExternalPath> {
        check(path)?;
        Ok(Self(Form::Fixed(path.into())))
    }

    /// The path and query that the sender signed, as far as we can know.
    pub(crate) fn apply<'a>(&self, received: &'a str) -> Cow<'a, str> {
        match &self.0 {
            Form::AsReceived => Cow::Borrowed(received),
            Form::Prefix(prefix) => Cow::Owned(format!("{prefix}{received}")),
            Form::Fixed(path) => {
                let query = received.find('?').map_or("", |at| &received[at..]);
                Cow::Owned(format!("{path}{query}"))
            }
        }
    }
}

fn check(path: &str) -> Result<(), InvalidExternalPath> {
    if !path.starts_with('/') {
        return Err(InvalidExternalPath::NoLeadingSlash);
    }
    match path
        .bytes()
        .position(|b| !b.is_ascii_graphic() || b == b'?' || b == b'#')
    {
        Some(at) => Err(InvalidExternalPath::Character { at }),
        None => Ok(()),
    }
}

/// Why a text is no [`ExternalPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidExternalPath {
    /// The first character is not `/`.
    NoLeadingSlash,
    /// A prefix ends with `/`.
    TrailingSlash,
    /// A character that a path cannot have.
    Character {
        /// Its byte offset.
        at: usize,
    },
}

impl fmt::Display for InvalidExternalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLeadingSlash => {
                f.write_str("external path does not start with /; give the path without scheme and host")
            }
            Self::TrailingSlash => f.write_str("external path prefix ends with /; leave the last / out"),
            Self::Character { at } => {
                write!(
                    f,
                    "external path has a query, a fragment or an unescaped character at offset {at}"
                )
            }
        }
    }
}

impl std::error::Error for InvalidExternalPath {}
