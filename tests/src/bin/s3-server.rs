//! An S3 server over a folder, a process of its own so that tests can kill it:
//! `s3-server PORT ACCESS_KEY SECRET_KEY FOLDER`.

use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s::stream::{ByteStream, DynByteStream, RemainingLength};
use s3s::{Body, HttpResponse, StdError};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

/// Objects go out in pieces of this size, as stores send them. The file system's have 4 KiB, each of which would cost the
/// client a system call and a wake.
const PIECE_BYTES: usize = 256 << 10;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, access_key, secret_key, folder] = arguments.try_into().expect("four arguments");
    let mut builder = S3ServiceBuilder::new(FileSystem::new(folder).expect("the folder is there"));
    builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
    let service = builder.build();

    let port: u16 = port.parse().expect("a port is a number");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("the port is free");
    loop {
        let Ok((connection, _)) = listener.accept().await else { continue };
        // Else a body that follows its head waits for the client's delayed acknowledgement: 40 ms, as no store has it.
        let _ = connection.set_nodelay(true);
        let service = service.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let answering = Service::call(&service, request);
            async { answering.await.map(in_large_pieces) }
        });
        tokio::spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            // A client that goes away is no concern of ours.
            let _ = server.serve_connection(TokioIo::new(connection), service).await;
        });
    }
}

fn in_large_pieces(answer: HttpResponse) -> HttpResponse {
    answer.map(|body| match body.remaining_length().exact() {
        Some(length) if length > 0 => {
            let stream = InLargePieces { left: length, body, gathered: BytesMut::new() };
            Body::from(Box::pin(stream) as DynByteStream)
        }
        // What comes bit by bit keeps a connection alive.
        _ => body,
    })
}

/// The bytes of a body, gathered.
struct InLargePieces {
    body: Body,
    gathered: BytesMut,
    left: usize,
}

impl Stream for InLargePieces {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while self.left > 0 && self.gathered.len() < PIECE_BYTES {
            let Some(bytes) = ready!(Pin::new(&mut self.body).poll_next(context)?) else { break };
            self.left = self.left.saturating_sub(bytes.len());
            self.gathered.extend_from_slice(&bytes);
        }
        let piece = self.gathered.split().freeze();
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}

impl ByteStream for InLargePieces {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(self.left + self.gathered.len())
    }
}
