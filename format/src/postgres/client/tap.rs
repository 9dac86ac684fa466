//! Rows that a server copies out, taken from a connection before the client's library sees them.
//!
//! COPY sends each row as a message of its own. A client that handles messages one by one spends more on that than on what is
//! in them, so the stream below the library is tapped: payloads of CopyData are put behind one another for whoever asked for
//! the rows, and all other messages go on to the library, which sees a COPY without data. What ends a COPY, or breaks it off,
//! comes through the library as ever.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// The tag of messages that hold a piece of what is copied.
const COPY_DATA: u8 = b'd';
/// A tag and a length.
const HEADER: usize = 5;
/// Bytes that are read from the server at once: as many as a socket's buffer holds.
const READ: usize = 128 << 10;
/// Bytes of whole rows that wait to be taken: at so many, no more is read.
const FULL: usize = 64 << 10;
/// How long it takes a server to fill some of the socket's buffer. A server sends 8 KiB at a time, and who waits for each is
/// woken for each, which costs both sides time: a nap lets several come together.
const NAP: Duration = Duration::from_micros(400);
/// The most bytes of one message: PostgreSQL itself makes none that is longer.
const MAX_MESSAGE: usize = 1 << 30;

/// What a tap has taken, until somebody takes it from here.
#[derive(Default)]
pub(super) struct Tapped(Mutex<State>);

#[derive(Default)]
struct State {
    /// Does anybody want rows? Nobody else's are kept.
    wanted: bool,
    rows: Vec<u8>,
    /// Bytes of rows that have come to their end.
    whole: usize,
    /// Who waits for rows, and for how many bytes of them.
    taker: Option<(Waker, usize)>,
    /// The connection, which waits for room.
    server: Option<Waker>,
}

impl State {
    fn is_full(&self) -> bool {
        self.whole >= FULL
    }

    fn wake_taker(&mut self) {
        let is_enough = |(_, least): &mut (Waker, usize)| self.whole >= *least;
        if let Some((taker, _)) = self.taker.take_if(is_enough) {
            taker.wake();
        }
    }
}

impl Tapped {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rows that come from now on are kept.
    pub(super) fn begin(&self) {
        self.empty(true);
    }

    /// Rows that come from now on are of no use, and neither are those that have come.
    pub(super) fn end(&self) {
        self.empty(false);
    }

    fn empty(&self, wanted: bool) {
        let mut state = self.lock();
        let server = state.server.take();
        *state = State { wanted, ..State::default() };
        drop(state);
        server.into_iter().for_each(Waker::wake);
    }

    /// Waits until there are so many bytes of rows, of which more than [`FULL`] need not come.
    pub(super) fn poll(&self, least: usize, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.whole >= least.min(FULL) {
            return Poll::Ready(());
        }
        state.taker = Some((cx.waker().clone(), least.min(FULL)));
        Poll::Pending
    }

    /// Puts the rows that have come to their end in the place of what is in `into`, of which the room is used for what comes.
    pub(super) fn take(&self, into: &mut Vec<u8>) {
        let mut state = self.lock();
        into.clear();
        let whole = std::mem::take(&mut state.whole);
        into.extend_from_slice(state.rows.get(whole..).unwrap_or_default());
        state.rows.truncate(whole);
        std::mem::swap(&mut state.rows, into);
        let server = state.server.take();
        drop(state);
        server.into_iter().for_each(Waker::wake);
    }

    /// Is there room? If not, who waits for it is told when there is.
    fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.wanted && state.is_full() {
            state.server = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

/// A stream of messages from a server, without those that it has taken out.
pub(super) struct Tap<S> {
    stream: S,
    tapped: Arc<Tapped>,
    /// What was read, of which the bytes from `from` to `to` have not been handed on.
    read: Box<[u8]>,
    from: usize,
    to: usize,
    within: Within,
}

/// Where in the messages the next byte is.
#[derive(Debug, Clone, Copy)]
enum Within {
    Header,
    /// A message for the library, of which so many bytes are left.
    Passed(usize),
    /// The payload of a message that is taken out.
    Taken(usize),
}

impl<S> Tap<S> {
    pub(super) fn new(stream: S, tapped: Arc<Tapped>) -> Self {
        Self { stream, tapped, read: vec![0; READ].into(), from: 0, to: 0, within: Within::Header }
    }

    /// Hands on what was read, up to where it ends or `into` has no more room.
    fn sort(&mut self, into: &mut ReadBuf<'_>) -> io::Result<()> {
        let mut state = self.tapped.lock();
        let mut rest = self.read.get(self.from..self.to).unwrap_or_default();
        loop {
            match self.within {
                Within::Header => {
                    let Some(([tag, length @ ..], payload)) = rest.split_first_chunk::<HEADER>() else { break };
                    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
                    if length > MAX_MESSAGE {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message that is too long"));
                    }
                    // The length counts itself. One that is too short to do so is for the library to judge.
                    match length.checked_sub(4) {
                        Some(length) if *tag == COPY_DATA => {
                            self.within = Within::Taken(length);
                            rest = payload;
                        }
                        _ => self.within = Within::Passed(length.max(4).saturating_add(1)),
                    }
                }
                Within::Passed(0) => self.within = Within::Header,
                Within::Passed(left) => {
                    let (now, later) = rest.split_at(left.min(rest.len()).min(into.remaining()));
                    if now.is_empty() {
                        break;
                    }
                    into.put_slice(now);
                    self.within = Within::Passed(left.saturating_sub(now.len()));
                    rest = later;
                }
                Within::Taken(left) => {
                    let (now, later) = rest.split_at(left.min(rest.len()));
                    if state.wanted {
                        state.rows.extend_from_slice(now);
                    }
                    rest = later;
                    if now.len() < left {
                        self.within = Within::Taken(left.saturating_sub(now.len()));
                        break;
                    }
                    state.whole = state.rows.len();
                    self.within = Within::Header;
                }
            }
        }
        self.from = self.to.saturating_sub(rest.len());
        state.wake_taker();
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let tap = self.get_mut();
        let filled = into.filled().len();
        loop {
            tap.sort(into)?;
            if into.filled().len() > filled || into.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if tap.tapped.poll_room(cx).is_pending() {
                return Poll::Pending;
            }
            // What is left is the beginning of a header.
            tap.read.copy_within(tap.from..tap.to, 0);
            tap.to = tap.to.saturating_sub(tap.from);
            tap.from = 0;
            let mut room = ReadBuf::new(tap.read.get_mut(tap.to..).unwrap_or_default());
            match Pin::new(&mut tap.stream).poll_read(cx, &mut room) {
                Poll::Ready(Ok(())) if room.filled().is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => tap.to = tap.to.saturating_add(room.filled().len()),
                Poll::Ready(Err(cause)) => return Poll::Ready(Err(cause)),
                Poll::Pending => {
                    // In the middle of a row: more is on its way.
                    if matches!(tap.within, Within::Taken(_)) {
                        std::thread::sleep(NAP);
                    }
                    return Poll::Pending;
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Tap<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// Taps what is inside of TLS.
pub(super) struct Tapping<T> {
    pub(super) tls: T,
    pub(super) tapped: Arc<Tapped>,
}

impl<S, T> TlsConnect<S> for Tapping<T>
where
    T: TlsConnect<S>,
    T::Future: 'static,
{
    type Stream = Tap<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, T::Error>>>>;

    fn connect(self, stream: S) -> Self::Future {
        let Self { tls, tapped } = self;
        let connecting = tls.connect(stream);
        Box::pin(async move { Ok(Tap::new(connecting.await?, tapped)) })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A stream that comes in pieces of a size, and after each says that nothing has come yet.
    struct Pieces {
        bytes: Vec<u8>,
        size: usize,
        waits: bool,
    }

    impl AsyncRead for Pieces {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.waits = !self.waits;
            if self.waits {
                return Poll::Pending;
            }
            let length = self.size.min(self.bytes.len()).min(into.remaining());
            let rest = self.bytes.split_off(length);
            into.put_slice(&std::mem::replace(&mut self.bytes, rest));
            Poll::Ready(Ok(()))
        }
    }

    fn message(tag: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len() + 4).unwrap();
        [&[tag], &length.to_be_bytes()[..], payload].concat()
    }

    /// What a library with so much room reads, to the end; whenever it has to wait, the rows are taken.
    fn read_all(tap: &mut Tap<Pieces>, room: usize, rows: &mut Vec<Vec<u8>>) -> io::Result<Vec<u8>> {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut passed = Vec::new();
        loop {
            let mut room = vec![0; room];
            let mut into = ReadBuf::new(&mut room);
            match Pin::new(&mut *tap).poll_read(cx, &mut into)? {
                Poll::Ready(()) if into.filled().is_empty() => return Ok(passed),
                Poll::Ready(()) => passed.extend_from_slice(into.filled()),
                Poll::Pending => {
                    let mut piece = Vec::new();
                    tap.tapped.take(&mut piece);
                    rows.push(piece);
                }
            }
        }
    }

    fn tap(bytes: Vec<u8>, size: usize) -> Tap<Pieces> {
        let tapped = Arc::new(Tapped::default());
        tapped.begin();
        Tap::new(Pieces { bytes, size, waits: false }, tapped)
    }

    proptest! {
        #[test]
        fn rows_are_taken_out_and_nothing_else(
            messages in vec((prop_oneof![Just(COPY_DATA), Just(b'D'), any::<u8>()], vec(any::<u8>(), 0..30)), 0..40),
            size in 1..50_usize,
            room in 1..50_usize,
        ) {
            let stream: Vec<u8> = messages.iter().flat_map(|(tag, payload)| message(*tag, payload)).collect();
            let mut tap = tap(stream, size);
            let mut pieces = Vec::new();
            let passed = read_all(&mut tap, room, &mut pieces).unwrap();
            let mut last = Vec::new();
            tap.tapped.take(&mut last);
            pieces.push(last);
            let (rows, others): (Vec<_>, Vec<_>) = messages.iter().partition(|(tag, _)| *tag == COPY_DATA);
            let others: Vec<u8> = others.iter().flat_map(|(tag, payload)| message(*tag, payload)).collect();
            prop_assert_eq!(passed, others);
            // Pieces end where rows do.
            let mut rows = rows.iter().map(|(_, payload)| payload.as_slice());
            for piece in pieces {
                let mut left = piece.as_slice();
                while !left.is_empty() {
                    let row = rows.next().unwrap();
                    left = left.strip_prefix(row).unwrap();
                }
            }
            prop_assert!(rows.all(<[u8]>::is_empty));
        }
    }

    #[test]
    fn what_waits_is_bounded() {
        let row = message(COPY_DATA, &[7; 1000]);
        let mut tap = tap(row.repeat(1000), READ);
        let mut pieces = Vec::new();
        assert!(read_all(&mut tap, 8192, &mut pieces).unwrap().is_empty());
        assert!(pieces.iter().all(|piece| piece.len() < FULL + READ), "{:?}", pieces.iter().map(Vec::len).max());
        assert_eq!(pieces.iter().map(Vec::len).sum::<usize>(), 1_000_000);
    }

    #[test]
    fn whoever_waits_for_rows_or_for_room_is_woken() {
        struct Counter(std::sync::atomic::AtomicUsize);
        impl std::task::Wake for Counter {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
        let counter = Arc::new(Counter(0.into()));
        let woken = || counter.0.swap(0, std::sync::atomic::Ordering::SeqCst);
        let waker = Waker::from(counter.clone());
        let cx = &mut Context::from_waker(&waker);
        let mut tap = tap(message(COPY_DATA, &[7; 1000]).repeat(200), 10_000);
        let tapped = tap.tapped.clone();
        assert!(tapped.poll(1, cx).is_pending());
        let mut read = || {
            let mut room = [0; 100];
            Pin::new(&mut tap).poll_read(cx, &mut ReadBuf::new(&mut room)).is_pending()
        };
        assert!(read() && woken() == 0);
        assert!(read() && woken() == 1);
        let cx = &mut Context::from_waker(&waker);
        assert!(tapped.poll(1, cx).is_ready() && tapped.poll(usize::MAX, cx).is_pending());
        for _ in 0..20 {
            assert!(read());
        }
        assert_eq!(woken(), 1);
        assert!(tapped.poll(usize::MAX, cx).is_ready());
        // There is no room: whoever reads is woken when there is.
        tapped.take(&mut Vec::new());
        assert_eq!(woken(), 1);
    }

    #[test]
    fn rows_that_nobody_wants_are_not_kept() {
        let mut tap = tap([message(COPY_DATA, &[7; 1000]).repeat(1000), message(b'C', b"COPY")].concat(), 5000);
        tap.tapped.end();
        let mut pieces = Vec::new();
        assert_eq!(read_all(&mut tap, 8192, &mut pieces).unwrap(), message(b'C', b"COPY"));
        assert!(pieces.iter().all(Vec::is_empty));
    }

    #[test]
    fn lengths_that_cannot_be_are_no_rows() {
        let mut too_long = tap([&[COPY_DATA][..], &[0x40, 0, 0, 1], &[7; 10]].concat(), 100);
        let error = read_all(&mut too_long, 100, &mut Vec::new()).err().unwrap_or_else(|| panic!("it was read"));
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        // The library says what is wrong with those.
        let mut too_short = tap([&[COPY_DATA][..], &[0, 0, 0, 3]].concat(), 100);
        assert_eq!(read_all(&mut too_short, 100, &mut Vec::new()).unwrap(), [COPY_DATA, 0, 0, 0, 3]);
    }
}
