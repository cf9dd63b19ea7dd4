//! A start's answer, read for its method.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_LANGUAGE;

use super::response::StartResponse;
use crate::cli_filter::{CliFilter, FilterError};
use crate::error::{DecodeError, from_response};
use crate::id::VerificationId;
use crate::json::JsonError;
use crate::method::{self, AnyMethod, FlashCall, Method, methods, sealed};
use crate::untrusted::mask;
use crate::wire::{PartOf, WireObject as _};

/// A method known at compile time, or [`AnyMethod`].
pub trait MethodMarker: sealed::Sealed + Copy + Default + Send + Sync + 'static {
    /// The method, if it is known at compile time.
    const KNOWN: Option<Method>;
    /// What the start answer tells about this method.
    type Details: Clone + fmt::Debug + PartialEq + Eq + Send + Sync;

    /// What `answer` to a start by `method` tells; `None` where it lacks what cannot be done without.
    #[doc(hidden)]
    fn details(method: &Method, answer: &StartResponse) -> Option<Self::Details>;
}

/// A method known at compile time.
pub trait VerifyMethod: MethodMarker {
    /// The method's value on the wire.
    const METHOD: Method;
}

impl MethodMarker for AnyMethod {
    const KNOWN: Option<Method> = None;
    type Details = ();

    fn details(method: &Method, answer: &StartResponse) -> Option<()> {
        let has_details = || answer.parts().any(|(part, _)| part == *method);
        (method.info()?.works_without_details() || has_details()).then_some(())
    }
}

/// A started verification of method `M`: the whole answer, read for that method. Its fields are
/// reached through it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Started<M: MethodMarker = AnyMethod> {
    /// What the answer says about the method; nothing without one.
    pub details: M::Details,
    /// The language that the service chose (`Content-Language`), as sent.
    pub content_language: Option<String>,
    method: Method,
    /// In a box, because a value of this type is moved often.
    answer: Box<StartResponse>,
}

impl<M: MethodMarker> Started<M> {
    /// Reads `answer` as that to a start by `method`.
    ///
    /// # Errors
    ///
    /// When the answer is to a start by another method, or lacks what the method cannot do without.
    pub fn read(
        method: &Method,
        answer: StartResponse,
        content_language: Option<String>,
    ) -> Result<Self, DecodeError> {
        // Old answers name none.
        if let Some(answered) = answer.method.as_ref().filter(|answered| *answered != method) {
            return Err(DecodeError::WrongMethod {
                asked: method.as_str().to_owned(),
                answered: mask(answered.as_str()),
            });
        }
        let details = M::details(method, &answer).ok_or_else(|| {
            let key = StartResponse::key(method).unwrap_or("method");
            JsonError::new(
                key,
                "missing in the answer to a start",
                answer.to_json().as_bytes(),
            )
        })?;
        Ok(Self {
            details,
            content_language,
            method: method.clone(),
            answer: Box::new(answer),
        })
    }

    pub(super) fn from_http(method: &Method, response: &Response<Bytes>) -> Result<Self, DecodeError> {
        let content_language = response
            .headers()
            .get(CONTENT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Self::read(method, from_response(response)?, content_language)
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }
}

impl<M: MethodMarker> Deref for Started<M> {
    type Target = StartResponse;

    fn deref(&self) -> &StartResponse {
        &self.answer
    }
}

/// The whole answer, which names its method.
impl<M: MethodMarker> From<Started<M>> for StartResponse {
    fn from(started: Started<M>) -> Self {
        Self {
            method: Some(started.method),
            ..*started.answer
        }
    }
}

impl<M: VerifyMethod> From<Started<M>> for Started {
    fn from(started: Started<M>) -> Self {
        Self {
            details: (),
            content_language: started.content_language,
            method: started.method,
            answer: started.answer,
        }
    }
}

impl Started<FlashCall> {
    /// The filter that the caller id must match, ready to use.
    ///
    /// # Errors
    ///
    /// When the filter is not one that can be used.
    pub fn cli_filter(&self) -> Result<CliFilter, FilterError> {
        CliFilter::compile(&self.details.cli_filter)
    }
}

/// Declares what an answer tells of each method. Within an `auto` start every method's object has
/// the id that it is reported under.
macro_rules! details {
    ($(
        #[doc = $summary:literal]
        $method:ident = $wire:literal {
            start: $start:ident,
            aliases: $aliases:tt,
            reports: [$($proof:ident)?],
            $($rest:tt)*
        }
    )*) => {
        $(
            impl MethodMarker for method::$method {
                const KNOWN: Option<Method> = Some(Method::$method);
                type Details = <Self as PartOf<StartResponse>>::Object;

                fn details(_: &Method, answer: &StartResponse) -> Option<Self::Details> {
                    let found = Self::get(answer).cloned();
                    details!(@details found $($proof)?)
                }
            }

            impl VerifyMethod for method::$method {
                const METHOD: Method = Method::$method;
            }
        )*

        impl StartResponse {
            /// The JSON key of a method's object.
            fn key(method: &Method) -> Option<&'static str> {
                match method {
                    $( Method::$method => Some(<method::$method as PartOf<Self>>::KEY), )*
                    Method::Unknown(_) => None,
                }
            }

            /// The id that `method` is reported under within an `auto` start, if the answer gives one.
            #[must_use]
            pub fn sub_verification_id(&self, method: &Method) -> Option<&VerificationId> {
                match method {
                    $( Method::$method => method::$method::get(self)?.sub_verification_id.as_ref(), )*
                    Method::Unknown(_) => None,
                }
            }

            /// Sets the id that `method` is reported under, where its object is there.
            pub fn set_sub_verification_id(&mut self, method: &Method, id: VerificationId) {
                match method {
                    $(
                        Method::$method => {
                            if let Some(details) = method::$method::slot(self) {
                                details.sub_verification_id = Some(id);
                            }
                        }
                    )*
                    Method::Unknown(_) => {}
                }
            }
        }
    };

    // As `MethodInfo::works_without_details` says.
    (@details $found:ident Code) => { Some($found.unwrap_or_default()) };
    (@details $found:ident $($other:ident)?) => { $found };
}

methods!(details);
