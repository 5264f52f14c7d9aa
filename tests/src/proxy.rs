//! A wire between a program under test and a server, which can be cut or stalled.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// What the wire does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Carries.
    #[default]
    Whole,
    /// Holds connections open and carries nothing.
    Stalled,
    /// Takes no new connections.
    Cut,
}

/// The state, and how often all connections were reset: a cut that is mended at once is not missed.
#[derive(Clone, Copy, Debug, Default)]
struct Wire {
    state: State,
    resets: u64,
}

/// A wire to a port of the loopback, on a port of its own. Gone when dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    wire: Arc<watch::Sender<Wire>>,
    /// Only away while this is dropped.
    runtime: Option<Runtime>,
}

impl Proxy {
    /// Starts a wire to this port.
    pub fn start(target_port: u16) -> Proxy {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime can be built");
        let wire = Arc::new(watch::Sender::new(Wire::default()));
        let port = crate::daemon::free_port();
        let bound = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port is free");
        bound.set_nonblocking(true).expect("the listener can be asked");
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(bound).expect("the runtime takes the listener")
        };
        runtime.spawn(accept(listener, target_port, Arc::clone(&wire)));
        Proxy { port, wire, runtime: Some(runtime) }
    }

    /// The port that the program under test is given.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Carries again.
    pub fn mend(&self) {
        self.wire.send_modify(|wire| wire.state = State::Whole);
    }

    /// Holds every connection open and carries nothing.
    pub fn stall(&self) {
        self.wire.send_modify(|wire| wire.state = State::Stalled);
    }

    /// Resets every connection and takes no new ones.
    pub fn cut(&self) {
        self.wire.send_modify(|wire| *wire = Wire { state: State::Cut, resets: wire.resets + 1 });
    }

    /// Resets every connection; new ones are carried.
    pub fn reset(&self) {
        self.wire.send_modify(|wire| *wire = Wire { state: State::Whole, resets: wire.resets + 1 });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // A test may drop this inside a runtime of its own, where nothing may be waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, target_port: u16, wire: Arc<watch::Sender<Wire>>) {
    while let Ok((near, _)) = listener.accept().await {
        if wire.borrow().state != State::Cut {
            tokio::spawn(carry(near, target_port, wire.subscribe()));
        }
    }
}

async fn carry(mut near: TcpStream, target_port: u16, wire: watch::Receiver<Wire>) {
    let resets = wire.borrow().resets;
    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, target_port));
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    let (near_reads, near_writes) = near.split();
    let (far_reads, far_writes) = far.split();
    let mut reset = wire.clone();
    tokio::select! {
        () = pump(near_reads, far_writes, wire.clone()) => {}
        () = pump(far_reads, near_writes, wire) => {}
        _ = reset.wait_for(|now| now.resets != resets) => {}
    }
}

/// Carries one direction until either end closes.
async fn pump(
    mut source: impl AsyncRead + Unpin,
    mut sink: impl AsyncWrite + Unpin,
    mut wire: watch::Receiver<Wire>,
) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(read_bytes @ 1..) = source.read(&mut buffer).await {
        let _ = wire.wait_for(|now| now.state != State::Stalled).await;
        if sink.write_all(&buffer[..read_bytes]).await.is_err() {
            return;
        }
    }
}
