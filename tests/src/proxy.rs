//! A wire between a program under test and a server, which can be cut, stalled, slowed, and made to lie.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// What a slow wire carries at once, and how long it then rests: some 100 KB a second.
const SLOW_BYTES: usize = 4096;
const SLOW_REST: Duration = Duration::from_millis(40);
/// Smaller pieces are requests without a body.
const CORRUPTED_BYTES: usize = 16 * 1024;

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
    /// Carries a little at a time.
    Slow,
    /// Carries requests and loses the answers.
    Deaf,
    /// Changes a byte of what is sent.
    Corrupt,
    /// Answers every request itself, with this HTTP status.
    Refusing(u16),
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

    /// Carries a little at a time.
    pub fn slow(&self) {
        self.wire.send_modify(|wire| wire.state = State::Slow);
    }

    /// Carries requests and loses the answers: what is asked for is done, and nobody is told.
    pub fn deafen(&self) {
        self.wire.send_modify(|wire| wire.state = State::Deaf);
    }

    /// Changes a byte of every larger piece that is sent.
    pub fn corrupt(&self) {
        self.wire.send_modify(|wire| wire.state = State::Corrupt);
    }

    /// Answers every HTTP request itself with this status.
    pub fn refuse(&self, status: u16) {
        self.set_and_reset(State::Refusing(status));
    }

    /// Resets every connection and takes no new ones.
    pub fn cut(&self) {
        self.set_and_reset(State::Cut);
    }

    /// Resets every connection; new ones are carried.
    pub fn reset(&self) {
        self.set_and_reset(State::Whole);
    }

    fn set_and_reset(&self, state: State) {
        self.wire.send_modify(|wire| *wire = Wire { state, resets: wire.resets + 1 });
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
        let state = wire.borrow().state;
        match state {
            State::Cut => {}
            State::Refusing(status) => _ = tokio::spawn(refuse(near, status)),
            _ => _ = tokio::spawn(carry(near, target_port, wire.subscribe())),
        }
    }
}

/// Reads what it can get of a request, so that the client hears the answer, and closes.
async fn refuse(mut near: TcpStream, status: u16) {
    let mut request = vec![0; 1 << 16];
    let _ = near.read(&mut request).await;
    let answer = format!("HTTP/1.1 {status} Refused\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = near.write_all(answer.as_bytes()).await;
    let _ = near.shutdown().await;
}

async fn carry(mut near: TcpStream, target_port: u16, wire: watch::Receiver<Wire>) {
    let resets = wire.borrow().resets;
    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, target_port));
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    let (near_reads, near_writes) = near.split();
    let (far_reads, far_writes) = far.split();
    let mut reset = wire.clone();
    tokio::select! {
        () = pump(near_reads, far_writes, wire.clone(), Direction::There) => {}
        () = pump(far_reads, near_writes, wire, Direction::Back) => {}
        _ = reset.wait_for(|now| now.resets != resets) => {}
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    There,
    Back,
}

/// Carries one direction until either end closes.
async fn pump(
    mut source: impl AsyncRead + Unpin,
    mut sink: impl AsyncWrite + Unpin,
    mut wire: watch::Receiver<Wire>,
    direction: Direction,
) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let is_slow = wire.borrow().state == State::Slow;
        let room = if is_slow { SLOW_BYTES } else { buffer.len() };
        let Ok(read_bytes @ 1..) = source.read(&mut buffer[..room]).await else { return };
        let _ = wire.wait_for(|now| now.state != State::Stalled).await;
        let state = wire.borrow().state;
        match (state, direction) {
            (State::Deaf, Direction::Back) => continue,
            (State::Corrupt, Direction::There) if read_bytes >= CORRUPTED_BYTES => {
                buffer[read_bytes / 2] ^= 1;
            }
            (State::Slow, _) => tokio::time::sleep(SLOW_REST).await,
            _ => {}
        }
        if sink.write_all(&buffer[..read_bytes]).await.is_err() {
            return;
        }
    }
}
