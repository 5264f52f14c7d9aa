//! The web page: jobs at a glance, with nothing to install. It calls the API with the token that it is given.

use axum::response::Html;

pub(super) async fn page() -> Html<&'static str> {
    Html(include_str!("page.html"))
}
