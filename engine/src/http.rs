//! Outbound HTTP: a guest's request becomes a question to C, whose answer arrives later through a file descriptor.
//! The wait is an ordinary await, so the run's time limit and its stop button end it.
use crate::run::Host;
use crate::{slice, text};
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use std::collections::HashMap;
use std::ffi::c_char;
use std::os::fd::RawFd;
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot};
use wasmtime_wasi_http::{Error as HttpError, RequestOptions, WasiBody, WasiHttpHooks};

#[repr(C)]
pub struct Header {
    name: *const c_char,
    name_size: usize,
    value: *const c_char,
    value_size: usize,
}

#[repr(C)]
pub struct Request {
    id: u64,
    method: *const c_char,
    url: *const c_char,
    headers: *const Header,
    header_count: usize,
    body: *const u8,
    body_size: usize,
}

/// `enum bxe_http_error`
fn error(code: i32) -> HttpError {
    match code {
        1 => HttpError::HttpRequestDenied,
        3 => HttpError::DestinationNotFound,
        4 => HttpError::ConnectionRefused,
        5 => HttpError::ConnectionTimeout,
        6 => HttpError::TlsProtocolError,
        7 => HttpError::HttpRequestBodySize(None),
        8 => HttpError::HttpResponseBodySize(None),
        _ => HttpError::ConnectionTerminated,
    }
}

/// Codes that are a limit of ours, not a fact of the network
fn is_limit(code: i32) -> bool {
    matches!(code, 1 | 7 | 8)
}

type Head = Result<http::response::Parts, HttpError>;
type Piece = Result<Bytes, HttpError>;

struct Open {
    head: Option<oneshot::Sender<(Head, mpsc::UnboundedReceiver<Piece>)>>,
    body: mpsc::UnboundedSender<Piece>,
    body_end: Option<mpsc::UnboundedReceiver<Piece>>,
}

/// The open requests of one run
#[derive(Default)]
pub struct Answers {
    open: HashMap<u64, Open>,
    last_id: u64,
    host: Option<Host>,
    /// Of the pump, which had nothing to wait for: requests are made by tasks beside it
    idle: Option<Waker>,
}

struct AnswerBody(mpsc::UnboundedReceiver<Piece>);

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = HttpError;
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        Poll::Ready(ready!(self.0.poll_recv(cx)).map(|piece| piece.map(Frame::data)))
    }
}

pub struct Hooks {
    pub host: Host,
    pub answers: Arc<Mutex<Answers>>,
    pub request_bytes: usize,
}

type Io = Box<dyn Future<Output = Result<(), HttpError>> + Send>;

async fn collect(mut body: WasiBody, max: usize) -> Result<Vec<u8>, HttpError> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            if all.len() + data.len() > max {
                return Err(error(7));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(all)
}

impl Answers {
    /// Asks C. The receiver gets the head of the answer.
    fn ask(
        &mut self, host: &Host, parts: &http::request::Parts, body: &[u8],
    ) -> Result<oneshot::Receiver<(Head, mpsc::UnboundedReceiver<Piece>)>, i32> {
        let ask = host.ask.ok_or(1)?;
        let (method, url) = (text(parts.method.as_str()), text(&parts.uri.to_string()));
        let headers: Vec<Header> = parts
            .headers
            .iter()
            .map(|(name, value)| Header {
                name: name.as_str().as_ptr().cast(),
                name_size: name.as_str().len(),
                value: value.as_bytes().as_ptr().cast(),
                value_size: value.len(),
            })
            .collect();
        self.last_id += 1;
        let request = Request {
            id: self.last_id,
            method: method.as_ptr(),
            url: url.as_ptr(),
            headers: headers.as_ptr(),
            header_count: headers.len(),
            body: body.as_ptr(),
            body_size: body.len(),
        };
        let code = ask(host.user, &request);
        if code != 0 {
            return Err(code);
        }
        let (head, answer) = oneshot::channel();
        let (body, body_end) = mpsc::unbounded_channel();
        self.open.insert(self.last_id, Open { head: Some(head), body, body_end: Some(body_end) });
        self.host = Some(host.clone());
        if let Some(pump) = self.idle.take() {
            pump.wake();
        }
        Ok(answer)
    }

    fn end(&mut self, id: u64, code: i32) {
        if is_limit(code) && let Some(host) = &self.host {
            host.marks.network.store(true, Relaxed);
        }
        let Some(mut open) = self.open.remove(&id) else { return };
        match (code, open.head.take()) {
            (0, None) => {}
            (code, Some(head)) => {
                let (_, none) = mpsc::unbounded_channel();
                let _ = head.send((Err(error(code)), none));
            }
            (code, None) => {
                let _ = open.body.send(Err(error(code)));
            }
        }
    }
}

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self, request: http::Request<WasiBody>, _: Option<RequestOptions>, _: Io,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), HttpError>> + Send> {
        let (host, answers, max) = (self.host.clone(), self.answers.clone(), self.request_bytes);
        Box::new(async move {
            let mark = |e: HttpError| {
                host.marks.network.store(true, Relaxed);
                e
            };
            if host.ask.is_none() {
                return Err(mark(error(1)));
            }
            let (parts, body) = request.into_parts();
            let body = match collect(body, max).await {
                Err(e @ HttpError::HttpRequestBodySize(_)) => return Err(mark(e)),
                other => other?,
            };
            let asked = answers.lock().unwrap().ask(&host, &parts, &body);
            let answer = asked.map_err(|code| if is_limit(code) { mark(error(code)) } else { error(code) })?;
            let (head, body) = answer.await.map_err(|_| HttpError::ConnectionTerminated)?;
            let response = http::Response::from_parts(head?, AnswerBody(body).boxed_unsync());
            Ok((response, Box::new(async { Ok(()) }) as Io))
        })
    }
}

/// Waits on the descriptor while requests are open; polled beside the guest.
pub struct Pump {
    host: Host,
    answers: Arc<Mutex<Answers>>,
    fd: Option<AsyncFd<RawFd>>,
}

impl Pump {
    pub fn new(host: Host, answers: Arc<Mutex<Answers>>) -> Pump {
        Pump { host, answers, fd: None }
    }

    pub fn poll(&mut self, cx: &mut Context<'_>) {
        loop {
            {
                let mut answers = self.answers.lock().unwrap();
                if answers.open.is_empty() {
                    answers.idle = Some(cx.waker().clone());
                    return;
                }
            }
            let Some(fd) = self.readable() else { return self.lost() };
            let mut guard = match fd.poll_read_ready(cx) {
                Poll::Pending => return,
                Poll::Ready(Err(_)) => return self.lost(),
                Poll::Ready(Ok(guard)) => guard,
            };
            guard.clear_ready();
            let Some(answer) = self.host.answer else { return self.lost() };
            let gone = answer(self.host.user, &mut self.answers.lock().unwrap()) != 0;
            if gone {
                return self.lost();
            }
        }
    }

    fn readable(&mut self) -> Option<&AsyncFd<RawFd>> {
        if self.fd.is_none() {
            // The contract: the descriptor is the caller's and open until bxe_run returns.
            let fd = unsafe { AsyncFd::register_with_interest(self.host.answer_fd, tokio::io::Interest::READABLE) };
            self.fd = fd.ok();
        }
        self.fd.as_ref()
    }

    fn lost(&mut self) {
        let mut answers = self.answers.lock().unwrap();
        let ids: Vec<u64> = answers.open.keys().copied().collect();
        ids.into_iter().for_each(|id| answers.end(id, 2));
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn bxe_answer_head(
    answers: &mut Answers, id: u64, status: u32, headers: *const Header, header_count: usize,
) {
    let Some(open) = answers.open.get_mut(&id) else { return };
    let (Some(head), Some(body)) = (open.head.take(), open.body_end.take()) else { return };
    let mut response = http::Response::builder().status(u16::try_from(status).unwrap_or(0));
    for h in unsafe { slice(headers, header_count) } {
        let name = unsafe { slice(h.name.cast::<u8>(), h.name_size) };
        let value = unsafe { slice(h.value.cast::<u8>(), h.value_size) };
        response = response.header(name, value);
    }
    let parts = response.body(()).map(|r| r.into_parts().0).map_err(|_| HttpError::HttpProtocolError);
    let _ = head.send((parts, body));
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn bxe_answer_body(answers: &mut Answers, id: u64, p: *const u8, n: usize) {
    if let Some(open) = answers.open.get(&id) {
        let _ = open.body.send(Ok(Bytes::copy_from_slice(unsafe { slice(p, n) })));
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn bxe_answer_end(answers: &mut Answers, id: u64, code: i32) {
    answers.end(id, code);
}
