//! What a failure means, and how to mend it. No text holds the password: the address is never part of one.

use lapin::ErrorKind;
use spanfleet_queue::{QueueError, QueueErrorKind};

/// Words of AMQP for refusals that no retry mends.
const ACCESS_REFUSED: u16 = 403;
const PRECONDITION_FAILED: u16 = 406;
const NOT_ALLOWED: u16 = 530;
/// What the broker says when a queue's own process fails it.
const INTERNAL_ERROR: u16 = 541;

/// An error for people: what was tried, why it failed and, where we know, what to do.
pub(crate) fn explain(action: &str, address: &str, error: &lapin::Error) -> QueueError {
    let mend = match error.kind() {
        ErrorKind::ProtocolError(refusal) => mend(refusal.get_id(), refusal.get_message().as_str()),
        ErrorKind::AuthProviderError(_) => Some("check the user and the password in AMQP_URL"),
        ErrorKind::InvalidProtocolVersion(_) => {
            Some("AMQP_URL has to lead to a server that speaks AMQP 0.9.1")
        }
        _ => None,
    };
    let reason = reason(error);
    match mend {
        Some(mend) => {
            let message = format!("cannot {action} `{address}`: {reason}; {mend}");
            QueueError::new(QueueErrorKind::Configuration, message)
        }
        None => QueueError::new(QueueErrorKind::Transient, format!("cannot {action} `{address}`: {reason}")),
    }
}

/// Whether the broker failed at what it was asked for, rather than refused it.
pub(crate) fn is_internal(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(refusal) if refusal.get_id() == INTERNAL_ERROR)
}

/// An error for a wait that was too long.
pub(crate) fn too_late(action: &str, address: &str) -> QueueError {
    QueueError::new(QueueErrorKind::Transient, format!("cannot {action} `{address}`: there is no answer"))
}

fn reason(error: &lapin::Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(refusal) => refusal.get_message().to_string(),
        _ => error.to_string(),
    }
}

fn mend(id: u16, message: &str) -> Option<&'static str> {
    match id {
        ACCESS_REFUSED if message.contains("Login was refused") => Some("wrong user or password in AMQP_URL"),
        ACCESS_REFUSED => Some("let the user of AMQP_URL configure, write and read in its virtual host"),
        NOT_ALLOWED => Some("check the virtual host at the end of AMQP_URL, and that its user may enter it"),
        PRECONDITION_FAILED => Some(
            "a queue of that name exists with other settings: delete it (hints are sent again) or name another",
        ),
        _ => None,
    }
}
