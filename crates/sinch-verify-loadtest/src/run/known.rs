//! Verifications that are made before a run of queries.

use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::{Custom, Endpoint, Reference, Start};

use super::error::RunError;
use super::stage::unusable;
use crate::callbacks::Token;
use crate::clock::Clock as _;
use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::flows::{Cast, Flow, Known};
use crate::numbers::Numbers;
use crate::runfile::Shard;
use crate::wire::{LeanWire, Wire as _};

/// How many there are to ask for, by each shard.
const MANY: usize = 64;

/// Starts verifications, which stay pending.
///
/// Shards may share a target, which takes a reference once, and ends what is pending for a number when
/// that is verified again: so each shard has slots of its own for them.
pub(super) async fn prepare<P>(
    cast: &Cast<P>,
    numbers: &Numbers,
    shard: Shard,
) -> Result<Vec<Known>, RunError> {
    let mut wire = LeanWire::new(cast.target.transport().map_err(|error| unusable(&error))?);
    let mut known = Vec::new();
    // The last slots of all, which no run gets to.
    let last = (0..u64::MAX).rev().filter(|slot| shard.has(*slot)).take(MANY);
    for slot in last {
        let Some(number) = numbers.of(slot) else { break };
        let token = Token {
            run: cast.run.clone(),
            flow: Flow::QueryOnly,
            slot,
        };
        let reference = Reference::new(&format!("{}-{slot}", cast.run)).map_err(|error| unusable(&error))?;
        let custom = Custom::new(&token.to_string()).map_err(|error| unusable(&error))?;
        let start = Start::<Sms>::sms(number)
            .reference(reference.clone())
            .custom(custom);
        let mut request = start
            .to_http(&cast.target.base)
            .map_err(|error| unusable(&error))?;
        cast.target
            .credentials
            .authorize(&mut request, SystemClock.wall())
            .map_err(|error| unusable(&error))?;
        let answer = wire.send(<Start<Sms> as Endpoint>::NAME, request).await;
        let started = start.from_http(&answer.map_err(RunError::Unreachable)?);
        known.push(Known {
            id: started
                .map_err(|error| RunError::Request(Failure::from(&error)))?
                .id
                .clone(),
            reference,
            number,
        });
    }
    Ok(known)
}
