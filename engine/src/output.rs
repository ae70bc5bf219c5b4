//! Standard output and error of a guest: every write is a callback.
use crate::run::Host;
use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

#[derive(Clone)]
pub struct Output {
    pub host: Host,
    pub fd: i32,
}

impl Output {
    /// False: the run ends here, and the marks say why.
    fn put(&self, bytes: &[u8]) -> bool {
        let marks = &self.host.marks;
        let mark = match (self.host.write)(self.host.user, self.fd, bytes.as_ptr(), bytes.len()) {
            0 => return true,
            1 => &marks.output,
            2 => &marks.no_reader,
            _ => &marks.stopped,
        };
        mark.store(true, Relaxed);
        false
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl tokio::io::AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(if self.put(bytes) { Ok(bytes.len()) } else { Err(io::ErrorKind::BrokenPipe.into()) })
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if self.put(&bytes) {
            Ok(())
        } else {
            Err(StreamError::Trap(wasmtime::Error::msg("the output is no longer taken")))
        }
    }
    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }
    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}
