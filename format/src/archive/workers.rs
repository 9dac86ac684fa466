//! Threads for work that needs no file: jobs are handed on, and their results taken back by ticket, in any order.
//!
//! Whoever waits for a result works on other jobs meanwhile, so that `jobs` threads are at work and not one more: the
//! caller's own, and `jobs - 1` started here, none before there is a job for it.

use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

type Job = Box<dyn FnOnce() + Send>;

/// The threads of one writer or reader. Dropping them lets each end the job it is at, forgets the others, and returns
/// when no thread is left.
pub(super) struct Workers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Threads to start at most, beside the caller's.
    most: usize,
}

/// A job handed on; its result is taken with [`Workers::wait`].
pub(super) struct Ticket<T>(Arc<Mutex<Option<thread::Result<T>>>>);

impl<T> Ticket<T> {
    fn slot(&self) -> MutexGuard<'_, Option<thread::Result<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is the job done? Then [`Workers::wait`] returns at once.
    pub(super) fn is_done(&self) -> bool {
        self.slot().is_some()
    }
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// A job was handed on, or all is over.
    more: Condvar,
    /// A job is done.
    done: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    over: bool,
}

impl Shared {
    /// Nothing that panics is done under the lock.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, job: Job) {
        job();
        // Whoever waits looks at its ticket under the lock: taken here, the signal cannot fall between look and wait.
        drop(self.lock());
        self.done.notify_all();
    }

    /// The life of a thread.
    fn work(&self) {
        let mut queue = self.lock();
        while !queue.over {
            queue = match queue.jobs.pop_front() {
                Some(job) => {
                    drop(queue);
                    self.run(job);
                    self.lock()
                }
                None => self.more.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

impl Workers {
    /// For `jobs` threads, the caller's own included.
    pub(super) fn new(jobs: NonZero<usize>) -> Self {
        Self { shared: Arc::default(), threads: Vec::new(), most: jobs.get() - 1 }
    }

    /// As many threads as there are cores for this process.
    pub(super) fn cores() -> NonZero<usize> {
        thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN)
    }

    /// Is there no thread but the caller's? Then handing a job on gains nothing.
    pub(super) fn is_alone(&self) -> bool {
        self.most == 0
    }

    /// Hands a job on.
    pub(super) fn hand_on<T: Send + 'static>(&mut self, work: impl FnOnce() -> T + Send + 'static) -> Ticket<T> {
        let ticket = Ticket(Arc::new(Mutex::new(None)));
        let result = Ticket(Arc::clone(&ticket.0));
        self.shared.lock().jobs.push_back(Box::new(move || {
            let outcome = catch_unwind(AssertUnwindSafe(work));
            *result.slot() = Some(outcome);
        }));
        self.shared.more.notify_one();
        if self.threads.len() < self.most {
            self.start_thread();
        }
        ticket
    }

    /// A machine that has no thread left to give is no reason to fail: the caller's does the work.
    fn start_thread(&mut self) {
        let shared = Arc::clone(&self.shared);
        match thread::Builder::new().name("tabark".into()).spawn(move || shared.work()) {
            Ok(thread) => self.threads.push(thread),
            Err(_) => self.most = self.threads.len(),
        }
    }

    /// The job's result; until it is there, the caller's thread works on what is handed on. A panic of the job goes on here.
    pub(super) fn wait<T>(&self, ticket: Ticket<T>) -> T {
        loop {
            match ticket.slot().take() {
                Some(Ok(result)) => return result,
                Some(Err(panic)) => resume_unwind(panic),
                None => {}
            }
            let mut queue = self.shared.lock();
            match queue.jobs.pop_front() {
                Some(job) => {
                    drop(queue);
                    self.shared.run(job);
                }
                None if !ticket.is_done() => {
                    drop(self.shared.done.wait(queue).unwrap_or_else(PoisonError::into_inner));
                }
                None => {}
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        {
            let mut queue = self.shared.lock();
            queue.over = true;
            queue.jobs.clear();
        }
        self.shared.more.notify_all();
        for thread in self.threads.drain(..) {
            // Jobs catch their own panics.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    fn workers(jobs: usize) -> Workers {
        Workers::new(NonZero::new(jobs).unwrap())
    }

    #[test]
    fn results_come_back_by_ticket_with_any_number_of_threads() {
        for jobs in [1, 2, 3, 8] {
            let mut workers = workers(jobs);
            let tickets: Vec<_> = (0_u32..1000).map(|n| workers.hand_on(move || n * n)).collect();
            for (n, ticket) in (0_u32..1000).zip(tickets).rev() {
                assert_eq!(workers.wait(ticket), n * n);
            }
        }
    }

    #[test]
    fn threads_are_started_when_needed_and_never_more_than_asked_for() {
        let mut alone = workers(1);
        let ticket = alone.hand_on(|| thread::current().id());
        assert_eq!(alone.wait(ticket), thread::current().id());
        assert!(alone.threads.is_empty() && alone.is_alone());
        let mut three = workers(3);
        assert!(three.threads.is_empty());
        let tickets: Vec<_> = (0..100).map(|n| three.hand_on(move || n)).collect();
        assert_eq!(three.threads.len(), 2);
        assert_eq!(tickets.into_iter().map(|ticket| three.wait(ticket)).sum::<i32>(), 4950);
    }

    #[test]
    fn a_panic_reaches_who_waits_and_harms_no_other_job() {
        let mut workers = workers(2);
        let bad = workers.hand_on(|| panic!("of a job"));
        let good = workers.hand_on(|| 7);
        let caught = catch_unwind(AssertUnwindSafe(|| workers.wait(bad)));
        assert_eq!(caught.err().and_then(|panic| panic.downcast_ref::<&str>().copied()), Some("of a job"));
        assert_eq!(workers.wait(good), 7);
    }

    #[test]
    fn dropping_waits_for_jobs_at_work_and_forgets_the_others() {
        let (begun, begins) = mpsc::channel();
        let (ended, forgotten) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut workers = workers(2);
        let counter = Arc::clone(&ended);
        let _slow = workers.hand_on(move || {
            begun.send(()).unwrap();
            thread::sleep(Duration::from_millis(50));
            counter.fetch_add(1, Ordering::SeqCst);
        });
        begins.recv().unwrap();
        for _ in 0..10 {
            let counter = Arc::clone(&forgotten);
            let _ticket = workers.hand_on(move || counter.fetch_add(1, Ordering::SeqCst));
        }
        drop(workers);
        assert_eq!(ended.load(Ordering::SeqCst), 1);
        assert_eq!((forgotten.load(Ordering::SeqCst), Arc::strong_count(&forgotten)), (0, 1));
    }
}
