//! Call detail records: the daily file of an account's verifications.
//!
//! One line per verification that started on a UTC day, 16 columns separated by
//! semicolons, quoted as CSV where needed.

use std::fmt;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::code::Cli;
use crate::id::VerificationId;
use crate::identity::IdentityType;
use crate::method::Method;
use crate::price::Amount;
use crate::timestamp::Timestamp;
use crate::verification::{Reason, Status};
use crate::wire::PrivateText;

/// The columns, in order.
pub const COLUMNS: [&str; 16] = [
    "VerificationId",
    "UserSpaceId",
    "Method",
    "StartTimestamp",
    "EndTimestamp",
    "Result",
    "Reason",
    "CLI",
    "IdentityType",
    "IdentityEndpoint",
    "Country",
    "Reference",
    "Custom",
    "ApplicationKey",
    "Amount",
    "Currency",
];

/// One verification of the file. Empty columns are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallDetailRecord {
    /// The verification.
    pub id: VerificationId,
    /// The account's user space.
    pub user_space_id: Option<String>,
    /// How.
    pub method: Method,
    /// When it was started.
    pub start: Option<Timestamp>,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// How it ended; never `PENDING` in a real file.
    pub result: Status,
    /// Why.
    pub reason: Option<Reason>,
    /// The caller id of a flash call.
    pub cli: Option<Cli>,
    /// The kind of the identity.
    pub identity_type: Option<IdentityType>,
    /// Who was verified.
    pub identity_endpoint: Option<PrivateText>,
    /// The number's country.
    pub country: Option<String>,
    /// The application's own name for it.
    pub reference: Option<String>,
    /// Text that the start gave along.
    pub custom: Option<PrivateText>,
    /// The application.
    pub application_key: Option<String>,
    /// What it cost.
    pub amount: Option<Amount>,
    /// In which currency, ISO 4217.
    pub currency: Option<String>,
}

/// Reads a file in chunks of any size.
///
/// A header line is passed over. A line that cannot be read is given as an
/// error, and reading goes on behind it.
///
/// ```
/// use sinch_verify_protocol::cdr::CdrReader;
///
/// let mut records = Vec::new();
/// let mut reader = CdrReader::new();
/// let file = b"1;u;sms;2026-01-02T03:04:05;2026-01-02T03:04:35;SUCCESSFUL;;;number;+12025550134;US;order-1;;key;0.0453;EUR\n";
/// for chunk in file.chunks(7) {
///     reader.read(chunk, |record| records.push(record));
/// }
/// reader.finish(|record| records.push(record));
/// assert_eq!(records.len(), 1);
/// assert_eq!(records[0].as_ref().unwrap().amount.as_ref().unwrap().as_str(), "0.0453");
/// ```
#[derive(Clone, Debug)]
pub struct CdrReader {
    csv: Reader,
    text: Vec<u8>,
    text_len: usize,
    ends: [usize; COLUMNS.len() + 1],
    ends_len: usize,
    /// The record at hand is too long or has too many columns: pass over it.
    skipping: Option<CdrErrorKind>,
    record: u64,
}

impl CdrReader {
    /// The longest record read, in bytes. A `custom` text may have 4096 characters.
    pub const MAX_RECORD: usize = 32 * 1024;

    /// A reader at the start of a file.
    #[must_use]
    pub fn new() -> Self {
        Self {
            csv: ReaderBuilder::new().delimiter(b';').build(),
            text: vec![0; 1024],
            text_len: 0,
            ends: [0; COLUMNS.len() + 1],
            ends_len: 0,
            skipping: None,
            record: 1,
        }
    }

    /// Reads the next chunk, and gives every record that ends in it.
    pub fn read(&mut self, chunk: &[u8], mut give: impl FnMut(Result<CallDetailRecord, CdrError>)) {
        // To csv-core an empty input is the end of the file.
        if !chunk.is_empty() {
            self.advance(chunk, &mut give);
        }
    }

    /// Ends the file: gives a last record that has no line end.
    pub fn finish(mut self, mut give: impl FnMut(Result<CallDetailRecord, CdrError>)) {
        self.advance(b"", &mut give);
    }

    fn advance(&mut self, mut input: &[u8], give: &mut impl FnMut(Result<CallDetailRecord, CdrError>)) {
        loop {
            let (text, ends) = (&mut self.text[self.text_len..], &mut self.ends[self.ends_len..]);
            let (result, used, wrote, ended) = self.csv.read_record(input, text, ends);
            input = &input[used..];
            self.text_len += wrote;
            self.ends_len += ended;
            match result {
                ReadRecordResult::InputEmpty => return,
                ReadRecordResult::End => return,
                ReadRecordResult::OutputFull if self.text.len() < Self::MAX_RECORD => {
                    self.text.resize(self.text.len() * 2, 0);
                }
                ReadRecordResult::OutputFull => {
                    self.skipping = Some(CdrErrorKind::TooLong);
                    self.text_len = 0;
                }
                ReadRecordResult::OutputEndsFull => {
                    self.skipping.get_or_insert(CdrErrorKind::Columns {
                        found: COLUMNS.len() + 1,
                    });
                    self.ends_len = 0;
                }
                ReadRecordResult::Record => {
                    if let Some(record) = self.take() {
                        give(record);
                    }
                    if input.is_empty() {
                        return;
                    }
                }
            }
        }
    }

    /// The record that just ended; `None` for a header or an empty line.
    fn take(&mut self) -> Option<Result<CallDetailRecord, CdrError>> {
        let number = self.record;
        self.record += 1;
        let (text_len, ends_len) = (
            std::mem::take(&mut self.text_len),
            std::mem::take(&mut self.ends_len),
        );
        let result = match self.skipping.take() {
            Some(kind) => Err(kind),
            None => match fields(&self.text[..text_len], &self.ends[..ends_len]) {
                Ok(columns) if number == 1 && columns[0].eq_ignore_ascii_case(COLUMNS[0]) => return None,
                Ok(columns) => record(&columns),
                Err(kind) => Err(kind),
            },
        };
        Some(result.map_err(|kind| CdrError { record: number, kind }))
    }
}

impl Default for CdrReader {
    fn default() -> Self {
        Self::new()
    }
}

fn fields<'a>(text: &'a [u8], ends: &[usize]) -> Result<[&'a str; COLUMNS.len()], CdrErrorKind> {
    if ends.len() != COLUMNS.len() {
        return Err(CdrErrorKind::Columns { found: ends.len() });
    }
    let text = std::str::from_utf8(text).map_err(|_| CdrErrorKind::NotUtf8)?;
    let mut columns = [""; COLUMNS.len()];
    let mut from = 0;
    for (column, &to) in columns.iter_mut().zip(ends) {
        // Fields end at separators, but a broken character may have been split by one.
        *column = text.get(from..to).ok_or(CdrErrorKind::NotUtf8)?;
        from = to;
    }
    Ok(columns)
}

fn record(columns: &[&str; COLUMNS.len()]) -> Result<CallDetailRecord, CdrErrorKind> {
    let text = |at: usize| Some(columns[at]).filter(|text| !text.is_empty());
    Ok(CallDetailRecord {
        id: required(columns, 0)?,
        user_space_id: text(1).map(str::to_owned),
        method: Method::from(columns[2]),
        start: parsed(columns, 3)?,
        end: parsed(columns, 4)?,
        result: Status::from(columns[5]),
        reason: text(6).map(Reason::from),
        cli: parsed(columns, 7)?,
        identity_type: text(8).map(IdentityType::from),
        identity_endpoint: text(9).map(PrivateText::from),
        country: text(10).map(str::to_owned),
        reference: text(11).map(str::to_owned),
        custom: text(12).map(PrivateText::from),
        application_key: text(13).map(str::to_owned),
        amount: parsed(columns, 14)?,
        currency: text(15).map(str::to_owned),
    })
}

fn required<T: std::str::FromStr<Err: fmt::Display>>(
    columns: &[&str; COLUMNS.len()],
    at: usize,
) -> Result<T, CdrErrorKind> {
    columns[at].parse().map_err(|error: T::Err| CdrErrorKind::Field {
        column: COLUMNS[at],
        message: error.to_string(),
    })
}

fn parsed<T: std::str::FromStr<Err: fmt::Display>>(
    columns: &[&str; COLUMNS.len()],
    at: usize,
) -> Result<Option<T>, CdrErrorKind> {
    if columns[at].is_empty() {
        Ok(None)
    } else {
        required(columns, at).map(Some)
    }
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CdrError {
    /// Which record, from 1; a header counts.
    pub record: u64,
    /// What is wrong with it.
    pub kind: CdrErrorKind,
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CdrErrorKind {
    /// Another number of columns than 16; past 17 they are not counted.
    Columns {
        /// How many there are.
        found: usize,
    },
    /// Longer than [`CdrReader::MAX_RECORD`].
    TooLong,
    /// Not UTF-8.
    NotUtf8,
    /// A column is not what it should be.
    Field {
        /// Its name.
        column: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl fmt::Display for CdrErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Columns { found } => write!(f, "{found} columns, 16 were expected"),
            Self::TooLong => write!(f, "longer than {} bytes", CdrReader::MAX_RECORD),
            Self::NotUtf8 => f.write_str("not UTF-8"),
            Self::Field { column, message } => write!(f, "{column}: {message}"),
        }
    }
}

impl fmt::Display for CdrError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}: {}", self.record, self.kind)
    }
}

impl std::error::Error for CdrError {}
