//! Something that many share: cores, or a store that takes so many requests a second.

use std::{cmp::Ordering, collections::BinaryHeap};

/// Serves all that are there at the same pace, each by at most one of its units.
#[derive(Debug)]
pub(crate) struct Station<T> {
    units: f64,
    /// Seconds of service that each has had who was there from the beginning.
    served: f64,
    now: f64,
    there: BinaryHeap<Guest<T>>,
    /// Unit-seconds of service so far.
    busy: f64,
    /// Which of the announced ends still counts.
    pub(crate) generation: u64,
    arrivals: u64,
}

#[derive(Debug)]
struct Guest<T> {
    leaves_at: f64,
    order: u64,
    what: T,
}

impl<T> Ord for Guest<T> {
    /// Who leaves first is the greatest.
    fn cmp(&self, other: &Guest<T>) -> Ordering {
        other.leaves_at.total_cmp(&self.leaves_at).then(other.order.cmp(&self.order))
    }
}
impl<T> PartialOrd for Guest<T> {
    fn partial_cmp(&self, other: &Guest<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> PartialEq for Guest<T> {
    fn eq(&self, other: &Guest<T>) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<T> Eq for Guest<T> {}

impl<T> Station<T> {
    pub(crate) fn new(units: f64) -> Station<T> {
        let there = BinaryHeap::new();
        Station { units, served: 0.0, now: 0.0, there, busy: 0.0, generation: 0, arrivals: 0 }
    }

    /// Somebody comes with so many seconds of work.
    pub(crate) fn arrive(&mut self, now: f64, work: f64, what: T) {
        self.pass(now);
        self.arrivals += 1;
        self.there.push(Guest { leaves_at: self.served + work, order: self.arrivals, what });
        self.generation += 1;
    }

    /// Whoever is done by now, one at a time.
    pub(crate) fn leave(&mut self, now: f64) -> Option<T> {
        self.pass(now);
        // Sums of fractions: a guest that is a billionth of a second short is done.
        if self.there.peek()?.leaves_at > self.served + 1e-9 {
            return None;
        }
        self.generation += 1;
        self.there.pop().map(|guest| guest.what)
    }

    /// When the next is done, if nobody comes before.
    pub(crate) fn next_end(&self) -> Option<f64> {
        let next = self.there.peek()?;
        Some(self.now + (next.leaves_at - self.served).max(0.0) / self.pace())
    }

    /// Seconds that it has been at work, as if all its units were one.
    pub(crate) fn busy(&mut self, now: f64) -> f64 {
        self.pass(now);
        self.busy / self.units
    }

    fn pace(&self) -> f64 {
        (self.units / self.there.len() as f64).min(1.0)
    }

    fn pass(&mut self, now: f64) {
        if !self.there.is_empty() {
            let served = (now - self.now) * self.pace();
            self.served += served;
            self.busy += served * self.there.len() as f64;
        }
        self.now = now;
    }
}

/// Time as something that has an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moment(pub(crate) f64);
impl Eq for Moment {}
impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Moment) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Moment {
    fn cmp(&self, other: &Moment) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_share_one_unit_and_the_short_one_leaves_first() {
        let mut station = Station::new(1.0);
        station.arrive(0.0, 1.0, "short");
        station.arrive(0.0, 3.0, "long");
        assert_eq!(station.next_end(), Some(2.0));
        assert_eq!(station.leave(1.0), None);
        assert_eq!(station.leave(2.0), Some("short"));
        assert_eq!(station.next_end(), Some(4.0));
        assert_eq!(station.leave(4.0), Some("long"));
        assert!((station.busy(8.0) - 4.0).abs() < 1e-9);
    }

    #[test]
    fn nobody_is_served_by_two_units() {
        let mut station = Station::new(4.0);
        station.arrive(1.0, 2.0, ());
        assert_eq!(station.next_end(), Some(3.0));
    }
}
