//! A receiver of traces: OTLP over HTTP, read with the types of the standard's own protobuf.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use prost::Message as _;

/// A span as it arrived.
#[derive(Clone, Debug)]
pub struct Span {
    /// What sent it: `service.name` and the rest.
    pub resource: BTreeMap<String, String>,
    /// Its name.
    pub name: String,
    /// Its trace, in hex.
    pub trace: String,
    /// Itself, in hex.
    pub id: String,
    /// What it goes on from, in hex; empty for the first of a trace.
    pub parent: String,
    /// Its attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// Events that it holds.
    pub events: usize,
}

/// Takes spans until the tests end.
#[derive(Clone, Debug)]
pub struct TraceReceiver {
    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` is set to.
    pub endpoint: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl TraceReceiver {
    /// Listens on a free port. Requests without this `authorization` are refused.
    pub fn start(authorization: &'static str) -> TraceReceiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let receiver = TraceReceiver { endpoint, spans: Arc::default() };
        let spans = Arc::clone(&receiver.spans);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, spans) = (stream.unwrap(), Arc::clone(&spans));
                // Ends with its connection.
                std::thread::spawn(move || while answer(&stream, authorization, &spans).is_some() {});
            }
        });
        receiver
    }

    /// What arrived of a trace.
    pub fn of_trace(&self, trace: &str) -> Vec<Span> {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.iter().filter(|span| span.trace == trace).cloned().collect()
    }
}

/// Answers one request; `None` when there is none any more.
fn answer(mut stream: &TcpStream, authorization: &str, spans: &Mutex<Vec<Span>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
    let mut is_right = line.starts_with("POST /v1/traces ");
    let (mut length, mut is_authorized) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "content-type" => is_right &= value == "application/x-protobuf",
            "authorization" => is_authorized = value == authorization,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let request =
        ExportTraceServiceRequest::decode(body.as_slice()).ok().filter(|_| is_right && is_authorized);
    let status = if request.is_some() { "200 OK" } else { "400 Bad Request" };
    if let Some(request) = request {
        spans.lock().unwrap_or_else(PoisonError::into_inner).extend(read(request));
    }
    // An empty answer is the empty message: all were taken.
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()
}

fn read(request: ExportTraceServiceRequest) -> Vec<Span> {
    let mut read = Vec::new();
    for of_resource in request.resource_spans {
        let resource = texts(&of_resource.resource.unwrap_or_default().attributes);
        for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            read.push(Span {
                resource: resource.clone(),
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                attributes: texts(&span.attributes),
                events: span.events.len(),
            });
        }
    }
    read
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pair = |attribute: &KeyValue| {
        let value = attribute.value.as_ref().and_then(|value| value.value.as_ref()).map(text);
        (attribute.key.clone(), value.unwrap_or_default())
    };
    attributes.iter().map(pair).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
