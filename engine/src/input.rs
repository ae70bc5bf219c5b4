//! Standard input that comes by a callback, which waits: the run's thread has nothing else to do.
use crate::run::Host;
use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

/// At most that much by one call
const PIECE: usize = 64 << 10;

#[derive(Clone)]
pub struct Input {
    pub host: Host,
}

impl Input {
    /// None: the run is to stop.
    fn get(&self, max: usize) -> Option<Vec<u8>> {
        let read = self.host.read?;
        let mut bytes = vec![0; max.min(PIECE)];
        let n = read(self.host.user, bytes.as_mut_ptr(), bytes.len());
        let Ok(n) = usize::try_from(n) else {
            self.host.marks.stopped.store(true, Relaxed);
            return None;
        };
        bytes.truncate(n);
        Some(bytes)
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.clone())
    }
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

impl AsyncRead for Input {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(match self.get(buf.remaining()) {
            Some(bytes) => {
                buf.put_slice(&bytes);
                Ok(())
            }
            None => Err(io::ErrorKind::Interrupted.into()),
        })
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {}
}

impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        match self.get(size) {
            None => Err(StreamError::Trap(wasmtime::Trap::Interrupt.into())),
            Some(bytes) if bytes.is_empty() => Err(StreamError::Closed),
            Some(bytes) => Ok(bytes.into()),
        }
    }
}
