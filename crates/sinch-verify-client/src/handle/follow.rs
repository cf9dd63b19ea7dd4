//! Following the address of a data verification.

use sinch_verify_protocol::method::Seamless;
use sinch_verify_protocol::{DecodeError, Verification};

use super::Handle;
use crate::fetch::{FollowError, fetch};

impl Handle<Seamless> {
    /// Fetches the address that the start answered with, as the device would: over **this machine's**
    /// network. A data verification succeeds only over the mobile network of the number, so in a
    /// backend this is for tests; on a device, bind the transport to that network.
    ///
    /// At most [`MAX_REDIRECTS`](sinch_verify_protocol::session::MAX_REDIRECTS) redirects are
    /// followed, relative ones too. Neither the address nor any redirect gets the application's
    /// credentials. Plain http is followed to this machine only, unless
    /// [`plain_http_targets`](crate::ClientBuilder::plain_http_targets) allows more. Nothing is sent
    /// twice.
    ///
    /// Where the last answer does not tell the outcome of this verification, the status is asked for.
    /// What it tells is as good as the network that it came over: before you authenticate with it, query
    /// the [`status`](Handle::status), or wait for the result event.
    ///
    /// # Errors
    ///
    /// [`FollowError`], by step. A refusal by status 400 means that the number was not verified.
    pub async fn follow(&self) -> Result<Verification, FollowError> {
        let target = self.started.details.target_uri.as_ref();
        let target = target.ok_or(FollowError::NoTarget)?;
        let answer = fetch(&self.context, target.as_str(), self.target.masked()).await?;
        match Verification::from_http(&answer) {
            Ok(verification) if verification.id == self.started.id => {
                self.count_end(&verification);
                Ok(verification)
            }
            // Told of another verification, or of none.
            Ok(_) | Err(DecodeError::EmptyBody { .. }) => self.status().await.map_err(FollowError::Status),
            Err(error) => Err(FollowError::Answer(error)),
        }
    }
}
