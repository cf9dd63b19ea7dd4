use std::error::Error;
use std::time::SystemTime;

use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret, VerificationId, WireObject};
use sinch_verify_callback::testing::{CallbackSigner, request_event};
use sinch_verify_callback::{CallbackService, Decision, Method, RequestEvent};
use tower::ServiceExt;

#[tokio::test]
async fn a_signed_callback_is_answered_by_an_axum_router() -> Result<(), Box<dyn Error>> {
    let (key, secret) = ("11111111-2222-3333-4444-555555555555", "BeIukql3pTKJ8RGL5zo0DA==");
    let decide = |_: RequestEvent| async { Decision::Allow };
    let service = CallbackService::builder(key, secret).handler(decide).build()?;
    let app: axum::Router = sinch_verify_callback::axum::router("/sinch/callback", service);

    let event = request_event(VerificationId::new("1")?, Method::Sms, "+46700000001".parse()?);
    let signer = CallbackSigner::new(ApplicationKey::new(key)?, &ApplicationSecret::new(secret)?);
    let request = signer.post("/sinch/callback".parse()?, event.to_json(), SystemTime::now());
    let response = app.oneshot(request.map(axum::body::Body::from)).await?;
    assert_eq!(response.status(), 200);
    Ok(())
}
