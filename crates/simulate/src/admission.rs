//! Which waiting hints may leave: users take turns, and none has more out than its share.
//!
//! The drivers say this in SQL (`take_hints`); a test holds the two against each other.

use std::collections::VecDeque;

/// A user's hints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desk<T> {
    /// Those that wait, the oldest first.
    pub waiting: VecDeque<T>,
    /// How many are out: sent, and their tasks not claimed.
    pub out: u32,
}

/// Takes at most `limit` hints and counts them as out.
pub fn admit<T>(desks: &mut [Desk<T>], limit: usize, most_per_user: u32) -> Vec<T> {
    let mut admitted = Vec::new();
    while admitted.len() < limit {
        let has_room = |desk: &&mut Desk<T>| !desk.waiting.is_empty() && desk.out < most_per_user;
        let Some(desk) = desks.iter_mut().filter(has_room).min_by_key(|desk| desk.out) else { break };
        desk.out += 1;
        admitted.extend(desk.waiting.pop_front());
    }
    admitted
}
