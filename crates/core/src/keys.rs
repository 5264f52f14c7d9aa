//! Where a job's objects stand in a shared store.

use uuid::Uuid;

/// Where parts stand below a job's prefix.
const PARTS: &str = "parts/";

/// The prefix of everything that belongs to a job.
pub fn job_prefix(job: Uuid) -> String {
    format!("{job}/")
}

/// The prefix of the parts of a job with this prefix.
pub fn parts_prefix(job_prefix: &str) -> String {
    format!("{job_prefix}{PARTS}")
}

/// The stem of what one attempt writes. The fence is in it, so a late attempt never touches another's bytes.
pub fn attempt(parts_prefix: &str, number: u32, fence: u64) -> String {
    format!("{parts_prefix}{number}.{fence}")
}

/// The job that a key of the store belongs to, and the rest of the key.
pub fn job_of(key: &str) -> Option<(Uuid, &str)> {
    let (job, rest) = key.split_once('/')?;
    // Only as we write it: other spellings of the same id are another's objects.
    let job = job.parse::<Uuid>().ok().filter(|parsed| parsed.to_string() == job)?;
    Some((job, rest))
}

/// The attempt, by partition and fence, that wrote an object; given the key below the job's prefix.
pub fn attempt_of(rest: &str) -> Option<(u32, u64)> {
    let mut words = rest.strip_prefix(PARTS)?.splitn(3, '.');
    let (number, fence) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().map(|_| (number, fence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_its_job_and_attempt() {
        let job = Uuid::from_u128(7);
        let key = format!("{}.train", attempt(&parts_prefix(&job_prefix(job)), 3, 12));
        let (found, rest) = job_of(&key).unwrap();
        assert_eq!((found, attempt_of(rest)), (job, Some((3, 12))));
        assert_eq!(attempt_of("parts/3.12.losses.jsonl"), Some((3, 12)));
        for other in ["parts/3.12", "parts/x.1.train", "train.jsonl", "data/parts/3.1.train"] {
            assert_eq!(attempt_of(other), None, "{other}");
        }
        assert_eq!(job_of("~check/x"), None);
        assert_eq!(job_of(&format!("{}/x", job.simple())), None);
    }
}
