//! What shows the beginning of an export. The dispatcher touches no documents itself: whoever wires it hands this
//! in.

use async_trait::async_trait;
use spanfleet_core::{Ledger, Order, ProjectId, schema::SelectionCount};

/// Encodes the first texts of an order.
#[async_trait]
pub trait Previewer: Send + Sync {
    /// So many texts of a project as a small file of the order's format.
    async fn preview(&self, project: ProjectId, order: &Order, texts: usize) -> Result<Shown, CantShow>;

    /// What an order matches, where it can be told at once.
    async fn count(&self, project: ProjectId, order: &Order) -> Option<SelectionCount>;
}

/// What an export would begin with.
#[derive(Clone, Debug)]
pub struct Shown {
    /// A small file of the format.
    pub content: Vec<u8>,
    /// Its media type.
    pub media_type: String,
    /// What of these texts was written, lost and changed.
    pub ledger: Ledger,
    /// What the whole order matches, where it can be told at once.
    pub selected: Option<SelectionCount>,
}

/// Why there is nothing to show.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct CantShow {
    /// Whether another try may do.
    pub is_passing: bool,
    /// The place, the reason and the mend.
    pub message: String,
}
