use super::extra::Extra;

/// A tolerant way to read a `T`, which may find that it is not there at all.
pub(crate) trait Via<T> {
    fn settle(self, field: &'static str, extra: &mut Extra) -> Option<T>;
}
