//! `GET /export/jobs/{job_uuid}/events`: progress as Server-Sent Events until the job ends.
//!
//! An event's id says how far the job was, so that a client which comes back with `Last-Event-ID` is told only
//! what is new. The events are `progress`, and `end` for the last; each carries the job as `GET` shows it.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::stream::{self, Stream};
use spanfleet_metastore::JobRow;
use uuid::Uuid;

use super::{
    Api, Failure,
    auth::Authenticated,
    jobs::{own_job, view::view},
    query::JobId,
};

/// How soon the job is looked at again at first: a small one is done in less than a tenth of a second.
const LOOK_SOON: Duration = Duration::from_millis(10);
/// How often a job that takes longer is looked at: an event is never older than this.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// One listener.
struct Listener {
    api: Api,
    job: Uuid,
    /// The row that the request was allowed on: the first look.
    first: Option<JobRow>,
    last_id: Option<String>,
    /// Until the next look: a quarter longer each time.
    pause: Duration,
    has_ended: bool,
}

pub(super) async fn events(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    JobId(job): JobId,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    let first = Some(own_job(&api, &caller, job).await?);
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let listener = Listener { api, job, first, last_id, pause: LOOK_SOON, has_ended: false };
    let events = stream::unfold(listener, async |mut listener| {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

impl Listener {
    /// The next event; `None` after the end, when the server stops, or when the job is gone.
    async fn next(&mut self) -> Option<Event> {
        while !self.has_ended {
            let row = match self.first.take() {
                Some(row) => row,
                None => self.look_again().await?,
            };
            self.has_ended = !row.head.phase.is_open();
            let id = id_of(&row);
            if self.last_id.as_ref() == Some(&id) {
                continue;
            }
            self.last_id = Some(id.clone());
            let name = if self.has_ended { "end" } else { "progress" };
            return Event::default().id(id).event(name).json_data(view(row)).ok();
        }
        None
    }

    async fn look_again(&mut self) -> Option<JobRow> {
        tokio::select! {
            () = self.api.stop.cancelled() => return None,
            () = tokio::time::sleep(self.pause) => {}
        }
        self.pause = (self.pause * 5 / 4).min(LOOK_EVERY);
        self.api.metastore.job(self.job).await.ok().flatten()
    }
}

fn id_of(row: &JobRow) -> String {
    let head = &row.head;
    format!("{}-{}-{}-{}", head.phase.as_str(), head.parts_total, head.parts_done, head.parts_failed)
}
