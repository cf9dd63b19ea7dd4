//! What all tasks of an emulator share.

use std::time::Duration;

use sinch_verify_protocol::{ApplicationKey, BaseUrl, PhoneNumber, Verification};

use crate::application::CallbackUrl;
use crate::clock::Clock;
use crate::delivery::Delivery;
use crate::emulator::ControlError;
use crate::message::Message;

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) base: BaseUrl,
    pub(crate) clock: Clock,
}

impl Core {
    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }
    pub(crate) fn inbox(&self, _number: &PhoneNumber) -> Vec<Message> {
        Vec::new()
    }
    pub(crate) async fn wait_message(&self, _: &PhoneNumber, _: u64, _: Duration) -> Option<Message> {
        None
    }
    pub(crate) fn press_keypad(&self, _: &PhoneNumber, _: &str) -> Result<Verification, ControlError> {
        Err(ControlError::NoCallout)
    }
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
    pub(crate) fn set_callback_url(
        &self,
        _: &ApplicationKey,
        _: Option<CallbackUrl>,
    ) -> Result<(), ControlError> {
        Ok(())
    }
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        Vec::new()
    }
    pub(crate) async fn wait_delivered(&self, _: Duration) -> bool {
        true
    }
    pub(crate) fn reset(&self) {}
    pub(crate) fn stop(&self) {}
}
