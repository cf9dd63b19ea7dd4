use std::fmt;

/// Why a [`RedisConfig`](super::RedisConfig) is not valid: which of its values, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRedisConfig {
    field: &'static str,
    message: String,
}

impl InvalidRedisConfig {
    pub(super) fn new(field: &'static str, message: &str) -> Self {
        Self {
            field,
            message: message.to_owned(),
        }
    }
}

impl fmt::Display for InvalidRedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "redis {}: {}", self.field, self.message)
    }
}

impl std::error::Error for InvalidRedisConfig {}
