use crate::names::named;

named! {
    /// A span of time that is measured in a flow, under its name in run files and thresholds.
    ///
    /// All of them are read from one monotonic clock.
    pub enum Interval as "interval" {
        /// From when the flow was due until its final status was seen; flows that ended as expected.
        EndToEnd = "e2e",
        /// The same of flows that failed. A timeout counts with the time it took.
        FailedEndToEnd = "e2e-failed",
        /// From when the flow was really started; flows that ended as expected.
        FromSend = "e2e-send",
        /// From when the flow was due until it was really started: the generator's own delay.
        Lag = "lag",
        /// The start, up to the last byte of its answer.
        Start = "start",
        /// From when a flow asked for what reached the phone until it had it. Not a request.
        Phone = "phone",
        /// A report, up to the last byte of its answer.
        Report = "report",
        /// A status query by id, up to the last byte of its answer.
        Status = "status",
        /// A status query by reference, up to the last byte of its answer.
        StatusByReference = "status-by-reference",
        /// A status query by method and number, up to the last byte of its answer.
        StatusByNumber = "status-by-number",
        /// The fetch of a data verification's address, up to the last byte of its answer.
        Fetch = "fetch",
        /// From when the start was sent until the request event was in our callback receiver.
        CallbackIn = "cb-in",
        /// From then until our callback receiver had its answer.
        CallbackServed = "cb-srv",
        /// From then until the start was answered.
        CallbackOut = "cb-out",
        /// From when the answer that ended the verification came until the result event was in our
        /// receiver. Of a start that was denied, it overlaps the status query.
        Result = "result",
        /// A forged or repeated callback, up to the last byte of our receiver's answer.
        Refused = "cb-refused",
    }
}

impl Interval {
    /// Whether it is a request to the target.
    #[must_use]
    pub fn is_request(self) -> bool {
        matches!(
            self,
            Self::Start
                | Self::Report
                | Self::Status
                | Self::StatusByReference
                | Self::StatusByNumber
                | Self::Fetch
        )
    }
}
