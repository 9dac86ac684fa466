//! What connections work on side by side: tasks in their order, but for statements that wait for others.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::steps::Statement;
use crate::source::postgres::rows::Order;

/// Something that one connection does from its beginning to its end.
pub(super) enum Task<'s> {
    /// Rows of a table: all, or every row group that falls to this part of so many.
    Load { name: &'s str, part: usize, parts: usize },
    /// Reading a table back: in the order in which it lies, which is that of its key if one connection wrote it, else by the key,
    /// over so many connections.
    Prove { name: &'s str, order: Order, connections: usize },
    /// Reading all partitions of a table back that their rows were sent to.
    ProveTogether { root: &'s str },
    /// Statements, one after the other.
    Make(Vec<&'s Statement>),
    /// The same, when every [`Task::Make`] is done.
    MakeLast(Vec<&'s Statement>),
}

/// Tasks that several threads take.
pub(super) struct Tasks<'s> {
    state: Mutex<State<'s>>,
    changed: Condvar,
}

struct State<'s> {
    waiting: VecDeque<Task<'s>>,
    /// How many [`Task::Make`] are waiting or being worked on.
    unmade: usize,
}

impl State<'_> {
    fn is_ready(&self, task: &Task<'_>) -> bool {
        self.unmade == 0 || !matches!(task, Task::MakeLast(_))
    }
}

/// A task that was taken. It counts as done when this is dropped.
pub(super) struct Taken<'t, 's> {
    pub(super) task: Task<'s>,
    from: &'t Tasks<'s>,
}

impl<'s> Tasks<'s> {
    pub(super) fn new(tasks: Vec<Task<'s>>) -> Self {
        let unmade = tasks.iter().filter(|task| matches!(task, Task::Make(_))).count();
        Self { state: Mutex::new(State { waiting: tasks.into(), unmade }), changed: Condvar::new() }
    }

    /// The next task, as soon as one can be begun; `None` when all were taken.
    pub(super) fn take(&self) -> Option<Taken<'_, 's>> {
        let mut state = self.state();
        loop {
            let ready = state.waiting.iter().position(|task| state.is_ready(task));
            if let Some(task) = ready.and_then(|place| state.waiting.remove(place)) {
                return Some(Taken { task, from: self });
            }
            if state.waiting.is_empty() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Forgets what nobody has begun.
    pub(super) fn give_up(&self) {
        self.state().waiting.clear();
        self.changed.notify_all();
    }

    /// What a thread that panicked left is as whole as any other state.
    fn state(&self) -> MutexGuard<'_, State<'s>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken<'_, '_> {
    fn drop(&mut self) {
        if matches!(self.task, Task::Make(_)) {
            let mut state = self.from.state();
            state.unmade = state.unmade.saturating_sub(1);
            self.from.changed.notify_all();
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::thread;

    use super::*;

    fn load(name: &str) -> Task<'_> {
        Task::Load { name, part: 0, parts: 1 }
    }

    fn is_last(taken: &Taken<'_, '_>) -> bool {
        matches!(taken.task, Task::MakeLast(_))
    }

    #[test]
    fn what_waits_for_others_is_taken_when_they_are_done() {
        let tasks = Tasks::new(vec![Task::Make(vec![]), Task::MakeLast(vec![]), Task::Make(vec![]), load("t")]);
        let (first, second) = (tasks.take().unwrap(), tasks.take().unwrap());
        assert!(!is_last(&first) && !is_last(&second));
        assert!(matches!(tasks.take().unwrap().task, Task::Load { name: "t", .. }));
        drop(first);
        thread::scope(|scope| {
            let last = scope.spawn(|| is_last(&tasks.take().unwrap()));
            drop(second);
            assert!(last.join().unwrap());
        });
        assert!(tasks.take().is_none());
    }

    #[test]
    fn nobody_waits_for_what_was_given_up() {
        let tasks = Tasks::new(vec![Task::Make(vec![]), Task::MakeLast(vec![])]);
        let _begun = tasks.take().unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| tasks.take().is_none());
            tasks.give_up();
            assert!(waiting.join().unwrap());
        });
    }
}
