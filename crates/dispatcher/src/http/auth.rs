//! Who calls: a bearer token, looked up by its hash.

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use spanfleet_metastore::Caller;

use super::{Api, Failure};
use crate::tokens;

/// The caller of a request with a valid token.
pub(super) struct Authenticated(pub(super) Caller);

/// A caller who may change the catalogue. Asked for before a body is read.
pub(super) struct Administrator;

impl FromRequestParts<Api> for Administrator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Administrator, Failure> {
        let Authenticated(caller) = Authenticated::from_request_parts(parts, api).await?;
        let refused = || Failure::new(403, "you have no access to this: only an administrator's token has");
        caller.is_admin.then_some(Administrator).ok_or_else(refused)
    }
}

impl FromRequestParts<Api> for Authenticated {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Authenticated, Failure> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")) else {
            return Err(Failure::new(
                401,
                "send `Authorization: Bearer sf_…`; `spanfleet token create` makes a token",
            ));
        };
        let caller = api.metastore.caller(&tokens::hash(token.trim())).await?;
        caller
            .map(Authenticated)
            .ok_or_else(|| Failure::new(401, "this token is unknown, expired or revoked"))
    }
}
