//! An S3 server over a folder, a process of its own so that tests can kill it:
//! `s3-server PORT ACCESS_KEY SECRET_KEY FOLDER`.

use std::net::Ipv4Addr;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

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
        tokio::spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            // A client that goes away is no concern of ours.
            let _ = server.serve_connection(TokioIo::new(connection), service).await;
        });
    }
}
