//! queue-rabbitmq.
